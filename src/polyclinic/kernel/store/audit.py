"""Audit rows: written before an answer leaves, and numbered, so that each has a name of its own."""

from collections.abc import Sequence
from contextlib import suppress
from contextvars import ContextVar, Token
from datetime import timedelta
from enum import IntEnum
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from polyclinic.base.clock import Clock
from polyclinic.kernel.errors import Unavailable
from polyclinic.kernel.store.coalesce import Coalescer
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.row import ragged
from polyclinic.kernel.store.tenancy import Tenant

_BATCH: Final = 64
_MONTHS_AHEAD: Final = 3
_DETAIL: Final = b"audit detail"

REQUEST: Final[ContextVar[UUID | None]] = ContextVar("request", default=None)
"""The X-Request-Id of the request that is answered, when it came with one."""

REHEARSES: Final[ContextVar[bool]] = ContextVar("rehearses", default=False)
"""Whether the request is a dry run, which its rows say."""


class Interaction(IntEnum):
    """What was done, where the action of an audit row does not say it.

    Without one, the row is of a read, create, update or delete, by its action.
    """

    VREAD = 1
    HISTORY_INSTANCE = 2
    HISTORY_TYPE = 3
    HISTORY_SYSTEM = 4
    SEARCH_TYPE = 5
    OPERATION = 6
    TRANSACTION = 7
    REHEARSAL = 8
    """Part of a dry run, of which nothing was stored; what it was, the action says."""
    FAREWELL = 100
    """A process closed the tenant, and says how many rows it has written."""


class Farewell(msgspec.Struct, frozen=True, array_like=True):
    """How many audit rows of a tenant a process has written so far, without its farewells."""

    worker: int
    written: int
    doubtful: int
    """Rows of which it could not learn whether they were written: the connection broke."""


class Counter:
    """Hand out numbers, each for one row of this process; and know how many rows there are.

    Numbers of rows that were certainly not written are handed out again.
    """

    def __init__(self, worker: int) -> None:
        self.worker = worker
        self._next = 1
        self._returned: list[int] = []
        self._written: dict[int, int] = {}
        self._doubtful: dict[int, int] = {}
        self._told: dict[int, Farewell] = {}

    def take(self, count: int) -> list[int]:
        """Return numbers for rows that are about to be written."""
        again, self._returned = self._returned[:count], self._returned[count:]
        first = self._next
        self._next += count - len(again)
        return again + list(range(first, self._next))

    def wrote(self, tenant: int, count: int) -> None:
        """Count rows that are durable."""
        self._written[tenant] = self._written.get(tenant, 0) + count

    def give_back(self, numbers: list[int]) -> None:
        """Take back the numbers of rows that were not written."""
        self._returned.extend(numbers)

    def failed(self, tenant: int, numbers: list[int], error: BaseException) -> None:
        """Take back numbers when the database said no.

        When it said nothing, because the connection broke or nobody waited any more, the rows may
        be there: their numbers must not be used twice.
        """
        if _was_refused(error):
            self.give_back(numbers)
        else:
            self._doubtful[tenant] = self._doubtful.get(tenant, 0) + len(numbers)

    def farewell(self, tenant: int) -> Farewell | None:
        """Return what to say when a tenant is closed, None when nothing was written since."""
        counts = self._written.get(tenant, 0), self._doubtful.get(tenant, 0)
        farewell = Farewell(self.worker, *counts)
        return None if farewell == self._told.get(tenant) or not any(counts) else farewell

    def told(self, tenant: int, farewell: Farewell) -> None:
        """Remember a farewell, whose own row does not count."""
        self._written[tenant] -= 1
        self._told[tenant] = farewell


class About(NamedTuple):
    """What a note is about."""

    type: int
    """The number of the resource type, 0 for all."""
    rid: int = 0
    """The resource, 0 without one."""
    version: int = 0
    patients: Sequence[int] = ()
    detail: bytes | None = None
    """The query, or the id of an AuditEvent, sealed (``seal_detail``)."""
    interaction: Interaction | None = None

    def seen(self, rid: int, version: int, patients: Sequence[int]) -> "About":
        """Return the same about one version of a resource."""
        return self._replace(rid=rid, version=version, patients=patients)

    @classmethod
    def history(cls, types: Sequence[int], patients: Sequence[int]) -> "About":
        """Return what a history of one type, or of all, was about."""
        kind = Interaction.HISTORY_TYPE if types else Interaction.HISTORY_SYSTEM
        return cls(types[0] if types else 0, patients=patients, interaction=kind)


class Note(NamedTuple):
    """An interaction that is not the read or the write of one resource's current version."""

    tenant: int
    account: int
    action: str
    """A code of http://hl7.org/fhir/audit-event-action."""
    outcome: int
    """A code of http://terminology.hl7.org/CodeSystem/audit-event-outcome."""
    about: About


class Auditor:
    """Write notes, those that arrive together in one commit."""

    def __init__(self, pool: Connections, counter: Counter, clock: Clock) -> None:
        self._pool = pool
        self._counter = counter
        self._clock = clock
        self._coalescer: Coalescer[tuple[Note, UUID | None], None] = Coalescer(
            self._run, largest=_BATCH
        )

    async def write(self, note: Note) -> None:
        """Return when the note is durable; until then no answer may leave."""
        if REHEARSES.get():
            about = note.about._replace(interaction=Interaction.REHEARSAL)
            note = note._replace(about=about)
        await self._coalescer.submit(note.tenant, (note, REQUEST.get()))

    async def farewell(self, tenant: Tenant) -> None:
        """Write how many rows of a tenant, which is closed, this process has written.

        A database that is away is not waited for: then the process ended without a word, as one
        that was killed.
        """
        farewell = self._counter.farewell(tenant.number)
        if farewell is None:
            return
        detail, kind = seal_detail(tenant, farewell), Interaction.FAREWELL
        with suppress(Unavailable):
            about = About(0, detail=detail, interaction=kind)
            await self.write(Note(tenant.number, 0, "E", 0, about))
            self._counter.told(tenant.number, farewell)

    async def _run(
        self, tenant: int, items: list[tuple[Note, UUID | None]]
    ) -> list[BaseException | None]:
        numbers = self._counter.take(len(items))
        notes, requests = zip(*items, strict=True)
        tenants, accounts, actions, outcomes, abouts = zip(*notes, strict=True)
        types, rids, versions, patients, details, interactions = zip(*abouts, strict=True)
        try:
            with translated():
                await self._pool.within(tenant).execute(
                    STATEMENTS["audit_note"],
                    *(self._counter.worker, self._clock.now(), tenants, numbers, accounts),
                    *(actions, outcomes, types, rids, versions, details, requests, interactions),
                    *ragged(patients),
                )
        except BaseException as error:
            self._counter.failed(tenant, numbers, error)
            raise
        self._counter.wrote(tenant, len(items))
        return [None] * len(items)


def seal_detail(tenant: Tenant, detail: object) -> bytes:
    """Seal what an audit row says in words, so that only the tenant's key opens it."""
    return tenant.sealer.seal(msgspec.msgpack.encode(detail), _DETAIL)


def open_detail(tenant: Tenant, sealed: bytes) -> bytes:
    """Return the MessagePack of what was sealed. Raise ``CannotOpen``."""
    return tenant.sealer.open(sealed, _DETAIL)


def name_request(given: bytes | None) -> Token[UUID | None] | None:
    """Let what is done from now on carry an X-Request-Id, when it is a UUID."""
    if given is None:
        return None
    try:
        return REQUEST.set(UUID(given.decode("latin-1")))
    except ValueError:
        return None


async def make_audit_months(connections: Connections, clock: Clock) -> None:
    """Make the partitions of this month and the next two where they are missing."""
    month = clock.now().date().replace(day=1)
    for _ in range(_MONTHS_AHEAD):
        await connections.execute(STATEMENTS["audit_month"], month)
        month = (month + timedelta(days=32)).replace(day=1)


def _was_refused(error: BaseException | None) -> bool:
    """Say whether an error, or what it was made from, is a refusal after which nothing is there.

    Of the classes 08 (connection) and 57P (shutdown) it is not known at which moment they came.
    """
    while error is not None:
        if isinstance(error, asyncpg.PostgresError):
            state = error.sqlstate or "08"
            return not state.startswith(("08", "57P"))
        error = error.__cause__
    return False
