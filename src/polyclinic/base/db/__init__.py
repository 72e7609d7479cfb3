"""PostgreSQL: where it runs, how it is reached, and what shape its tables are in."""
