"""The FHIR base as a raw ASGI application.

Order of work: is there room, who asks, what is asked. Nothing is read from a body before the
first two are answered.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec

from polyclinic.base.lanes import LANE
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import BadRequest, FhirError
from polyclinic.kernel.rest import idempotency
from polyclinic.kernel.rest.admission import Admission
from polyclinic.kernel.rest.capabilities import capability_statement
from polyclinic.kernel.rest.deadlines import ChangeTookTooLong, Deadlines, TookTooLong, paused
from polyclinic.kernel.rest.interactions.table import dispatch
from polyclinic.kernel.rest.message import (
    Answer,
    Receive,
    Request,
    Scope,
    Send,
    Streamed,
    split_path,
)
from polyclinic.kernel.rest.outcome import failure, refusal
from polyclinic.kernel.rest.rehearse import is_preferred
from polyclinic.kernel.rest.streams import Client, Streams
from polyclinic.kernel.search.custom.parameters import NONE, CustomParameters
from polyclinic.kernel.store import Rates, Store
from polyclinic.kernel.store.audit import REQUEST, name_request

Authenticate = Callable[[dict[bytes, bytes], str], Awaitable[Principal]]
"""From headers and method to a principal; raises ``Unauthenticated``."""

ORIGIN: Final = "polyclinic.origin"
"""In a scope: scheme and host of the tenant's addresses, where its own host picked it."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST_QUERY: Final = 16 * 1024
_BACKGROUND: Final = {b"x-polyclinic-background": b"1"}
"""Says that a machine asks: nobody sits before the screen, and the session may end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may take."""

    body: int
    in_flight: int
    streams: Streams = field(default_factory=Streams)
    deadlines: Deadlines = field(default_factory=Deadlines)
    rates: Rates | None = None
    """Counts the requests of each account, where they are limited."""
    most_deleted: int = 1
    """How many resources one conditional delete may remove."""


class FhirApplication:
    """Answer the requests below the FHIR base of one tenant.

    Tenants share ``admission``; whose places it divides, the lane says.
    """

    def __init__(
        self,
        store: Store,
        authenticate: Authenticate,
        limits: Limits,
        public_url: str | None,
        admission: Admission | None = None,
    ) -> None:
        self._store = store
        self._authenticate = authenticate
        self._limits = limits
        self._public_url = public_url
        self._admission = admission or Admission(limits.in_flight)
        self.defined: Callable[[], Awaitable[CustomParameters]] | None = None
        """Tells the search parameters that the tenant defined, for its CapabilityStatement."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            answer = await self._admitted(scope, receive, headers)
        except FhirError as error:
            answer = refusal(error)
        except Exception as error:  # noqa: BLE001 - a client is told, and the log knows where
            answer = failure(error, scope["method"])
        accepts_gzip = b"gzip" in headers.get(b"accept-encoding", b"")
        head = scope["method"] == "HEAD"
        if isinstance(answer, Streamed) and not head:
            renew = partial(self._authenticate, headers | _BACKGROUND, scope["method"])
            client = Client(receive, send, renew, accepts_gzip)
            await self._limits.streams.send(answer, client)
            return
        await answer.send(send, accepts_gzip=accepts_gzip, head=head)

    async def _admitted(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes]
    ) -> Answer:
        lane = LANE.get()
        self._admission.enter(lane)
        named = name_request(headers.get(b"x-request-id"))
        deadline = self._limits.deadlines.begin()
        try:
            return await self._answer(scope, paused(receive, deadline), headers)
        except asyncio.CancelledError:
            if not deadline.has_struck:
                raise
            is_safe = scope["method"] in _SAFE
            raise (TookTooLong() if is_safe else ChangeTookTooLong()) from None
        finally:
            self._limits.deadlines.end(deadline)
            self._admission.leave(lane)
            if named is not None:
                REQUEST.reset(named)

    async def _answer(self, scope: Scope, receive: Receive, headers: dict[bytes, bytes]) -> Answer:
        path = split_path(_below_base(scope))
        base = self._base(scope, headers)
        if path == ("metadata",) and scope["method"] in ("GET", "HEAD"):
            custom = NONE if self.defined is None else await self.defined()
            return Answer(200, capability_statement(base, self._limits.most_deleted, custom))
        principal = await self._authenticate(headers, scope["method"])
        if self._limits.rates is not None:
            self._limits.rates.count(principal)
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
            most_deleted=self._limits.most_deleted,
        )
        is_kept = request.method == "POST" and idempotency.HEADER in headers
        if is_kept and not is_preferred(request):
            answer = await idempotency.once(self._store, request, dispatch)
        else:
            answer = await dispatch(self._store, request)
        if b"_pretty=true" in query and answer.body:
            answer.body = msgspec.json.format(answer.body, indent=2)
        return answer

    def _base(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        origin = scope.get(ORIGIN) or self._public_url
        if not origin:
            host = headers.get(b"host", b"localhost").decode("latin-1")
            origin = f"{scope['scheme']}://{host}"
        return f"{origin}{scope.get('root_path', '')}/fhir"


def _below_base(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.split(b"?", 1)[0].decode("latin-1")
    return path.removeprefix(scope.get("root_path", "")).removeprefix("/fhir")
