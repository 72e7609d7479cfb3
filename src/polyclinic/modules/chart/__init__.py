"""The chart: everything a clinician looks at first about one patient, read from FHIR resources."""
