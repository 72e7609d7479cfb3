"""Conditions as a client writes them: search parameters that name one resource.

https://hl7.org/fhir/R4/http.html#ccreate, #cond-update
"""

from typing import Final

from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.errors import BadRequest, Conflict
from polyclinic.kernel.rest.message import pairs
from polyclinic.kernel.search.query import Endpoint, incomplete, parse_query
from polyclinic.kernel.store import Condition
from polyclinic.kernel.terminology import asks_for_codes
from polyclinic.kernel.types import RESOURCE_TYPES

_NO_CONDITIONS: Final = frozenset(
    {
        "_after",
        "_asOf",
        "_contained",
        "_containedType",
        "_count",
        "_elements",
        "_explain",
        "_format",
        "_graph",
        "_include",
        "_maxresults",
        "_pretty",
        "_revinclude",
        "_score",
        "_sort",
        "_summary",
        "_total",
        "_type",
    }
)
"""Parameters of the answer, https://hl7.org/fhir/R4/search.html#Summary; they choose nothing."""
_TYPES: Final = frozenset(RESOURCE_TYPES)
_RECORDED: Final = "AuditEvent"


def condition(
    resource_type: str, text: str, endpoint: Endpoint, action: Action | None
) -> Condition:
    """Return the condition in a query string.

    Raise ``Conflict`` while one of the tenant's own parameters overlooks resources, and
    ``BadRequest`` for one that chooses nothing, or by something that is not known here: left
    out, it would choose among more than was meant.
    """
    if resource_type not in _TYPES or resource_type == _RECORDED:
        message = "The condition is on no resource type of R4, or on one that is not written here."
        raise BadRequest(message)
    given = pairs(text.removeprefix("?"))
    if not given:
        message = "The condition names no search parameter; name one, such as identifier."
        raise BadRequest(message)
    for name, value in given:
        if name.partition(":")[0] in _NO_CONDITIONS:
            message = f"{name[:64]} is no condition; leave it out."
            raise BadRequest(message)
        if not value:
            message = f"The condition {name[:64]} has no value; give it one, or leave it out."
            raise BadRequest(message)
    query, _ = parse_query(resource_type, given, endpoint, strict=True)
    if asks_for_codes(query):
        message = "A condition takes no :in, :not-in, :above or :below; name the codes."
        raise BadRequest(message)
    for message in incomplete(query):
        # What is not found yet would be stored a second time.
        raise Conflict(message)
    return Condition(query, action)
