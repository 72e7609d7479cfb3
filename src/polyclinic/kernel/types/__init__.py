"""The FHIR R4 data types and resources: decode is validation."""
