"""Bundles made of bytes: no resource on a page is parsed, unless only parts of it were asked for.

https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from polyclinic.kernel.errors import FhirError, Issue
from polyclinic.kernel.rest.outcome import outcome
from polyclinic.kernel.rest.subset import subset
from polyclinic.kernel.search.predicate import View
from polyclinic.kernel.store.stored import Page, Stored, instant

_encode = msgspec.json.Encoder().encode
_WHOLE = View()


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of this page, the first and the next."""

    self: str
    next: str | None
    first: str | None = None


class Entry(NamedTuple):
    """A resource on a page of a search."""

    address: str
    """Below the base."""
    resource: bytes
    included: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search as it is answered."""

    entries: tuple[Entry, ...]
    next: str | None
    """The sealed place where the next page starts."""
    total: int | None
    faults: tuple[FhirError, ...] = ()
    """Of what could not be shown."""
    notes: tuple[Issue, ...] = ()
    """What is said of the search besides."""

    @classmethod
    def of(cls, page: Page) -> "Found":
        """Return a page of the store: matches, and behind them what came along."""
        shown = [Entry(*_shown(one)) for one in page.entries if one.fault is None]
        shown += [Entry(*_shown(one), included=True) for one in page.included if one.fault is None]
        faults = [one.fault for one in (*page.entries, *page.included) if one.fault is not None]
        return cls(tuple(shown), page.next, page.total, tuple(faults))


def searchset(base: str, found: Found, links: Links, view: View, last: bytes | None) -> bytes:
    """Return a page of a search, and behind its entries ``last``.

    That is an OperationOutcome about the search. A view's elements are those of matches only.
    """
    along = View(summary=view.summary)
    parts = [
        b'{"fullUrl":%b,"resource":%b,"search":{"mode":"%b"}}'
        % (
            _encode(f"{base}/{one.address}"),
            subset(one.resource, along if one.included else view),
            b"include" if one.included else b"match",
        )
        for one in found.entries
    ]
    if last:
        parts.append(b'{"resource":%b,"search":{"mode":"outcome"}}' % last)
    return _bundle(b"searchset", links, found.total, parts)


def _shown(one: Stored) -> tuple[str, bytes]:
    return f"{one.type}/{one.id}", one.json()


def history(base: str, entries: Iterable[Stored], links: Links, view: View = _WHOLE) -> bytes:
    """Return a page of a history, newest version first.

    A version that was erased or cannot be opened stands without its resource, and with why.
    """
    return _bundle(b"history", links, None, [_version(base, entry, view) for entry in entries])


def _version(base: str, entry: Stored, view: View) -> bytes:
    url = f"{entry.type}/{entry.id}"
    # A first version is told as an update too: its id is known now, and so it can be repeated.
    request = _encode({"method": "DELETE" if entry.deleted else "PUT", "url": url})
    response: dict[str, object] = {
        "status": "204" if entry.deleted else "201" if entry.version == 1 else "200",
        "etag": entry.etag,
        "lastModified": instant(entry.last_updated),
    }
    if entry.fault is not None:
        response["status"] = str(entry.fault.http_status)
        response["outcome"] = msgspec.Raw(outcome(entry.fault.issues))
    bare = entry.deleted or entry.fault is not None
    resource = b"" if bare else b'"resource":%b,' % subset(entry.json(), view)
    return b'{"fullUrl":%b,%b"request":%b,"response":%b}' % (
        _encode(f"{base}/{url}"),
        resource,
        request,
        _encode(response),
    )


def _bundle(kind: bytes, links: Links, total: int | None, entries: Iterable[bytes]) -> bytes:
    joined = b",".join(entries)
    return b'{"resourceType":"Bundle","type":"%b"%b,"link":%b%b}' % (
        kind,
        b"" if total is None else b',"total":%d' % total,
        _encode(list(_relations(links))),
        # An empty array is not FHIR.
        b',"entry":[%b]' % joined if joined else b"",
    )


def _relations(links: Links) -> Iterator[dict[str, str]]:
    yield {"relation": "self", "url": links.self}
    if links.first:
        yield {"relation": "first", "url": links.first}
    if links.next:
        yield {"relation": "next", "url": links.next}
