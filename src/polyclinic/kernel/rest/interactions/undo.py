"""The operation ``$undo``: a new transaction that puts back what another one changed.

``POST /fhir/$undo`` with Parameters that name any version that the transaction wrote:
``{"name": "of", "valueUri": "Observation/123/_history/2"}``. What it created is deleted, what it
changed or deleted is as before; nothing is done where something was changed since.
docs/howto/look-back.md tells how to use it.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from polyclinic.kernel.errors import BadRequest, Conflict, VersionConflict
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.preferences import check_content_type
from polyclinic.kernel.store import Store, Undone, Written, instant
from polyclinic.kernel.types import RESOURCE_TYPES

DEFINITION: Final = "https://polyclinic.example/fhir/OperationDefinition/undo"

_VERSION: Final = re.compile(r"([A-Za-z]+)/([A-Za-z0-9\-.]{1,64})/_history/([1-9][0-9]{0,8})")
_encode = msgspec.json.Encoder().encode


class _Parameter(msgspec.Struct):
    name: str
    valueUri: str | None = None  # noqa: N815 - FHIR's name
    valueString: str | None = None  # noqa: N815 - FHIR's name


class _Parameters(msgspec.Struct):
    resourceType: str  # noqa: N815 - FHIR's name
    parameter: list[_Parameter] = []


async def undo(store: Store, request: Request) -> Answer:
    """Undo a transaction, or say what that would change."""
    check_content_type(request)
    place, version = _asked(await request.body())
    plan = await store.lookback.undoing.plan(request.principal, place, version)
    changes = [one.change for one in plan]
    try:
        written = await store.write_all(request.principal, changes)
    except VersionConflict:
        message = "What the transaction wrote was changed meanwhile; look at it again."
        raise Conflict(message) from None
    answer = _planned(plan) if store.is_rehearsal else _answered(plan, written)
    return Answer(200, _encode(answer))


def _asked(body: bytes) -> tuple[tuple[str, str], int]:
    try:
        given = msgspec.json.decode(body, type=_Parameters)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        given = _Parameters("")
    if given.resourceType == "Parameters" and [one.name for one in given.parameter] == ["of"]:
        named = given.parameter[0]
        match = _VERSION.fullmatch(named.valueUri or named.valueString or "")
        if match is not None and match[1] in RESOURCE_TYPES:
            return (match[1], match[2]), int(match[3])
    message = (
        "$undo takes Parameters with one parameter, of: a version that the transaction wrote, such"
        " as Observation/123/_history/2."
    )
    raise BadRequest(message)


def _planned(plan: Sequence[Undone]) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [{"name": "result", "valueCode": "accepted"}]
    for one in plan:
        place = f"{one.change.type}/{one.change.id}"
        parts: list[dict[str, Any]] = [
            {"name": "outcome", "valueCode": "deleted" if one.restored is None else "changed"},
            {"name": "made", "valueUri": f"{place}/_history/{one.made}"},
        ]
        if one.restored is not None:
            parts.append({"name": "restored", "valueUri": f"{place}/_history/{one.restored}"})
        rows.append({"name": "entry", "part": parts})
    return {"resourceType": "Parameters", "parameter": rows}


def _answered(plan: Sequence[Undone], written: Sequence[Written | None]) -> dict[str, Any]:
    rows = [_response(one, done) for one, done in zip(plan, written, strict=True)]
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": rows}


def _response(one: Undone, done: Written | None) -> dict[str, Any]:
    place = f"{one.change.type}/{one.change.id}"
    if done is None:
        return {"response": {"status": "200 OK", "location": f"{place}/_history/{one.made}"}}
    stored = done.stored
    status = "204 No Content" if stored.deleted else "201 Created" if done.created else "200 OK"
    response = {
        "status": status,
        "location": f"{place}/_history/{stored.version}",
        "etag": stored.etag,
        "lastModified": instant(stored.last_updated),
    }
    return {"response": response}
