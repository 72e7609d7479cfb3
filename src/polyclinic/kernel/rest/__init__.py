"""The FHIR RESTful API, https://hl7.org/fhir/R4/http.html."""

from polyclinic.kernel.rest.application import Authenticate, FhirApplication, Limits

__all__ = ["Authenticate", "FhirApplication", "Limits"]
