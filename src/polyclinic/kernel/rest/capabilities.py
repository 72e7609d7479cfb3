"""The CapabilityStatement, computed from what is registered.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any, Final

import msgspec

from polyclinic.kernel.rest.interactions import INTERACTIONS
from polyclinic.kernel.rest.patches import FHIR_JSON, JSON_PATCH
from polyclinic.kernel.search.canonicals import led_to
from polyclinic.kernel.search.custom.parameters import NONE, CustomParameters
from polyclinic.kernel.search.parameters import COMPARTMENTS, SearchParameter
from polyclinic.kernel.search.query import support, supported_parameters
from polyclinic.kernel.types import RESOURCE_TYPES, parse

_COMPARTMENT: Final = "http://hl7.org/fhir/CompartmentDefinition/"
_BASE: Final = "http://base.invalid/fhir"
_RECORD: Final = "AuditEvent"
_WRITES: Final = frozenset({"create", "update", "patch", "delete"})
"""What nobody does to AuditEvents: they are what the server itself recorded."""
_RELEASED = "2026-11-23"


def capability_statement(
    base: str, most_deleted: int = 1, custom: CustomParameters = NONE
) -> bytes:
    """Return the CapabilityStatement of a base address; it is checked as any resource is.

    ``most_deleted`` is how many resources one conditional delete may remove, ``custom`` the search
    parameters that the tenant defined.
    """
    before, after = _around_base("multiple" if most_deleted > 1 else "single", custom)
    return before + msgspec.json.encode(base) + after


@lru_cache(maxsize=32)
def _around_base(deletes: str, custom: CustomParameters) -> tuple[bytes, bytes]:
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
        "patchFormat": [JSON_PATCH, FHIR_JSON],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "A bearer token, or the session of a signed-in user."},
                "resource": [_resource(name, deletes, custom) for name in RESOURCE_TYPES],
                "interaction": _interactions("system"),
                "searchParam": [_parameter(one) for one in _of_every_type()],
                **_operations("system"),
                "compartment": [_COMPARTMENT + name[0].lower() + name[1:] for name in COMPARTMENTS],
            }
        ],
    }
    written = msgspec.json.encode(statement)
    parse(written, resource_id="metadata")
    before, _, after = written.partition(msgspec.json.encode(_BASE))
    return before, after


def _resource(resource_type: str, deletes: str, custom: CustomParameters) -> dict[str, Any]:
    known = (*supported_parameters(resource_type), *custom.of(resource_type).values())
    is_record = resource_type == _RECORD
    left_out = _WRITES if is_record else frozenset()
    return {
        "type": resource_type,
        "interaction": _interactions("instance", "type", left_out=left_out),
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": not is_record,
        "conditionalCreate": not is_record,
        "conditionalRead": "full-support",
        "conditionalUpdate": not is_record,
        "conditionalDelete": "not-supported" if is_record else deletes,
        "searchInclude": ["*", *_references(resource_type, known)],
        "searchRevInclude": [*_referrers().get(resource_type, ()), *_own(resource_type, custom)],
        "searchParam": [_parameter(one) for one in known],
        **_operations("type", "instance"),
    }


def _interactions(*levels: str, left_out: frozenset[str] = frozenset()) -> list[dict[str, str]]:
    codes = dict.fromkeys(
        one.code
        for one in INTERACTIONS
        if one.level in levels and one.code not in left_out | {"operation"}
    )
    return [{"code": code} for code in codes]


def _parameter(param: SearchParameter) -> dict[str, str]:
    return {"name": param.code, "definition": param.url, "type": param.type}


def _of_every_type() -> list[SearchParameter]:
    first, *others = ([*supported_parameters(name)] for name in RESOURCE_TYPES if name != _RECORD)
    shared = {param.url for param in first}.intersection(*({p.url for p in one} for one in others))
    return [param for param in first if param.url in shared]


def _references(resource_type: str, known: Sequence[SearchParameter]) -> list[str]:
    """Return what ``_include`` takes of a type."""
    return [
        f"{resource_type}:{param.code}"
        for param in known
        if support(param).chainable and resource_type != _RECORD
    ]


def _own(resource_type: str, custom: CustomParameters) -> list[str]:
    """Return what ``_revinclude`` takes by the tenant's own parameters."""
    return [
        f"{source}:{param.code}"
        for source in custom.own
        for param in custom.of(source).values()
        if support(param).chainable and resource_type in param.targets
    ]


@cache
def _referrers() -> Mapping[str, Sequence[str]]:
    """Return, by type, what ``_revinclude`` takes: the parameters that may refer to it."""
    found: dict[str, list[str]] = {}
    for source in RESOURCE_TYPES:
        for param in supported_parameters(source):
            if support(param).chainable and source != _RECORD:
                for target in led_to(param):
                    found.setdefault(target, []).append(f"{source}:{param.code}")
    return found


def _operations(*levels: str) -> dict[str, list[dict[str, str]]]:
    """Return the operations that have a definition, once each; an empty array is not FHIR."""
    found = {
        one.shape[-1].removeprefix("$"): one.definition
        for one in INTERACTIONS
        if one.code == "operation" and one.definition and one.level in levels
    }
    rows = [{"name": name, "definition": definition} for name, definition in found.items()]
    return {"operation": rows} if rows else {}
