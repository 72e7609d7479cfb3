"""The operation ``$changes``: the change feed, as NDJSON or as server-sent events.

``GET /fhir/$changes?_since=cursor&_type=Patient,Observation&_count=1000``; the definition is
``kernel/rest/definitions/changes.json``. https://hl7.org/fhir/R4/nd-json.html,
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import BadRequest, FhirError, NotAcceptable, Unavailable
from polyclinic.kernel.rest.message import Answer, Renew, Request, Streamed
from polyclinic.kernel.rest.outcome import outcome
from polyclinic.kernel.rest.preferences import accepted
from polyclinic.kernel.store import Store, instant
from polyclinic.kernel.store.feed import Changed, Chosen, Window
from polyclinic.kernel.store.feed_place import Cursor
from polyclinic.kernel.types import RESOURCE_TYPES

_DEFINITION: Final[dict[str, Any]] = msgspec.json.decode(
    files("polyclinic.kernel.rest").joinpath("definitions/changes.json").read_bytes()
)
DEFINITION: Final[str] = _DEFINITION["url"]
_KNOWN: Final = frozenset(one["name"] for one in _DEFINITION["parameter"] if one["use"] == "in")
_GENERAL: Final = frozenset({"_format", "_pretty"})
_TYPES: Final = frozenset(RESOURCE_TYPES)

_NDJSON: Final = b"application/fhir+ndjson"
_EVENTS: Final = b"text/event-stream"
_LINES: Final = frozenset(
    {
        "application/fhir+ndjson",
        "application/ndjson",
        "application/x-ndjson",
        "*/*",
        "application/*",
    }
)
_COUNT: Final = 1000
_MOST: Final = 10_000
_DIGITS: Final = 9
_EVENTS_AT_ONCE: Final = 1000
_LOOK_SECONDS: Final = 2.0
"""How often a quiet stream asks whether its session still holds."""
_HEARTBEAT_SECONDS: Final = 15.0
"""Proxies close what is silent for longer, the most impatient after 30 s."""
_RETRY: Final = b"retry: 1000\n\n"


@dataclass(frozen=True, slots=True)
class _Asked:
    chosen: Chosen
    since: str | None
    count: int


@dataclass(frozen=True, slots=True)
class _Reading:
    """A feed as one request follows it."""

    store: Store
    asked: _Asked
    owner: tuple[int, int]

    def cursor(self, principal: Principal, cursor: Cursor) -> bytes:
        feed = self.store.following.feed
        return feed.cursor(principal, self.asked.chosen, *cursor).encode()

    async def renewed(self, renew: Renew) -> Principal:
        """Return who asks, still the same. Raise when they may not go on."""
        principal = await renew()
        if (principal.tenant, principal.account) != self.owner:
            raise Unavailable
        return principal


def check_accept(request: Request) -> None:
    """Raise ``NotAcceptable`` when the client takes neither NDJSON nor events."""
    offered = accepted(request)
    if offered and not offered & _LINES and _EVENTS.decode() not in offered:
        message = "Only application/fhir+ndjson and text/event-stream are answered here."
        raise NotAcceptable(message)


async def changes(store: Store, request: Request) -> Answer:
    """Answer with a page of changes, or with all that come until the client leaves."""
    asked = _asked(request)
    principal = request.principal
    reading = _Reading(store, asked, (principal.tenant, principal.account))
    is_events = _EVENTS.decode() in accepted(request)
    since = (request.header(b"last-event-id") if is_events else None) or asked.since
    cursor = await store.following.feed.start(principal, asked.chosen, since)
    if is_events:
        return _stream(reading, cursor)
    return await _page(request, reading, cursor)


async def _page(request: Request, reading: _Reading, cursor: Cursor) -> Answer:
    asked, principal = reading.asked, request.principal
    feed = reading.store.following.feed
    window = await feed.window(principal, asked.chosen, cursor, asked.count)
    first = await feed.batch(principal, asked.chosen, window.start, window)
    text = reading.cursor(principal, Cursor(window.epoch, window.end)).decode()
    kept = [(name, value) for name, value in request.parameters() if name != "_since"]
    following = urlencode([("_since", text), *kept])
    return Streamed(
        200,
        headers=[
            (b"link", f'<{request.base}/$changes?{following}>; rel="next"'.encode()),
            (b"polyclinic-feed", b"end" if window.at_end else b"more"),
            (b"cache-control", b"private, no-store"),
        ],
        content_type=_NDJSON,
        parts=lambda renew: _lines(reading, window, first, renew),
        owner=reading.owner,
    )


async def _lines(
    reading: _Reading, window: Window, rows: Sequence[Changed], renew: Renew
) -> AsyncGenerator[bytes, None]:
    """Yield the lines of a window in batches, the first of which was read already."""
    left, principal = window.lines, None
    while rows:
        principal = principal or await reading.renewed(renew)
        yield b"".join(_line(reading, principal, window.epoch, row) + b"\n" for row in rows)
        left -= len(rows)
        if not left:
            return
        principal = await reading.renewed(renew)
        rows = await reading.store.following.feed.batch(
            principal, reading.asked.chosen, rows[-1].place, window
        )
    if left:
        # The client has been given the cursor behind them: it must not take this for the whole.
        raise Unavailable


def _stream(reading: _Reading, cursor: Cursor) -> Answer:
    return Streamed(
        200,
        headers=[(b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")],
        content_type=_EVENTS,
        parts=lambda renew: _events(reading, cursor, renew),
        owner=reading.owner,
        endless=True,
    )


async def _events(reading: _Reading, cursor: Cursor, renew: Renew) -> AsyncGenerator[bytes, None]:
    """Yield events until the client may not go on, which the last one tells."""
    yield _RETRY
    try:
        async with aclosing(_followed(reading, cursor, renew)) as parts:
            async for part in parts:
                yield part
    except FhirError as error:
        yield b"event: end\ndata: %b\n\n" % outcome(error.issues)


async def _followed(reading: _Reading, cursor: Cursor, renew: Renew) -> AsyncGenerator[bytes, None]:
    """Yield what there is, then wait for more; with a heartbeat, which brings the cursor along."""
    following, chosen = reading.store.following, reading.asked.chosen
    quiet = time.monotonic()
    while True:
        principal = await reading.renewed(renew)
        seen = following.watch.head(principal.tenant)
        window = await following.feed.window(principal, chosen, cursor, _EVENTS_AT_ONCE)
        after, left = window.start, window.lines
        while left:
            rows = await following.feed.batch(principal, chosen, after, window)
            if not rows:
                raise Unavailable
            yield b"".join(_event(reading, principal, window.epoch, row) for row in rows)
            after, left, quiet = rows[-1].place, left - len(rows), time.monotonic()
            principal = await reading.renewed(renew)
        cursor = Cursor(window.epoch, window.end)
        if not window.at_end:
            continue
        if time.monotonic() - quiet > _HEARTBEAT_SECONDS:
            yield b"id: %b\n: alive\n\n" % reading.cursor(principal, cursor)
            quiet = time.monotonic()
        await following.watch.moved(principal.tenant, seen, _LOOK_SECONDS)


def _event(reading: _Reading, principal: Principal, epoch: int, row: Changed) -> bytes:
    cursor = reading.cursor(principal, Cursor(epoch, row.place))
    return b"id: %b\ndata: %b\n\n" % (cursor, _line(reading, principal, epoch, row))


def _line(reading: _Reading, principal: Principal, epoch: int, row: Changed) -> bytes:
    """Write one change; the resource is copied, not parsed."""
    stored = row.stored
    resource = b""
    if stored.fault is not None:
        resource = b',"outcome":%b' % outcome(stored.fault.issues)
    elif reading.asked.chosen.bodies and not stored.deleted:
        resource = b',"resource":%b' % stored.json()
    return (
        b'{"cursor":"%b","type":"%b","id":"%b","versionId":"%d","lastUpdated":"%b","method":"%b"%b}'
        % (
            reading.cursor(principal, Cursor(epoch, row.place)),
            stored.type.encode(),
            stored.id.encode(),
            stored.version,
            instant(stored.last_updated).encode(),
            row.method.encode(),
            resource,
        )
    )


def _asked(request: Request) -> _Asked:
    given: dict[str, list[str]] = {}
    for name, value in request.parameters():
        if name not in _KNOWN | _GENERAL:
            message = f"$changes takes {', '.join(sorted(_KNOWN))}; not {name[:32]}."
            raise BadRequest(message)
        given.setdefault(name, []).append(value)
    types = {name for text in given.get("_type", ()) for name in text.split(",")}
    if unknown := sorted(types - _TYPES):
        message = f"_type: {unknown[0][:64]} is not a resource type of R4."
        raise BadRequest(message)
    elements = _one(given, "_elements")
    if elements not in (None, "none"):
        message = "_elements can be none, or be left out."
        raise BadRequest(message)
    chosen = Chosen(tuple(sorted(types)), bodies=elements is None)
    return _Asked(chosen, _one(given, "_since"), _count(_one(given, "_count")))


def _count(text: str | None) -> int:
    if text is None:
        return _COUNT
    if not (text.isascii() and text.isdigit()) or not text.strip("0"):
        message = f"_count must be a number from 1 to {_MOST}."
        raise BadRequest(message)
    return min(int(text[:_DIGITS]) if len(text) <= _DIGITS else _MOST, _MOST)


def _one(given: dict[str, list[str]], name: str) -> str | None:
    values = given.get(name, [])
    if len(values) > 1:
        message = f"{name} can be given once."
        raise BadRequest(message)
    return values[0] if values else None
