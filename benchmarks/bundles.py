"""Transaction Bundles in the shape of Synthea's: a patient's whole record, references and all.

Entries are POSTs with a ``urn:uuid:`` as full URL and refer to one another by it; the clinic's own
resources (Practitioners, Locations and so on), stored before, are referred to by their identifier.
"""

from collections.abc import Iterator
from datetime import date
from itertools import islice, takewhile
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import msgspec

from polyclinic.modules.population.generate import generate

_SEED: Final = 11
_TODAY: Final = date(2026, 1, 15)
_SYSTEM: Final = "urn:example:bench"
_ENTRIES: Final = 480
_PATIENTS: Final = 10_000

Json = dict[str, Any]
_encode = msgspec.json.Encoder().encode


def directory() -> bytes:
    """Return the transaction that stores what the others refer to, unless it is there."""
    entries = []
    for resource in _clinic():
        if resource["resourceType"] == "Questionnaire":
            # A clinician may not store one, and none is referred to by its id.
            continue
        identity = resource.pop("id")
        resource["identifier"] = [{"system": _SYSTEM, "value": identity}]
        entries.append(_post(resource, f"identifier={_SYSTEM}|{identity}"))
    return _bundle(entries)


def transactions(count: int) -> list[tuple[bytes, int]]:
    """Return some transactions of about 480 entries each, and how many entries each has."""
    found: list[tuple[bytes, int]] = []
    entries: list[Json] = []
    clinic = frozenset(f"{one['resourceType']}/{one['id']}" for one in _clinic())
    for resource in islice(_population(), len(clinic), None):
        resource_type = resource["resourceType"]
        if resource_type == "Patient" and len(entries) >= _ENTRIES:
            found.append((_bundle(entries), len(entries)))
            entries = []
            if len(found) == count:
                break
        name = _urn(f"{resource_type}/{resource.pop('id')}")
        entries.append({"fullUrl": name, **_post(_linked(resource, clinic))})
    return found


def _clinic() -> Iterator[Json]:
    """Return what is there before the first patient."""
    return takewhile(lambda one: one["resourceType"] != "Patient", _population())


def _population() -> Iterator[Json]:
    for resource in generate(_SEED, _PATIENTS, _TODAY):
        # Dictionaries of the generator share parts.
        yield msgspec.json.decode(_encode(resource))


def _linked(value: Any, clinic: frozenset[str]) -> Any:
    """Return a resource with its references as Synthea writes them."""
    if isinstance(value, list):
        return [_linked(one, clinic) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _linked(one, clinic) for name, one in value.items()}
    reference = found.get("reference")
    if isinstance(reference, str):
        kind, _, identity = reference.partition("/")
        conditional = f"{kind}?identifier={_SYSTEM}|{identity}"
        found["reference"] = conditional if reference in clinic else _urn(reference)
    return found


def _urn(reference: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, reference)}"


def _post(resource: Json, exists: str | None = None) -> Json:
    request = {"method": "POST", "url": resource["resourceType"]}
    if exists:
        request["ifNoneExist"] = exists
    return {"resource": resource, "request": request}


def _bundle(entries: list[Json]) -> bytes:
    return _encode({"resourceType": "Bundle", "type": "transaction", "entry": entries})
