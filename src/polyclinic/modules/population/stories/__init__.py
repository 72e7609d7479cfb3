"""The six named patients, each with a course worth showing."""
