"""The operation ``$diff``: what was created, changed and deleted between two moments.

``GET /fhir/Observation/$diff?from=2026-03-01T08:00:00Z&to=2026-03-01T12:00:00Z``, for all types,
one type or one resource. A change is told as a JSON Patch (RFC 6902) of the resource without
versionId and lastUpdated. docs/howto/look-back.md tells how to use it.
"""

from datetime import UTC
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.rest.json_difference import difference
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.search.query import moment, page_size
from polyclinic.kernel.store import Difference, DifferencePage, Span, Store, Stored
from polyclinic.kernel.types import RESOURCE_TYPES, is_id

DEFINITION: Final = "https://polyclinic.example/fhir/OperationDefinition/diff"

_KNOWN: Final = frozenset({"from", "to", "_type", "patient", "_count", "_after"})
_GENERAL: Final = frozenset({"_format", "_pretty"})
_encode = msgspec.json.Encoder().encode


async def diff(store: Store, request: Request) -> Answer:
    """Answer with a page of differences, as Parameters."""
    given = _given(request)
    span = _span(store, request.path[:-1], given)
    count = max(1, page_size(given.get("_count")))
    page = await store.lookback.differences.page(
        request.principal, span, count, given.get("_after")
    )
    parameters = [_parameter(one) for one in page.entries]
    headers = [(b"cache-control", b"private, no-store")]
    if page.next:
        address = _next(request, given, span, page)
        parameters.append({"name": "next", "valueUri": address})
        headers.append((b"link", f'<{address}>; rel="next"'.encode()))
    answer: dict[str, Any] = {"resourceType": "Parameters"}
    if parameters:
        answer["parameter"] = parameters
    return Answer(200, _encode(answer), headers)


def _given(request: Request) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in request.parameters():
        if name not in _KNOWN | _GENERAL:
            message = f"$diff takes {', '.join(sorted(_KNOWN))}; not {name[:32]}."
            raise BadRequest(message)
        if name in given:
            message = f"{name} can be given once."
            raise BadRequest(message)
        given[name] = value
    return given


def _span(store: Store, place: tuple[str, ...], given: dict[str, str]) -> Span:
    if "from" not in given:
        message = "$diff needs from, a moment such as 2024-05-17T14:30:00Z."
        raise BadRequest(message)
    start, end = moment("from", given["from"]), store.now()
    if "to" in given:
        end = min(moment("to", given["to"]), end)
    patient = given.get("patient")
    if patient is not None and not is_id(patient):
        message = "patient must be the id of a Patient."
        raise BadRequest(message)
    types = place[:1] or _types(given.get("_type", ""))
    if place and "_type" in given:
        message = "_type is for $diff of the whole system."
        raise BadRequest(message)
    return Span(start, end, types, place[1] if len(place) > 1 else None, patient)


def _types(text: str) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(filter(None, text.split(","))))
    for name in named:
        if name not in RESOURCE_TYPES:
            message = f"_type: {name[:64]} is not a resource type of R4."
            raise BadRequest(message)
    return named


def _next(request: Request, given: dict[str, str], span: Span, page: DifferencePage) -> str:
    """Return the address of the next page; its moments are those of this one."""
    kept = {name: value for name, value in given.items() if name not in {"to", "_after"}}
    end = span.end.astimezone(UTC).isoformat().replace("+00:00", "Z")
    query = urlencode({**kept, "to": end, "_after": page.next or ""})
    return f"{request.base}/{'/'.join(request.path)}?{query}"


def _parameter(one: Difference) -> dict[str, Any]:
    name, identity = one.place
    parts: list[dict[str, Any]] = [
        {"name": "kind", "valueCode": one.kind},
        {"name": "reference", "valueReference": {"reference": f"{name}/{identity}"}},
    ]
    parts += _version("before", one.before) + _version("after", one.after)
    if one.before and one.after and not (one.before.fault or one.after.fault):
        patch = difference(one.before.body, one.after.body).decode()
        parts.append({"name": "patch", "valueString": patch})
    return {"name": "difference", "part": parts}


def _version(name: str, stored: Stored | None) -> list[dict[str, Any]]:
    if stored is None:
        return []
    address = f"{stored.type}/{stored.id}/_history/{stored.version}"
    return [{"name": name, "valueUri": address}]
