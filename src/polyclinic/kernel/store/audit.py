"""Audit rows: numbered densely for each process, so that a missing row shows."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from polyclinic.base.clock import Clock
from polyclinic.kernel.store.coalesce import Coalescer
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.row import ragged

_BATCH: Final = 64
_MONTHS_AHEAD: Final = 3


class Counter:
    """Hand out numbers; those of a batch that failed are handed out again."""

    def __init__(self, worker: int) -> None:
        self.worker = worker
        self._next = 1
        self._returned: list[int] = []

    def take(self, count: int) -> list[int]:
        """Return numbers for rows that are about to be written."""
        again, self._returned = self._returned[:count], self._returned[count:]
        first = self._next
        self._next += count - len(again)
        return again + list(range(first, self._next))

    def give_back(self, numbers: list[int]) -> None:
        """Take back the numbers of rows that were not written."""
        self._returned.extend(numbers)


class Note(NamedTuple):
    """An interaction that is not the read or the write of one resource's current version."""

    tenant: int
    account: int
    action: str
    """A code of http://hl7.org/fhir/audit-event-action."""
    outcome: int
    """A code of http://terminology.hl7.org/CodeSystem/audit-event-outcome."""
    type: int
    """The number of the resource type, 0 for all."""
    rid: int
    """The resource, 0 without one."""
    version: int
    patients: Sequence[int]
    detail: bytes | None
    """The query, sealed."""


class Auditor:
    """Write notes, those that arrive together in one commit."""

    def __init__(self, pool: Connections, counter: Counter, clock: Clock) -> None:
        self._pool = pool
        self._counter = counter
        self._clock = clock
        self._coalescer: Coalescer[Note, None] = Coalescer(self._run, largest=_BATCH)

    async def write(self, note: Note) -> None:
        """Return when the note is durable; until then no answer may leave."""
        await self._coalescer.submit(note.tenant, note)

    async def _run(self, _: int, notes: list[Note]) -> list[BaseException | None]:
        numbers = self._counter.take(len(notes))
        tenants, accounts, actions, outcomes, types, *rest = zip(*notes, strict=True)
        rids, versions, patients, details = rest
        try:
            with translated():
                await self._pool.execute(
                    STATEMENTS["audit"],
                    *(self._counter.worker, self._clock.now(), tenants, numbers, accounts),
                    *(actions, outcomes, types, rids, versions, details, *ragged(patients)),
                )
        except BaseException:
            self._counter.give_back(numbers)
            raise
        return [None] * len(notes)


async def make_audit_months(connections: Connections, clock: Clock) -> None:
    """Make the partitions of this month and the next two where they are missing."""
    month = clock.now().date().replace(day=1)
    for _ in range(_MONTHS_AHEAD):
        await connections.execute(STATEMENTS["audit_month"], month)
        month = (month + timedelta(days=32)).replace(day=1)
