"""The one store of resources, on PostgreSQL."""
