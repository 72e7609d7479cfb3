"""Seal audit rows after their commit: the chain costs no request anything.

Rows are put in the order of their transactions. On the server that answers only those below the
first transaction that is still under way are sealed, so that nothing comes between them later; a
server that a dump was moved away from writes no more, so all of its rows are.
"""

from typing import Final

from polyclinic.base.clock import Clock
from polyclinic.base.db.connect import Record
from polyclinic.kernel.store.audit_chain import (
    BEGINNING,
    LARGEST,
    AuditRow,
    Before,
    Keys,
    Place,
    Segment,
    seal_rows,
)
from polyclinic.kernel.store.connections import Connections, Executor
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.feed_place import BEYOND, horizon_of
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.tenancy import Tenant

_MOST_SEGMENTS: Final = 250
"""Segments of one run: a million rows, some ten seconds."""


class AuditSealer:
    """Add segments to the chains of tenants."""

    def __init__(self, pool: Connections, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def seal(self, tenant: Tenant, largest: int = LARGEST) -> int:
        """Seal what can be sealed and return how many rows were.

        Safe to run in several processes: of two that seal the same rows, one gives up.
        """
        run = _Run(self._pool.within(tenant.number), tenant, self._clock, largest)
        with translated():
            run.before = _before(await self.newest(tenant))
            for cluster, is_current in await self._pool.fetch(STATEMENTS["audit_clusters"]):
                if not await run.seal(cluster, is_current=is_current):
                    break
        return run.done

    async def newest(self, tenant: Tenant) -> Segment | None:
        """Return the newest segment."""
        with translated():
            row = await self._pool.within(tenant.number).fetchrow(
                STATEMENTS["audit_seal_last"], tenant.number
            )
        return None if row is None else segment_of(row)


class _Run:
    """One run of the sealer on one tenant."""

    def __init__(self, executor: Executor, tenant: Tenant, clock: Clock, largest: int) -> None:
        self._executor = executor
        self._tenant = tenant.number
        self._keys = Keys(tenant.index_key)
        self._clock = clock
        self._largest = largest
        self.before = Before()
        self.done = 0

    async def seal(self, cluster: int, *, is_current: bool) -> bool:
        """Seal the rows of one server; False when another process is sealing them."""
        place = await self._sealed_up_to(cluster)
        horizon = await horizon_of(self._executor) if is_current else BEYOND
        for _ in range(_MOST_SEGMENTS):
            rows = await self._executor.fetch(
                STATEMENTS["audit_unsealed"],
                *(self._tenant, cluster, *place, horizon, self._largest),
            )
            if not rows:
                break
            sealed = [AuditRow(*row) for row in rows]
            segment = seal_rows(self._keys, self.before, cluster, sealed, self._clock.now())
            if not await self._put(segment):
                return False
            self.before = Before(segment.number, segment.total, segment.chain)
            place = segment.last
            self.done += len(rows)
        return True

    async def _sealed_up_to(self, cluster: int) -> Place:
        row = await self._executor.fetchrow(STATEMENTS["audit_seal_last_of"], self._tenant, cluster)
        return BEGINNING if row is None else Place(*row)

    async def _put(self, segment: Segment) -> bool:
        """Write a segment; False when its number has been taken."""
        number = await self._executor.fetchval(
            STATEMENTS["audit_seal_put"],
            *segment[:5],
            *segment.first,
            *segment.last,
            *segment[7:],
        )
        return number is not None


def segment_of(row: Record) -> Segment:
    """Return the segment in a row of ``audit_seal``."""
    return Segment(
        tenant=row["tenant"],
        number=row["number"],
        cluster=row["cluster"],
        row_count=row["row_count"],
        total=row["total"],
        first=Place(row["first_tx"], row["first_worker"], row["first_counter"]),
        last=Place(row["last_tx"], row["last_worker"], row["last_counter"]),
        at=row["at"],
        members=row["members"],
        macs=row["macs"],
        previous=row["previous"],
        chain=row["chain"],
        signature=row["signature"],
    )


def _before(segment: Segment | None) -> Before:
    return Before(segment.number, segment.total, segment.chain) if segment else Before()
