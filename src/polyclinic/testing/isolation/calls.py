"""One HTTP request as its sender writes it, put to an ASGI application byte for byte."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from typing_extensions import override

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Application = Callable[
    [Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]
"""An ASGI application. https://asgi.readthedocs.io/en/latest/specs/www.html"""

HOST: Final = "clinic.test"
FHIR_JSON: Final = "application/fhir+json"
JSON_PATCH: Final = "application/json-patch+json"
_STREAM_SECONDS: Final = 2.0
"""How long a stream without an end is listened to."""
FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Call:
    """A request; ``target`` is the path with its query, percent-encoded by whoever made it."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case."""
    body: bytes = b""

    def with_header(self, name: str, value: str) -> "Call":
        """Return the same request with one more header."""
        return replace(self, headers=(*self.headers, (name, value)))

    def to(self, target: str) -> "Call":
        """Return the same request to another address."""
        return replace(self, target=target)

    @override
    def __str__(self) -> str:
        lines = [f"{self.method} {self.target}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\n".join(lines) + (f"\n\n{self.body.decode()}" if self.body else "")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read to its end; headers in the order in which they came."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


async def send(application: Application, call: Call) -> Reply:
    """Put a request to an application and return its answer."""
    sent: list[Message] = []
    asked, ended = False, asyncio.Event()

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": call.body, "more_body": False}
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _STREAM_SECONDS)
        return {"type": "http.disconnect"}

    async def keep(message: Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            ended.set()

    await application(_scope(call), receive, keep)
    start, *parts = sent
    return Reply(
        start["status"],
        tuple((bytes(name), bytes(value)) for name, value in start["headers"]),
        b"".join(part.get("body", b"") for part in parts),
    )


def _scope(call: Call) -> Scope:
    path, _, query = call.target.partition("?")
    headers = [(b"host", HOST.encode())]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in call.headers]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": (HOST, 80),
    }
