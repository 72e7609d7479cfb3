"""The operation ``$simulate``: who may see this, and why; why not.

``GET /fhir/$simulate?resource=Observation/123&action=read&role=nurse&practitioner=d`` tries the
policy out on somebody described by the parameters. Nothing of the resource is shown.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.access.principal import TREATMENT, Principal
from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.store import Case, Simulation, Store
from polyclinic.kernel.types import RESOURCE_TYPES, is_id

DEFINITION: Final = "https://polyclinic.example/fhir/OperationDefinition/simulate"

_ACTIONS: Final = {action.name.lower(): action for action in Action}
_KNOWN: Final = frozenset(
    {"resource", "action", "role", "patient", "practitioner", "represents", "purpose", "scope"}
)


async def simulate(store: Store, request: Request) -> Answer:
    """Answer with Parameters: whether it is allowed, and what each rule says."""
    found = await store.simulate(request.principal, _case(request))
    return Answer(200, msgspec.json.encode(_parameters(found)))


def _case(request: Request) -> Case:
    given: dict[str, list[str]] = {}
    for name, value in request.parameters():
        if name not in _KNOWN:
            message = f"$simulate takes {', '.join(sorted(_KNOWN))}; not {name[:32]}."
            raise BadRequest(message)
        given.setdefault(name, []).append(value)
    resource_type, _, resource_id = _one(given, "resource", "").partition("/")
    if resource_type not in RESOURCE_TYPES or (resource_id and not is_id(resource_id)):
        message = "resource must be a type, or a type and an id, such as Observation/123."
        raise BadRequest(message)
    action = _ACTIONS.get(_one(given, "action", "read"))
    if action is None:
        message = f"action must be one of {', '.join(sorted(_ACTIONS))}."
        raise BadRequest(message)
    scopes = given.get("scope")
    who = Principal(
        name="simulated",
        tenant=request.principal.tenant,
        account=request.principal.account,
        roles=frozenset(given.get("role", ())),
        patient=_id(given, "patient"),
        practitioner=_id(given, "practitioner"),
        represents=frozenset(filter(is_id, given.get("represents", ()))),
        purpose=_one(given, "purpose", TREATMENT),
        scopes=None if scopes is None else tuple(" ".join(scopes).split()),
    )
    return Case(who, action, resource_type, resource_id or None)


def _one(given: dict[str, list[str]], name: str, default: str) -> str:
    values = given.get(name, [default])
    if len(values) > 1:
        message = f"{name} is given more than once."
        raise BadRequest(message)
    return values[0]


def _id(given: dict[str, list[str]], name: str) -> str | None:
    value = _one(given, name, "")
    if value and not is_id(value):
        message = f"{name} must be an id."
        raise BadRequest(message)
    return value or None


def _parameters(found: Simulation) -> dict[str, Any]:
    rules = [
        _parts(
            "rule",
            [
                ("role", "valueString", verdict.role),
                ("number", "valueInteger", verdict.number),
                ("whose", "valueString", verdict.whose),
                ("where", "valueString", verdict.where),
                ("holds", "valueBoolean", verdict.holds),
                ("why", "valueString", verdict.why),
            ],
        )
        for verdict in found.verdicts
    ]
    related = [
        _parts(
            "careRelation",
            [
                ("staff", "valueReference", {"reference": one.staff}),
                ("source", "valueReference", {"reference": one.source}),
            ],
        )
        for one in found.related
    ]
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "allowed", "valueBoolean": found.allowed},
            {"name": "policy", "valueString": found.policy},
            {"name": "version", "valueInteger": found.version},
            *rules,
            *related,
        ],
    }


def _parts(name: str, values: Sequence[tuple[str, str, object]]) -> dict[str, Any]:
    parts = [{"name": part, kind: value} for part, kind, value in values if value != ""]
    return {"name": name, "part": parts}
