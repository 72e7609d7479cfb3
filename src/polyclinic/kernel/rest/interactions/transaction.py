"""FHIR batch and transaction interactions.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import msgspec

from polyclinic.kernel.errors import BadRequest, FhirError, InvalidResource, Issue
from polyclinic.kernel.rest import idempotency
from polyclinic.kernel.rest.entries import Entry, EntryRequest, read_bundle, renamed
from polyclinic.kernel.rest.message import Answer, Request, Streamed, split_path
from polyclinic.kernel.rest.outcome import outcome
from polyclinic.kernel.rest.preferences import check_content_type, etag_version, wanted_return
from polyclinic.kernel.store import Change, Store, Written, instant
from polyclinic.kernel.types import RESOURCE_TYPES, parse

_encode = msgspec.json.Encoder().encode

_NO_STREAM: Final = "This is answered as a stream, which cannot stand in a batch; ask for it alone."
Run = Callable[[Store, Request], Awaitable[Answer]]


@dataclass(slots=True)
class _Planned:
    """What an entry of a transaction will do."""

    type: str
    id: str
    entry: Entry
    request: EntryRequest


async def transaction(store: Store, request: Request, dispatch: Run) -> Answer:
    """Do all that a transaction asks or nothing; or each entry of a batch by itself."""
    check_content_type(request)
    bundle = read_bundle(await request.body())
    if bundle.type == "transaction":
        return await _transaction(store, request, bundle.entry)
    if bundle.type == "batch":
        return await _batch(store, request, bundle.entry, dispatch)
    message = "Only a Bundle of type transaction or batch is taken here."
    raise BadRequest(message, expression="Bundle.type")


async def _transaction(store: Store, request: Request, entries: list[Entry]) -> Answer:
    planned = [_planned(store, entry, at) for at, entry in enumerate(entries)]
    names = {
        one.entry.full_url.encode(): f"{one.type}/{one.id}".encode()
        for one in planned
        if one.entry.full_url and one.request.method in ("POST", "PUT")
    }
    changes: list[Change] = []
    faults: list[Issue] = []
    for at, one in enumerate(planned):
        try:
            changes.append(_change(one, names))
        except InvalidResource as error:
            faults.extend(_placed(issue, at) for issue in error.issues)
    if faults:
        raise InvalidResource(tuple(faults))
    if changes and (kept := idempotency.keeper(request, partial(_done, request, planned))):
        changes[0] = replace(changes[0], keeper=kept)
    written = await store.write_all(request.principal, changes)
    whole = [
        done or Written(await store.read(request.principal, one.type, one.id), created=False)
        for one, done in zip(planned, written, strict=True)
    ]
    return _done(request, planned, whole)


def _done(request: Request, planned: Sequence[_Planned], written: Sequence[Written]) -> Answer:
    rows = [_row(request, one, done) for one, done in zip(planned, written, strict=True)]
    return _answered(b"transaction-response", rows)


def _planned(store: Store, entry: Entry, at: int) -> _Planned:
    request, where = entry.request, f"Bundle.entry[{at}]"
    if request is None:
        message = "The entry has no request."
        raise BadRequest(message, expression=where)
    if "?" in request.url or request.if_none_exist or request.if_none_match:
        message = "Conditional entries are not supported yet; name the resource by its id."
        raise BadRequest(message, expression=f"{where}.request")
    path = split_path(request.url)
    match request.method, path:
        case "POST", (resource_type,) if bytes(entry.resource):
            identity = store.new_id()
        case "PUT", (resource_type, identity) if bytes(entry.resource):
            pass
        case "DELETE", (resource_type, identity):
            pass
        case _:
            message = "A transaction takes POST Type, PUT Type/id and DELETE Type/id."
            raise BadRequest(message, expression=f"{where}.request")
    if resource_type not in RESOURCE_TYPES:
        message = "The address names no resource type of R4."
        raise BadRequest(message, expression=f"{where}.request.url")
    return _Planned(resource_type, identity, entry, request)


def _change(one: _Planned, names: dict[bytes, bytes]) -> Change:
    expected = etag_version(one.request.if_match) if one.request.if_match else None
    if one.request.method == "DELETE":
        return Change(one.type, one.id, None, expected)
    data = renamed(bytes(one.entry.resource), names)
    if one.request.method == "POST":
        resource = parse(data, resource_type=one.type, resource_id=one.id)
    else:
        resource = parse(data, resource_type=one.type, require_id=one.id)
    return Change(one.type, one.id, resource, expected, must_be_new=one.request.method == "POST")


def _row(request: Request, one: _Planned, done: Written) -> bytes:
    stored = done.stored
    status = "204 No Content" if stored.deleted else "201 Created" if done.created else "200 OK"
    response = {
        "status": status,
        "location": f"{one.type}/{one.id}/_history/{stored.version}",
        "etag": stored.etag,
        "lastModified": instant(stored.last_updated),
    }
    resource = b""
    if wanted_return(request) == "representation" and not stored.deleted:
        resource = b'"resource":%b,' % stored.json()
    return b'{%b"response":%b}' % (resource, _encode(response))


async def _batch(store: Store, request: Request, entries: list[Entry], dispatch: Run) -> Answer:
    rows = []
    for at, entry in enumerate(entries):
        try:
            answer = await idempotency.part(store, _alone(request, entry), at, dispatch)
            if isinstance(answer, Streamed):
                raise BadRequest(_NO_STREAM)
            rows.append(_batch_row(answer.status, answer.body, answer.headers))
        except FhirError as error:
            rows.append(_batch_row(error.http_status, outcome(error.issues), []))
    return _answered(b"batch-response", rows)


def _alone(request: Request, entry: Entry) -> Request:
    """Return an entry of a batch as the request that it stands for."""
    asked = entry.request
    if asked is None:
        message = "The entry has no request."
        raise BadRequest(message)
    address, _, query = asked.url.partition("?")
    headers = {b"content-type": b"application/fhir+json"}
    conditions = {
        b"if-match": asked.if_match,
        b"if-none-match": asked.if_none_match,
        b"if-none-exist": asked.if_none_exist,
        b"if-modified-since": asked.if_modified_since,
    }
    headers |= {name: value.encode() for name, value in conditions.items() if value}
    body = bytes(entry.resource)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    path = split_path(address)
    if not path:
        message = "A batch cannot hold another."
        raise BadRequest(message)
    return replace(
        request, method=asked.method, path=path, query=query, headers=headers, receive=receive
    )


def _batch_row(status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    response = {"status": str(status)}
    for name, value in headers:
        if name in (b"etag", b"location"):
            response[name.decode()] = value.decode()
    if not body:
        return b'{"response":%b}' % _encode(response)
    if status >= 400:  # noqa: PLR2004 - the first status of errors
        inner = _encode(response)[:-1] + b',"outcome":%b}' % body
        return b'{"response":%b}' % inner
    return b'{"resource":%b,"response":%b}' % (body, _encode(response))


def _answered(kind: bytes, rows: list[bytes]) -> Answer:
    joined = b",".join(rows)
    entry = b',"entry":[%b]' % joined if joined else b""
    return Answer(200, b'{"resourceType":"Bundle","type":"%b"%b}' % (kind, entry))


def _placed(issue: Issue, at: int) -> Issue:
    place = f"Bundle.entry[{at}].resource"
    inner = (issue.expression or "").partition(".")[2]
    return Issue(issue.code, issue.diagnostics, f"{place}.{inner}" if inner else place)
