"""What every part needs and that knows no FHIR: configuration, clock, ids, database, jobs, log."""
