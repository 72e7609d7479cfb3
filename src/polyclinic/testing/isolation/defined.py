"""Search parameters that the tenant of both worlds defined, and all that are known with them."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from polyclinic.kernel.search.custom.changes import redefined
from polyclinic.kernel.search.custom.parameters import CustomParameters, Stored
from polyclinic.kernel.search.parameters import SearchParameter, parameters
from polyclinic.kernel.types import from_json
from polyclinic.testing.isolation.chance import Chance

FAILING: Final = "own-failing"
"""Fails on patients with several given names: on more in one world than in the other.

Who keeps the definitions is told on how many.
"""
_FAMILIAR: Final = ("Patient", "Observation", "Encounter", "Provenance")
_URL: Final = "http://hl7.org/fhir/SearchParameter/"
_PARTS: Final = {
    "code": "Observation-component-code",
    "dataAbsentReason": "Observation-component-data-absent-reason",
}


def _definition(code: str, kind: str, expression: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "SearchParameter",
        "id": f"s-{code}",
        "url": f"http://example.org/SearchParameter/{code}",
        "name": code,
        "status": "active",
        "description": "Of the twin worlds",
        "code": code,
        "base": list(_FAMILIAR),
        "type": kind,
        "expression": expression,
    } | more


DEFINITIONS: Final = (
    _definition("own-label", "token", "meta.security"),
    _definition("own-source", "uri", "meta.source"),
    _definition("own-names", "string", "Patient.name.given", base=["Patient"]),
    _definition("own-many", "number", "Patient.name.count()", base=["Patient"]),
    _definition(
        "own-who",
        "reference",
        "Observation.subject | Encounter.subject | Provenance.target",
        base=["Observation", "Encounter", "Provenance"],
        target=["Patient", "Organization"],
    ),
    _definition("own-moment", "date", "Provenance.recorded", base=["Provenance"]),
    _definition(
        "own-pair",
        "composite",
        "Observation.component",
        base=["Observation"],
        component=[
            {"definition": _URL + name, "expression": element} for element, name in _PARTS.items()
        ],
    ),
    _definition(FAILING, "string", "Patient.name.given + 'x'", base=["Patient"]),
)
"""The resources, which both worlds hold."""


@cache
def own() -> CustomParameters:
    """Return what the resources define."""
    return CustomParameters(
        redefined(Stored(), ((one["id"], from_json(one)) for one in DEFINITIONS))
    )


@cache
def known(resource_type: str) -> Mapping[str, SearchParameter]:
    """Return the parameters of a type, R4's and the tenant's own."""
    return {**parameters(resource_type), **own().of(resource_type)}


def codes(chance: Chance, resource_type: str) -> Sequence[str]:
    """Return the codes of the parameters that somebody asks by."""
    return [one for one in known(resource_type) if not (chance.avoids and one == FAILING)]
