"""The FHIR base as a raw ASGI application.

Order of work: is there room, who asks, what is asked. Nothing is read from a body before the
first two are answered.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from polyclinic.base import log
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import BadRequest, FhirError, Unavailable
from polyclinic.kernel.rest.capabilities import capability_statement
from polyclinic.kernel.rest.interactions.table import dispatch
from polyclinic.kernel.rest.message import Answer, Receive, Request, Scope, Send, split_path
from polyclinic.kernel.rest.outcome import BROKEN, outcome, refusal
from polyclinic.kernel.rest.preferences import check_accept
from polyclinic.kernel.store import Store

Authenticate = Callable[[dict[bytes, bytes], str], Awaitable[Principal]]
"""From headers and method to a principal; raises ``Unauthenticated``."""

_LONGEST_QUERY: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may take."""

    body: int
    in_flight: int


class FhirApplication:
    """Answer the requests below the FHIR base."""

    def __init__(
        self, store: Store, authenticate: Authenticate, limits: Limits, public_url: str | None
    ) -> None:
        self._store = store
        self._authenticate = authenticate
        self._limits = limits
        self._public_url = public_url
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        self._in_flight += 1
        try:
            answer = await self._answer(scope, receive, headers)
        except FhirError as error:
            answer = refusal(error)
        except Exception as error:  # noqa: BLE001 - a client is told, and the log knows where
            log.failure("request.failed", error, method=scope["method"])
            answer = Answer(500, outcome(BROKEN))
        finally:
            self._in_flight -= 1
        await answer.send(
            send,
            accepts_gzip=b"gzip" in headers.get(b"accept-encoding", b""),
            head=scope["method"] == "HEAD",
        )

    async def _answer(self, scope: Scope, receive: Receive, headers: dict[bytes, bytes]) -> Answer:
        if self._in_flight > self._limits.in_flight:
            raise Unavailable
        path = split_path(_below_base(scope))
        base = self._base(scope, headers)
        if path == ("metadata",) and scope["method"] in ("GET", "HEAD"):
            return Answer(200, capability_statement(base))
        principal = await self._authenticate(headers, scope["method"])
        query = scope["query_string"]
        if len(query) > _LONGEST_QUERY:
            message = "The address is too long; send the search as POST to _search."
            raise BadRequest(message)
        request = Request(
            method="GET" if scope["method"] == "HEAD" else scope["method"],
            path=path,
            query=query.decode("latin-1"),
            headers=headers,
            receive=receive,
            base=base,
            principal=principal,
            largest=self._limits.body,
        )
        check_accept(request)
        answer = await dispatch(self._store, request)
        if b"_pretty=true" in query and answer.body:
            answer.body = msgspec.json.format(answer.body, indent=2)
        return answer

    def _base(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        if self._public_url:
            return f"{self._public_url}/fhir"
        host = headers.get(b"host", b"localhost").decode("latin-1")
        return f"{scope['scheme']}://{host}/fhir"


def _below_base(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.split(b"?", 1)[0].decode("latin-1").removeprefix("/fhir")
