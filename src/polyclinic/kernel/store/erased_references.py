"""A resource without what it says of somebody who was erased.

Each reference to the patient (hl7.org/fhir/R4/references.html) keeps its type and says ``erased``;
the narrative goes whole, because it may name anybody.
"""

import json
from decimal import Decimal
from typing import Any, Final

import msgspec

ERASED: Final = "erased"
_encode = msgspec.json.Encoder(decimal_format="number").encode


def without(body: bytes, patient: str) -> bytes | None:
    """Return a resource's JSON without references to a patient; None when it has none."""
    named = f"Patient/{patient}"
    if named.encode() not in body:
        return None
    # Numbers are read as decimals, so that 1.00 stays 1.00.
    resource = json.loads(body, parse_float=Decimal)
    if not _strip(resource, named):
        return None
    for one in (resource, *resource.get("contained", ())):
        one.pop("text", None)
    return _encode(resource)


def _strip(value: Any, named: str) -> bool:
    """Replace the references in a JSON value, all of them; say whether there were any."""
    if isinstance(value, list):
        return sum(_strip(one, named) for one in value) > 0
    if not isinstance(value, dict):
        return False
    reference = value.get("reference")
    if isinstance(reference, str) and _is_to(reference, named):
        kept = {"type": value["type"]} if "type" in value else {}
        value.clear()
        value.update(kept, display=ERASED)
        return True
    return sum(_strip(one, named) for one in value.values()) > 0


def _is_to(reference: str, named: str) -> bool:
    """Say whether a reference is to the patient of this server, or to a version of it."""
    return reference == named or reference.startswith(f"{named}/_history/")
