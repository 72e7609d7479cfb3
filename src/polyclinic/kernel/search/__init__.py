"""Search parameters: from a resource to its index values, from a query to a predicate tree."""
