"""The twin-world test: two worlds that differ in other people, and the same questions to both.

docs/explanation/isolation.md tells what is compared and what it cannot see.
"""
