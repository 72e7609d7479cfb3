"""The CapabilityStatement, computed from what is registered.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from functools import cache
from importlib.metadata import version
from typing import Any, Final

import msgspec

from polyclinic.kernel.rest.interactions import INTERACTIONS
from polyclinic.kernel.search.query import supported_parameters
from polyclinic.kernel.types import RESOURCE_TYPES, parse

_BASE: Final = "http://base.invalid/fhir"
_WRITES: Final = frozenset({"create", "update", "patch", "delete"})
"""What nobody does to AuditEvents: they are what the server itself recorded."""
_RELEASED = "2026-11-23"


def capability_statement(base: str, most_deleted: int = 1) -> bytes:
    """Return the CapabilityStatement of a base address; it is checked as any resource is.

    ``most_deleted`` is how many resources one conditional delete may remove.
    """
    before, after = _around_base("multiple" if most_deleted > 1 else "single")
    return before + msgspec.json.encode(base) + after


@cache
def _around_base(deletes: str) -> tuple[bytes, bytes]:
    """Return what stands before and behind the base, which is no key: a client names any host."""
    statement = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _RELEASED,
        "kind": "instance",
        "software": {"name": "Polyclinic", "version": version("polyclinic")},
        "implementation": {"description": "Polyclinic", "url": _BASE},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "patchFormat": ["application/json-patch+json"],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "A bearer token, or the session of a signed-in user."},
                "resource": [_resource(name, deletes) for name in RESOURCE_TYPES],
                "interaction": [
                    {"code": interaction.code}
                    for interaction in INTERACTIONS
                    if interaction.level == "system" and interaction.code != "operation"
                ],
                **_operations("system"),
            }
        ],
    }
    written = msgspec.json.encode(statement)
    parse(written, resource_id="metadata")
    before, _, after = written.partition(msgspec.json.encode(_BASE))
    return before, after


def _resource(resource_type: str, deletes: str) -> dict[str, Any]:
    is_record = resource_type == "AuditEvent"
    codes = dict.fromkeys(
        i.code
        for i in INTERACTIONS
        if i.level != "system" and i.code != "operation" and not (is_record and i.code in _WRITES)
    )
    return {
        "type": resource_type,
        "interaction": [{"code": code} for code in codes],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": not is_record,
        "conditionalCreate": not is_record,
        "conditionalRead": "full-support",
        "conditionalUpdate": not is_record,
        "conditionalDelete": "not-supported" if is_record else deletes,
        "searchParam": [
            {"name": parameter.code, "type": parameter.type}
            for parameter in supported_parameters(resource_type)
        ],
        **_operations("type", "instance"),
    }


def _operations(*levels: str) -> dict[str, list[dict[str, str]]]:
    """Return the operations that have a definition, once each; an empty array is not FHIR."""
    found = {
        one.shape[-1].removeprefix("$"): one.definition
        for one in INTERACTIONS
        if one.code == "operation" and one.definition and one.level in levels
    }
    rows = [{"name": name, "definition": definition} for name, definition in found.items()]
    return {"operation": rows} if rows else {}
