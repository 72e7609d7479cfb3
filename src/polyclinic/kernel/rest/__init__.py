"""The FHIR RESTful API, https://hl7.org/fhir/R4/http.html."""

from polyclinic.kernel.rest.admission import Admission
from polyclinic.kernel.rest.application import ORIGIN, Authenticate, FhirApplication, Limits
from polyclinic.kernel.rest.deadlines import Deadlines
from polyclinic.kernel.rest.streams import Streams

__all__ = [
    "ORIGIN",
    "Admission",
    "Authenticate",
    "Deadlines",
    "FhirApplication",
    "Limits",
    "Streams",
]
