"""Answers that are made while they are sent: how many there are, and how they end.

A part is made when the one before it has left, so that a stream holds one part in memory. Whoever
takes too long to read one is cut off; a client goes on from the last cursor it has.
"""

import asyncio
import zlib
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import suppress
from enum import Enum, auto
from typing import Final, NamedTuple

from polyclinic.base import log
from polyclinic.base.lanes import LANE
from polyclinic.kernel.errors import FhirError, Unavailable
from polyclinic.kernel.rest.admission import Admission
from polyclinic.kernel.rest.message import Receive, Renew, Send, Streamed
from polyclinic.kernel.rest.outcome import refusal

_STREAMS: Final = 256
_OF_ONE_ACCOUNT: Final = 16
_PATIENCE_SECONDS: Final = 30.0
_GZIP_LEVEL: Final = 1
_GZIP_BITS: Final = zlib.MAX_WBITS | 16


class Client(NamedTuple):
    """Who reads an answer."""

    receive: Receive
    send: Send
    renew: Renew
    accepts_gzip: bool


class _End(Enum):
    """Why no further part is sent."""

    WHOLE = auto()
    GONE = auto()
    SLOW = auto()
    FAILED = auto()


class Streams:
    """The answers of a process that are being streamed."""

    def __init__(
        self,
        most: int = _STREAMS,
        of_one_account: int = _OF_ONE_ACCOUNT,
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        """``patience``: seconds within which a client has to have taken each part."""
        self._places = Admission(most)
        self._of_one_account = of_one_account
        self._patience = patience
        self._held: Counter[tuple[int, int]] = Counter()
        self._stopped = asyncio.Event()

    @property
    def running(self) -> int:
        """Return how many there are."""
        return self._held.total()

    def stop(self) -> None:
        """End what has no end of its own, and begin nothing new: the server stops."""
        self._stopped.set()

    async def send(self, answer: Streamed, client: Client) -> None:
        """Send an answer, or refuse it with 503 where there are too many already."""
        lane = LANE.get()
        try:
            self._enter(answer.owner, lane)
        except Unavailable as error:
            await refusal(error).send(client.send)
            return
        try:
            await self._stream(answer, client)
        finally:
            self._places.leave(lane)
            self._held[answer.owner] -= 1
            self._held += Counter()  # forgets whoever has none

    def _enter(self, owner: tuple[int, int], lane: int | None) -> None:
        if self._stopped.is_set():
            raise Unavailable
        if self._held[owner] >= self._of_one_account:
            message = "You follow too many streams already; end one first."
            raise Unavailable(message)
        self._places.enter(lane)
        self._held[owner] += 1

    async def _stream(self, answer: Streamed, client: Client) -> None:
        packed = client.accepts_gzip and not answer.endless
        headers = [*answer.headers, (b"content-type", answer.content_type)]
        if packed:
            headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
        start = {"type": "http.response.start", "status": answer.status, "headers": headers}
        await client.send(start)
        parts = answer.parts(client.renew)
        if packed:
            parts = _gzipped(parts)
        over = asyncio.create_task(self._over(client, endless=answer.endless))
        try:
            end = await self._pump(parts, over, client.send)
        finally:
            over.cancel()
            with suppress(asyncio.CancelledError):
                await over
            await parts.aclose()
        if end is _End.WHOLE or (end is _End.GONE and self._stopped.is_set()):
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    await client.send({"type": "http.response.body", "body": b""})
        elif end is not _End.GONE:
            # What is not completed is cut off by the server, and the client sees that.
            log.event("stream.cut", reason=end.name.lower())

    async def _pump(
        self, parts: AsyncGenerator[bytes, None], over: "asyncio.Task[None]", send: Send
    ) -> _End:
        while True:
            making = asyncio.create_task(_next(parts))
            try:
                await asyncio.wait({making, over}, return_when=asyncio.FIRST_COMPLETED)
                if not making.done():
                    return _End.GONE
                part = making.result()
                if part is None:
                    return _End.WHOLE
                async with asyncio.timeout(self._patience):
                    await _sent(part, send)
            except TimeoutError:
                return _End.SLOW
            except FhirError:
                return _End.FAILED
            except Exception as error:  # noqa: BLE001 - the client sees an end, the log knows where
                log.failure("stream.failed", error)
                return _End.FAILED
            finally:
                making.cancel()
                await asyncio.gather(making, return_exceptions=True)

    async def _over(self, client: Client, *, endless: bool) -> None:
        """Return when the client is gone, or the server stops and the stream may end."""
        gone = asyncio.create_task(_disconnected(client))
        waited: set[asyncio.Task[object]] = {gone}
        if endless:
            waited.add(asyncio.create_task(self._stopped.wait()))
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waited:
                task.cancel()
            await asyncio.gather(*waited, return_exceptions=True)


async def _sent(part: bytes, send: Send) -> None:
    """Return when a part has left, but for what the connection buffers of any answer."""
    await send({"type": "http.response.body", "body": part, "more_body": True})
    # The server writes at the end of the turn, and waits before a message, not after it.
    await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b"", "more_body": True})


async def _next(parts: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(parts, None)


async def _disconnected(client: Client) -> None:
    while (await client.receive())["type"] != "http.disconnect":
        pass


async def _gzipped(parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Compress parts, each so that the client can read it at once."""
    packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_BITS)
    try:
        async for part in parts:
            yield packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH)
        yield packer.flush()
    finally:
        await parts.aclose()
