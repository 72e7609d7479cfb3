"""FHIR batch and transaction interactions.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from polyclinic.kernel.errors import BadRequest, FhirError
from polyclinic.kernel.rest import idempotency, report
from polyclinic.kernel.rest.entries import Entry, read_bundle
from polyclinic.kernel.rest.interactions import written
from polyclinic.kernel.rest.message import Answer, Request, Streamed, split_path
from polyclinic.kernel.rest.outcome import refusal
from polyclinic.kernel.rest.plan import Plan
from polyclinic.kernel.rest.preferences import check_content_type, wanted_return
from polyclinic.kernel.rest.responses import bundle_of, row, written_row
from polyclinic.kernel.rest.steps import READS, Step, patch_of, read_steps
from polyclinic.kernel.search.query import Endpoint
from polyclinic.kernel.store import Store

_NO_STREAM: Final = "This is answered as a stream, which cannot stand in a batch; ask for it alone."
_READ: Final = frozenset(
    {"read", "vread", "search-type", "history-instance", "history-type", "history-system"}
)
_FAILURES: Final = 500
_NOTHING: Final = 204


class Router(NamedTuple):
    """How other interactions are reached."""

    code: Callable[[Request], str]
    """Returns the code of the interaction that a request asks for; raises ``NotFound``."""
    dispatch: Callable[[Store, Request], Awaitable[Answer]]


async def transaction(store: Store, request: Request, router: Router) -> Answer:
    """Do all that a transaction asks or nothing; or each entry of a batch by itself."""
    check_content_type(request)
    bundle = read_bundle(await request.body())
    if bundle.type == "transaction":
        return await _transaction(store, request, bundle.entry, router)
    if bundle.type == "batch":
        return await _batch(store, request, bundle.entry, router)
    message = "Only a Bundle of type transaction or batch is taken here."
    raise BadRequest(message, expression="Bundle.type")


async def _transaction(
    store: Store, request: Request, entries: list[Entry], router: Router
) -> Answer:
    try:
        return await _whole(store, request, entries, router)
    except FhirError as error:
        if not store.is_rehearsal or error.http_status >= _FAILURES:
            raise
        return report.refused(error, len(entries))


async def _whole(store: Store, request: Request, entries: list[Entry], router: Router) -> Answer:
    endpoint = Endpoint(request.base, await store.custom_parameters(request.principal))
    steps = read_steps(entries, endpoint)
    reads = {step.at: _alone(request, entries[step.at]) for step in steps if step.is_read}
    _check_reads(request, reads, router)
    plan = Plan(store, request, steps, endpoint)
    plan.render = lambda: bundle_of(b"transaction-response", _rows(request, steps, {}))
    await plan.run()
    if store.is_rehearsal:
        return report.accepted([report.entry(_answer(request, step)) for step in steps])
    answers = {at: await _answered(store, asked, router) for at, asked in reads.items()}
    return bundle_of(b"transaction-response", _rows(request, steps, answers))


def _check_reads(request: Request, reads: dict[int, Request], router: Router) -> None:
    """Raise ``BadRequest`` for an entry that only reads, but not as a transaction can."""
    for at, asked in reads.items():
        place = f"Bundle.entry[{at}].request"
        try:
            code = router.code(asked)
        except FhirError as error:
            raise BadRequest(error.issues[0].diagnostics, expression=place) from None
        if code not in _READ:
            message = "What a transaction reads is a read, a version, a search or a history."
            raise BadRequest(message, expression=place)
        if request.retry is not None:
            # The answer is kept with the writes, before anything can be read that they made.
            message = "A transaction with an Idempotency-Key only writes; read in another request."
            raise BadRequest(message, expression=place)


def _rows(request: Request, steps: Sequence[Step], answers: dict[int, Answer]) -> list[bytes]:
    preferred, rows = wanted_return(request), list[bytes]()
    for step in steps:
        if step.written is not None:
            rows.append(written_row(preferred, step.written))
        else:
            rows.append(row(request, answers.get(step.at) or Answer(_NOTHING)))
    return rows


def _answer(request: Request, step: Step) -> Answer:
    """Return what a step alone would be answered with."""
    if step.is_read:
        return Answer(200)
    if step.method == "DELETE":
        return written.deleted(step.written)
    assert step.written is not None
    return written.answer(request, step.written)


async def _batch(store: Store, request: Request, entries: list[Entry], router: Router) -> Answer:
    answers = []
    for at, entry in enumerate(entries):
        try:
            asked = _alone(request, entry)
            answer = await idempotency.part(store, asked, at, router.dispatch)
            if isinstance(answer, Streamed):
                raise BadRequest(_NO_STREAM)
        except FhirError as error:
            answer = refusal(error)
        answers.append(answer)
    if store.is_rehearsal:
        return report.accepted([report.entry(answer) for answer in answers])
    return bundle_of(b"batch-response", [row(request, answer) for answer in answers])


async def _answered(store: Store, asked: Request, router: Router) -> Answer:
    """Return what an entry that only reads is answered with; nothing is undone when it fails."""
    try:
        return await router.dispatch(store, asked)
    except FhirError as error:
        return refusal(error)


def _alone(request: Request, entry: Entry) -> Request:
    """Return an entry as the request that it stands for."""
    asked = entry.request
    if asked is None:
        message = "The entry has no request."
        raise BadRequest(message)
    address, _, query = asked.url.partition("?")
    body, media = bytes(entry.resource), b"application/fhir+json"
    if asked.method == "PATCH":
        body, kind = patch_of(body)
        media = kind.encode()
    conditions = {
        b"if-match": asked.if_match,
        b"if-none-match": asked.if_none_match,
        b"if-none-exist": asked.if_none_exist,
        b"if-modified-since": asked.if_modified_since,
    }
    given = {name: value for name, value in conditions.items() if value is not None}
    headers = {name: value.encode(errors="replace") for name, value in given.items()}
    headers[b"content-type"] = media
    if b"prefer" in request.headers:
        headers[b"prefer"] = request.headers[b"prefer"]

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    path = split_path(address.removeprefix(f"{request.base}/"))
    if not path:
        message = "A batch cannot hold another."
        raise BadRequest(message)
    method = "GET" if asked.method in READS else asked.method
    return replace(request, method=method, path=path, query=query, headers=headers, receive=receive)
