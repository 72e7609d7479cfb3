"""The interactions of the RESTful API, one file each, and the table that names them.

https://hl7.org/fhir/R4/http.html
"""

from polyclinic.kernel.rest.interactions.table import INTERACTIONS, Interaction

__all__ = ["INTERACTIONS", "Interaction"]
