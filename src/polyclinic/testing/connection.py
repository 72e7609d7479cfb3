"""One keep-alive HTTP/1.1 connection, for tests and measurements that count every answer.

It sends one request at a time and knows exactly what became of it: an answer that was read to its
end, or ``ConnectionError``. Nothing is retried, because a retry would hide what a test looks for.
https://www.rfc-editor.org/rfc/rfc9112
"""

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from typing_extensions import override

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"
_STATUS: Final = slice(9, 12)
"""Where the status code stands in ``HTTP/1.1 200 OK``."""


class Response(NamedTuple):
    """One answer, read to its end."""

    status: int
    head: bytes
    """The status line and the header lines."""
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header's value."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return None


class HttpConnection(asyncio.Protocol):
    """A connection that answers requests in turn, one at a time."""

    def __init__(self, fields: bytes) -> None:
        self._fields = fields
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Response] | None = None
        self._received = bytearray()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods and not the base class.
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        waiting = self._waiting
        if waiting is None or waiting.done():
            return
        response = _parsed(self._received)
        if response is not None:
            self._received.clear()
            waiting.set_result(response)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError("closed before the answer was complete"))

    async def request(self, method: str, path: str, body: bytes = b"") -> Response:
        """Send a request and return its answer.

        Raise ``ConnectionError`` when the connection ends before the answer is complete: then
        nobody knows whether the request was carried out.
        """
        if self._transport is None:
            message = "the connection is closed"
            raise ConnectionError(message)
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(
            b"%b %b HTTP/1.1\r\n%bcontent-length: %d\r\n\r\n%b"
            % (method.encode(), path.encode(), self._fields, len(body), body)
        )
        return await self._waiting

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


async def connect(host: str, port: int, headers: Mapping[str, str]) -> HttpConnection:
    """Open a connection that sends the same headers with every request.

    Raise ``OSError`` when nobody listens there.
    """
    lines = {"host": f"{host}:{port}", "content-type": "application/fhir+json", **headers}
    fields = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode("latin-1")
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: HttpConnection(fields), host, port)
    return connection


def _parsed(received: bytearray) -> Response | None:
    """Return the answer once it is complete; the server always says how long its body is."""
    end = received.find(_HEAD_END)
    if end < 0:
        return None
    head = bytes(received[:end])
    at = head.lower().find(_LENGTH)
    length = int(head[at + len(_LENGTH) :].partition(b"\r")[0]) if at >= 0 else 0
    start = end + len(_HEAD_END)
    if len(received) < start + length:
        return None
    return Response(int(head[_STATUS]), head, bytes(received[start : start + length]))
