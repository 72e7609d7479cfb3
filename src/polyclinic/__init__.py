"""A whole digital hospital in one Python package."""
