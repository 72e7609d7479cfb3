"""How to call each operation: its code, method and shape, and a function that makes a request.

https://hl7.org/fhir/R4/operations.html
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from polyclinic.testing.isolation.calls import Call
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.population import ABSENT, ASKER, MINE, NOBODYS, THEIRS

Key = tuple[str, str, tuple[str, ...]]
"""Code, method and shape of an interaction."""
Maker = Callable[[Chance, str], Call]
"""Makes a request of an interaction to a resource type."""

_SOMEBODY: Final = (*THEIRS, ASKER, MINE[0], NOBODYS, ABSENT)


def _simulate(chance: Chance, resource_type: str) -> Call:
    resource = chance.choice((resource_type, f"{resource_type}/{chance.choice(_SOMEBODY)}"))
    query = {
        "resource": resource,
        "action": chance.choice(("read", "update", "search")),
        "role": chance.choice(("patient", "clinician", "nurse")),
        chance.choice(("patient", "practitioner", "represents")): chance.choice(_SOMEBODY),
    }
    return Call("GET", f"/fhir/$simulate?{urlencode(query)}")


def _changes(chance: Chance, resource_type: str) -> Call:
    query = {"_type": chance.choice((resource_type, f"{resource_type},Patient"))}
    if chance.happens(0.5):
        query["_since"] = chance.choice(("now", "0", "b-left"))
    if chance.happens(0.5):
        query["_count"] = chance.choice(("1", "2", "1000"))
    forms = "application/fhir+ndjson", "text/event-stream", "application/fhir+json"
    headers = (("accept", chance.choice(forms)),)
    return Call("GET", f"/fhir/$changes?{urlencode(query)}", headers)


OPERATIONS: Final[dict[Key, Maker]] = {
    ("operation", "GET", ("$simulate",)): _simulate,
    ("operation", "GET", ("$changes",)): _changes,
}
"""Each operation; its name stands at the end of its shape."""
