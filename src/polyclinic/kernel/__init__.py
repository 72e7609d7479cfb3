"""FHIR and nothing else."""
