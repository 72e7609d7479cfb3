"""uvicorn's HTTP protocol with one system call for what it writes in one turn of the event loop.

uvicorn writes the head and the body of an answer apart; the second call costs as much as reading
a resource from a batch.
"""

import asyncio
from typing import Any, Final

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_CLOSING_SECONDS: Final = 10.0
"""Within which a client takes the rest of a connection that is closed."""


class OneWrite(HttpToolsProtocol):
    """Serve one connection."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, with what is written to it gathered."""
        super().connection_made(_Gathering(transport, self.loop))  # type: ignore[arg-type]

    @override
    def shutdown(self) -> None:
        """Begin to end, as the server does; the application lets go of what has no end."""
        ending = getattr(self.app, "ending", None)
        if ending is not None:
            ending()
        super().shutdown()


class _Gathering:
    """A transport that writes at the end of the turn."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Keep the bytes until the turn ends."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        """Close after everything was written."""
        self._flush()
        self._transport.close()
        if self._transport.get_write_buffer_size():
            # Somebody who reads no more would keep the connection, and what is left of it.
            self._loop.call_later(_CLOSING_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self._transport.get_write_buffer_size():
            self._transport.abort()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, []
            self._transport.write(b"".join(held))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
