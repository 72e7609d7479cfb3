"""A request and an answer on raw ASGI: the hot path has no framework.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
import gzip
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from typing_extensions import override

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import BadRequest, PayloadTooLarge, TooSlow, UnsupportedMedia
from polyclinic.kernel.store import Claim, Written

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

FHIR_JSON: Final = b"application/fhir+json; charset=utf-8"
_PATIENCE_SECONDS: Final = 120.0
"""Enough for the largest body on a slow line; whoever sends a byte now and then holds a place."""
_LENGTH_DIGITS: Final = 18
_WORTH_COMPRESSING: Final = 1400
"""Below one network packet a smaller body is no faster."""
_GZIP_LEVEL: Final = 1
"""Level 6 costs three times the CPU for a tenth less."""


@dataclass(slots=True)
class Request:
    """One HTTP request, its headers by lower-case name."""

    method: str
    path: tuple[str, ...]
    """The path below the base, split at its slashes and percent-decoded."""
    query: str
    headers: dict[bytes, bytes]
    receive: Receive
    base: str
    """The absolute address of the FHIR base, without a slash at its end."""
    principal: Principal
    largest: int
    """Bytes that the body may have."""
    most_deleted: int = 1
    """How many resources a conditional delete may remove."""
    patience: float = _PATIENCE_SECONDS
    """Seconds within which the body has to arrive."""
    retry: "Retry | None" = None
    """Set where the answer is kept for a retry; writes keep it with what they write."""

    def header(self, name: bytes) -> str | None:
        """Return a header's value."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def parameters(self) -> list[tuple[str, str]]:
        """Return the query's parameters in order.

        Raise ``BadRequest`` when it is not UTF-8 or has over 1,000 of them.
        """
        return pairs(self.query)

    async def body(self) -> bytes:
        """Return the whole body, decompressed.

        Raise ``PayloadTooLarge`` as soon as it exceeds the limit, before it is all read, and
        ``TooSlow``.
        """
        declared = self.headers.get(b"content-length", b"")
        # Python refuses to read numbers of over 4,300 digits.
        if declared.isdigit() and int(declared[:_LENGTH_DIGITS]) > self.largest:
            raise PayloadTooLarge(_too_large(self.largest))
        data = await self._received()
        encoding = self.headers.get(b"content-encoding", b"identity").strip().lower()
        if encoding in (b"identity", b""):
            return data
        if encoding == b"gzip":
            return _decompressed(data, self.largest)
        message = "The body's Content-Encoding is not known; send gzip or none."
        raise UnsupportedMedia(message)

    async def _received(self) -> bytes:
        message = await self.receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            body: bytes = message.get("body", b"")
            if len(body) > self.largest:
                raise PayloadTooLarge(_too_large(self.largest))
            return body
        try:
            async with asyncio.timeout(self.patience):
                return await self._rest(message)
        except TimeoutError:
            raise TooSlow from None

    async def _rest(self, message: MutableMapping[str, Any]) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            if message["type"] == "http.disconnect":
                gone = "The connection closed before the body was complete."
                raise BadRequest(gone)
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self.largest:
                raise PayloadTooLarge(_too_large(self.largest))
            chunks.append(chunk)
            if not message.get("more_body"):
                return b"".join(chunks)
            message = await self.receive()


@dataclass(frozen=True, slots=True)
class Retry:
    """What a request that may be sent again holds."""

    claim: Claim
    rights: bytes
    """What its account may do; with other rights, it does not get the answer again."""


@dataclass(slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: list[Header] = field(default_factory=list)
    content_type: bytes = FHIR_JSON
    written: Written | None = None
    """What was found or written, where the answer is to a write."""

    async def send(self, send: Send, *, accepts_gzip: bool = False, head: bool = False) -> None:
        """Send the answer, compressed where that pays."""
        body = self.body
        headers = self.headers
        if body:
            headers.append((b"content-type", self.content_type))
            if len(body) > _WORTH_COMPRESSING:
                headers.append((b"vary", b"Accept-Encoding, Authorization, Cookie"))
                if accepts_gzip:
                    body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
                    headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else body})


Renew = Callable[[], Awaitable[Principal]]
"""Finds out again who asks, without prolonging their session; raises as at the start."""


@dataclass(slots=True, kw_only=True)
class Streamed(Answer):
    """An answer whose body is made in parts while it is sent; ``Streams`` sends it."""

    parts: Callable[[Renew], AsyncGenerator[bytes, None]]
    owner: tuple[int, int]
    """The tenant and the account that it is for."""
    endless: bool = False
    """It has no end of its own, and may be ended at any part."""

    @override
    async def send(self, send: Send, *, accepts_gzip: bool = False, head: bool = True) -> None:
        """Send what stands before the body; how long that would be is not known."""
        del accepts_gzip, head
        headers = [*self.headers, (b"content-type", self.content_type)]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def with_body(request: Request, body: bytes) -> Request:
    """Return a request whose body has been read and decompressed already."""

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    left_out = (b"content-encoding", b"content-length")
    headers = {name: value for name, value in request.headers.items() if name not in left_out}
    return replace(request, receive=receive, headers=headers)


def pairs(query: str) -> list[tuple[str, str]]:
    """Return the parameters of a query string or a form, in order.

    Raise ``BadRequest`` when it is not UTF-8 or has over 1,000 of them.
    """
    if not query:
        return []
    try:
        return parse_qsl(
            query, keep_blank_values=True, max_num_fields=1000, errors="strict", separator="&"
        )
    except ValueError:
        message = "The query is not UTF-8, or has over 1,000 parameters."
        raise BadRequest(message) from None


def split_path(raw: str) -> tuple[str, ...]:
    """Return a path's segments, percent-decoded after the split."""
    stripped = raw.strip("/")
    if not stripped:
        return ()
    if "%" in stripped:
        return tuple(unquote(segment) for segment in stripped.split("/"))
    return tuple(stripped.split("/"))


def _too_large(largest: int) -> str:
    return f"The body is larger than the {largest} bytes that this server takes at once."


def _decompressed(data: bytes, largest: int) -> bytes:
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        body = inflater.decompress(data, largest + 1)
    except zlib.error:
        message = "The body says that it is gzip and is not."
        raise BadRequest(message) from None
    if len(body) > largest:
        raise PayloadTooLarge(_too_large(largest))
    if not inflater.eof or inflater.unused_data:
        message = "The gzip body is cut off, or something follows it."
        raise BadRequest(message)
    return body
