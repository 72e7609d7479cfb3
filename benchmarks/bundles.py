"""Transaction Bundles in the shape of Synthea's: a patient's whole record, references and all.

Entries are POSTs with a ``urn:uuid:`` as full URL and refer to one another by it; Practitioners,
Organizations and Locations, stored before, are referred to by their identifier.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import msgspec

from polyclinic.modules.population.generate import generate

_SEED: Final = 11
_TODAY: Final = date(2026, 1, 15)
_SYSTEM: Final = "urn:example:bench"
_DIRECTORY: Final = ("Practitioner", "Organization", "Location")
_LEFT_OUT: Final = ("PractitionerRole",)
_ENTRIES: Final = 480
_PATIENTS: Final = 10_000

Json = dict[str, Any]
_encode = msgspec.json.Encoder().encode


def directory() -> bytes:
    """Return the transaction that stores what the others refer to, unless it is there."""
    entries = []
    for resource in _population():
        if resource["resourceType"] == "Patient":
            break
        if resource["resourceType"] in _DIRECTORY:
            identity = resource.pop("id")
            resource["identifier"] = [{"system": _SYSTEM, "value": identity}]
            entries.append(_post(resource, f"identifier={_SYSTEM}|{identity}"))
    return _bundle(entries)


def transactions(count: int) -> list[tuple[bytes, int]]:
    """Return some transactions of about 480 entries each, and how many entries each has."""
    found: list[tuple[bytes, int]] = []
    entries: list[Json] = []
    for resource in _population():
        resource_type = resource["resourceType"]
        if resource_type in _DIRECTORY or resource_type in _LEFT_OUT:
            continue
        if resource_type == "Patient" and len(entries) >= _ENTRIES:
            found.append((_bundle(entries), len(entries)))
            entries = []
            if len(found) == count:
                break
        name = _urn(f"{resource_type}/{resource.pop('id')}")
        entries.append({"fullUrl": name, **_post(_linked(resource))})
    return found


def _population() -> Iterator[Json]:
    for resource in generate(_SEED, _PATIENTS, _TODAY):
        # Dictionaries of the generator share parts.
        yield msgspec.json.decode(_encode(resource))


def _linked(value: Any) -> Any:
    """Return a resource with its references as Synthea writes them."""
    if isinstance(value, list):
        return [_linked(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _linked(one) for name, one in value.items()}
    reference = found.get("reference")
    if isinstance(reference, str):
        kind, _, identity = reference.partition("/")
        conditional = f"{kind}?identifier={_SYSTEM}|{identity}"
        found["reference"] = conditional if kind in _DIRECTORY else _urn(reference)
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
