"""A deterministic synthetic population: people, families, staff and years of records as FHIR R4."""
