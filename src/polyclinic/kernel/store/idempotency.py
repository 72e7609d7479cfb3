"""The first answer to a request that may be sent again, kept with the writes that it answers for.

A key is claimed before anything is done, by inserting its row. Whoever claimed it writes the
answer into the row in the same transaction as the resources, on the condition that the claim is
still its own. So a process that dies leaves either both or nothing, a retry that takes an abandoned
claim over cannot write twice, and a claimer that was only slow finds its claim gone and is rolled
back.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, TypeAlias

from polyclinic.base import log
from polyclinic.base.clock import Clock
from polyclinic.base.crypto import CannotOpen
from polyclinic.base.db.connect import Connection
from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import FhirError, Unavailable
from polyclinic.kernel.store.audit import About, Auditor, Note
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.prepared import Change
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.stored import Stored, Written
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import type_number

_LEASE: Final = timedelta(seconds=15)
"""How long a claim outlives its claimer; it is renewed three times in that span."""
_HASH_BYTES: Final = 32

Place: TypeAlias = tuple[int, int, bytes]
"""Tenant, account, hash of the key."""
Render: TypeAlias = Callable[[Sequence[Written]], tuple[int, bytes]]
"""From what was written to the status and the bytes of the answer."""


class KeyReused(FhirError):
    """This Idempotency-Key came with another request before; use a new key for a new request."""

    status = 422
    code = "business-rule"


class StillRunning(FhirError):
    """A request with this Idempotency-Key is still being worked on; try again soon."""

    status = 409
    code = "conflict"
    retry_after = 1


class ClaimLost(Unavailable):
    """Another took this request over, because it took too long; ask for its answer again."""


@dataclass(frozen=True, slots=True)
class Retriable:
    """Who asks, with which key, for what."""

    tenant: Tenant
    account: int
    key: bytes
    request: bytes
    """What makes the request the one that it is: method, address, headers, body."""

    @property
    def hashed_key(self) -> bytes:
        """Return the key as the table has it."""
        return _keyed(self.tenant, b"idempotency key", self.key)

    @property
    def digest(self) -> bytes:
        """Return the digest by which a retry is told from another request."""
        return _keyed(self.tenant, b"idempotent req", self.request)


class Claim:
    """A key that is being worked for."""

    def __init__(self, claims: "Claims", asked: Retriable, hashed: bytes, attempt: int) -> None:
        self._claims = claims
        self._asked = asked
        self._hashed = hashed
        self._attempt = attempt
        self.is_answered = False
        """The answer is kept, with what it answers for."""
        self.is_passing = False
        """A part of it may be answered otherwise a moment later, so that it is not kept."""

    @property
    def place(self) -> Place:
        """Return where its row stands."""
        return self._asked.tenant.number, self._asked.account, self._hashed

    def keeper(self, render: Render) -> "AnswerKeeper":
        """Return what keeps the answer in the transaction of the writes that it answers for."""
        return AnswerKeeper(self, render)

    async def part(self, number: int) -> "Claim | bytes":
        """Claim a part of the request, or return its answer when it was done already."""
        hashed = blake2b(self._hashed + b"%d" % number, digest_size=_HASH_BYTES).digest()
        found = await self._claims.take(self._asked, hashed, is_part=True)
        assert found is not None
        return found

    async def keep(self, connection: Connection, status: int, answer: bytes) -> None:
        """Keep the answer. Raise ``ClaimLost`` when the claim is another's by now."""
        sealed = self._asked.tenant.sealer.seal(answer, _context(self.place))
        kept = await connection.fetchval(
            STATEMENTS["idempotency_answer"], *self.place, self._attempt, status, sealed
        )
        if kept is None:
            raise ClaimLost
        self.is_answered = True

    async def keep_alone(self, status: int, answer: bytes) -> None:
        """Keep the answer to a request that wrote nothing. Raise ``ClaimLost``."""
        connections = self._claims.connections.within(self._asked.tenant.number)
        with translated():
            async with connections.acquire() as connection:
                await self.keep(connection, status, answer)

    async def release(self) -> None:
        """Let the next retry be a first try: nothing was written, and the answer may be another."""
        await self._claims.run("idempotency_release", *self.place, self._attempt)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Renew the claim for the length of the block."""
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_LEASE.total_seconds() / 3)
            try:
                until = self._claims.clock.now() + _LEASE
                await self._claims.run("idempotency_renew", *self.place, self._attempt, until)
            except Unavailable as error:  # one renewal may fail, the next may not
                log.failure("idempotency.renew", error)


class AnswerKeeper:
    """Keeps the answer of a claim where the writes are; see ``prepared.Keeper``."""

    def __init__(self, claim: Claim, render: Render) -> None:
        self._claim = claim
        self._render = render

    async def keep(
        self,
        connection: Connection,
        changes: Sequence[Change],
        written: Sequence[Written | None],
    ) -> list[Written]:
        """Keep the answer; return what was written, with the versions of what stayed as it was."""
        tenant = self._claim.place[0]
        whole = await _completed(connection, tenant, changes, written)
        await self._claim.keep(connection, *self._render(whole))
        return whole


class Claims:
    """Claim keys."""

    def __init__(
        self,
        connections: Connections,
        clock: Clock,
        tenant_of: Callable[[Principal], Tenant],
        auditor: Auditor,
    ) -> None:
        self.connections = connections
        self.clock = clock
        self._tenant_of = tenant_of
        self._auditor = auditor
        self.lifetime = timedelta(hours=24)
        """How long an answer is kept."""

    async def claim(self, principal: Principal, key: bytes, request: bytes) -> Claim | bytes | None:
        """Claim a key for a request, or return the answer that it got before.

        None while another works for it. Raise ``KeyReused`` when it was another request's.
        """
        asked = Retriable(self._tenant_of(principal), principal.account, key, request)
        return await self.take(asked, asked.hashed_key, is_part=False)

    async def take(self, asked: Retriable, hashed: bytes, *, is_part: bool) -> Claim | bytes | None:
        """Claim a key by its hash; a part's is taken from whoever left it."""
        place, digest = (asked.tenant.number, asked.account, hashed), asked.digest
        now = self.clock.now()
        times = now, now + _LEASE, now + self.lifetime
        attempt = await self.run("idempotency_claim", *place, digest, *times, is_part)
        if attempt is not None:
            return Claim(self, asked, hashed, attempt)
        with translated():
            row = await self.connections.within(asked.tenant.number).fetchrow(
                STATEMENTS["idempotency_row"], *place
            )
        if row is None:
            return None
        if row["request_digest"] != digest:
            raise KeyReused
        if row["status"] is None:
            return None
        try:
            return asked.tenant.sealer.open(row["answer"], _context(place))
        except CannotOpen as error:
            log.failure("idempotency.sealed_elsewhere", error)
            raise Unavailable from error

    async def note_replay(self, principal: Principal) -> None:
        """Write the audit row of an answer that was given before and is given again."""
        about, action = About(0), Action.READ.value
        await self._auditor.write(Note(principal.tenant, principal.account, action, 0, about))

    async def sweep(self, tenant: int) -> None:
        """Remove a tenant's expired answers."""
        await self.run("idempotency_sweep", tenant, self.clock.now())

    async def forget(self, tenant: int) -> None:
        """Remove every answer of a tenant, because something in one of them has to be erased."""
        await self.run("idempotency_forget", tenant)

    async def run(self, statement: str, tenant: int, *arguments: object) -> int | None:
        """Run one of the statements; return the attempt that it tells of."""
        with translated():
            found: int | None = await self.connections.within(tenant).fetchval(
                STATEMENTS[statement], tenant, *arguments
            )
        return found


async def _completed(
    connection: Connection,
    tenant: int,
    changes: Sequence[Change],
    written: Sequence[Written | None],
) -> list[Written]:
    """Return what was written, and for what was not changed what is there."""
    same = [change for change, one in zip(changes, written, strict=True) if one is None]
    found = []
    if same:
        found = await connection.fetch(
            STATEMENTS["unchanged"],
            tenant,
            [type_number(change.type) for change in same],
            [change.id for change in same],
        )
    there = {same[ordinal - 1].place: (version, at) for ordinal, version, at in found}
    return [
        one or Written(_unchanged(change, *there[change.place]), created=False)
        for change, one in zip(changes, written, strict=True)
    ]


def _unchanged(change: Change, version: int, at: datetime) -> Stored:
    assert change.resource is not None
    return Stored(change.type, change.id, version, at, deleted=False, body=change.resource.body)


def _context(place: Place) -> bytes:
    tenant, account, hashed = place
    return b"idempotent answer|%d|%d|" % (tenant, account) + hashed


def _keyed(tenant: Tenant, person: bytes, data: bytes) -> bytes:
    return blake2b(data, digest_size=_HASH_BYTES, key=tenant.index_key, person=person[:16]).digest()
