"""Bundles made of bytes: no resource on a page is parsed.

https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from polyclinic.kernel.rest.outcome import outcome
from polyclinic.kernel.store.stored import Stored, instant

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of this page and the next."""

    self: str
    next: str | None


def searchset(
    base: str, entries: Sequence[Stored], links: Links, total: int | None, warnings: bytes | None
) -> bytes:
    """Return a page of a search; warnings are an OperationOutcome that stands at its end.

    What cannot be shown is left out; the caller warns of it.
    """
    parts = [
        b'{"fullUrl":%b,"resource":%b,"search":{"mode":"match"}}'
        % (_encode(f"{base}/{entry.type}/{entry.id}"), entry.json())
        for entry in entries
        if entry.fault is None
    ]
    if warnings:
        parts.append(b'{"resource":%b,"search":{"mode":"outcome"}}' % warnings)
    return _bundle(b"searchset", links, total, parts)


def history(base: str, entries: Sequence[Stored], links: Links) -> bytes:
    """Return a page of a history, newest version first.

    A version that was erased or cannot be opened stands without its resource, and with why.
    """
    return _bundle(b"history", links, None, [_version(base, entry) for entry in entries])


def _version(base: str, entry: Stored) -> bytes:
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
    resource = b"" if bare else b'"resource":%b,' % entry.json()
    return b'{"fullUrl":%b,%b"request":%b,"response":%b}' % (
        _encode(f"{base}/{url}"),
        resource,
        request,
        _encode(response),
    )


def _bundle(kind: bytes, links: Links, total: int | None, entries: Iterable[bytes]) -> bytes:
    rows = [{"relation": "self", "url": links.self}]
    if links.next:
        rows.append({"relation": "next", "url": links.next})
    joined = b",".join(entries)
    return b'{"resourceType":"Bundle","type":"%b"%b,"link":%b%b}' % (
        kind,
        b"" if total is None else b',"total":%d' % total,
        _encode(rows),
        # An empty array is not FHIR.
        b',"entry":[%b]' % joined if joined else b"",
    )
