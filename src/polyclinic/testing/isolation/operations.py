"""How to call each operation: its code, method and shape, and a function that makes a request.

https://hl7.org/fhir/R4/operations.html
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

import msgspec

from polyclinic.testing.isolation.calls import FHIR_JSON, Call
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.population import ABSENT, ASKER, MINE, NOBODYS, THEIRS, moments

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


def _diff(*shape: str) -> Maker:
    """Return what makes a ``$diff`` of the system, a type or a resource."""

    def make(chance: Chance, resource_type: str) -> Call:
        words = {"type": resource_type, "id": chance.choice((*_SOMEBODY, MINE[1]))}
        path = "/".join(words.get(word, word) for word in shape)
        query = {"from": chance.choice(moments()).isoformat().replace("+00:00", "Z")}
        if chance.happens(0.5):
            query["to"] = chance.choice(moments()).isoformat().replace("+00:00", "Z")
        if len(shape) == 1 and chance.happens(0.7):
            query["_type"] = chance.choice((resource_type, f"{resource_type},Patient"))
        if chance.happens(0.3):
            query["patient"] = chance.choice(_SOMEBODY)
        if chance.happens(0.5):
            query["_count"] = chance.choice(("1", "2", "1000"))
        return Call("GET", f"/fhir/{path}?{urlencode(query)}")

    return make


def _undo(chance: Chance, resource_type: str) -> Call:
    of = f"{resource_type}/{chance.choice(_SOMEBODY)}/_history/{chance.choice((1, 2, 3))}"
    body = {"resourceType": "Parameters", "parameter": [{"name": "of", "valueUri": of}]}
    headers = [("content-type", FHIR_JSON)]
    if chance.happens(0.5):
        headers.append(("prefer", "dry-run"))
    return Call("POST", "/fhir/$undo", tuple(headers), msgspec.json.encode(body))


OPERATIONS: Final[dict[Key, Maker]] = {
    ("operation", "GET", ("$simulate",)): _simulate,
    ("operation", "GET", ("$changes",)): _changes,
    ("operation", "GET", ("$diff",)): _diff("$diff"),
    ("operation", "GET", ("type", "$diff")): _diff("type", "$diff"),
    ("operation", "GET", ("type", "id", "$diff")): _diff("type", "id", "$diff"),
    ("operation", "POST", ("$undo",)): _undo,
}
"""Each operation; its name stands at the end of its shape."""
