"""Consumers of the change feed inside the product: projections, matchers.

Each has a place of its own, which advances in the transaction of what it did: every change has its
effect exactly once, wherever a worker is interrupted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from polyclinic.base import log
from polyclinic.base.clock import Clock
from polyclinic.base.db.connect import Connection, Record
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.feed import Changed, Changes, Seams
from polyclinic.kernel.store.feed_place import BEGINNING, Epochs, Place
from polyclinic.kernel.store.feed_watch import Watch
from polyclinic.kernel.store.queries import STATEMENTS

Handler = Callable[[Connection, Sequence[Changed]], Awaitable[None]]
"""Takes changes in order and writes their effect through the connection, and nowhere else.

While its transaction holds a transaction id no feed goes beyond it: it has to be short.
"""
_PAUSE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Consumer:
    """One consumer."""

    name: str
    handle: Handler
    types: tuple[str, ...] = ()
    """Names of resource types; empty: all that its principal may read."""
    batch: int = 200
    """Changes in one transaction, at most."""
    bodies: bool = True
    """The changes come with their resources."""


class Step(NamedTuple):
    """What one transaction of a consumer did."""

    handled: int
    at_end: bool
    """Nothing more can be handled now."""


class Lag(NamedTuple):
    """How far a consumer is behind."""

    tenant: str
    consumer: str
    behind: int
    """Changes that it has not handled, 100,000 at most."""
    seconds: float
    """The age of the oldest of them; 0 when there is none."""
    updated: datetime


class MovedElsewhere(Exception):
    """Another worker has advanced the consumer meanwhile; nothing was done."""


class Consumers:
    """Run consumers of any tenant."""

    def __init__(
        self,
        pool: Connections,
        changes: Changes,
        seams: Seams,
        watch: Watch,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._changes = changes
        self._seams = seams
        self._watch = watch
        self._clock = clock
        self.reached: Callable[[str], None] = _pass
        """Called with the name of each point that a step passes; a test raises or kills in it."""

    async def step(self, principal: Principal, consumer: Consumer) -> Step | None:
        """Handle the next changes; None while another worker does.

        Raise what the handler raises: nothing has happened then.
        """
        within = self._pool.within(principal.tenant)
        async with within.acquire() as connection, connection.transaction():
            mine = await connection.fetchval(
                STATEMENTS["feed_consumer_lock"], principal.tenant, consumer.name
            )
            if not mine:
                return None
            self.reached("locked")
            done = await self._handle(connection, principal, consumer)
            self.reached("moved")
        self.reached("committed")
        return done

    async def run(self, principal: Principal, consumer: Consumer) -> None:
        """Handle changes as they come, until cancelled."""
        while True:
            seen = self._watch.head(principal.tenant)
            try:
                with translated():
                    done = await self.step(principal, consumer)
            except Exception as error:  # noqa: BLE001 - it is tried again, and the log knows
                log.failure("consumer.failed", error, consumer=consumer.name)
                done = None
            if done is None:
                await asyncio.sleep(_PAUSE_SECONDS)
            elif done.at_end:
                await self._watch.moved(principal.tenant, seen, _PAUSE_SECONDS)

    async def _handle(
        self, connection: Connection, principal: Principal, consumer: Consumer
    ) -> Step:
        extent = await self._seams.extent(principal, consumer.types)
        row = await connection.fetchrow(
            STATEMENTS["feed_consumer"], principal.tenant, consumer.name
        )
        before = Place(*row) if row else BEGINNING
        window = await self._changes.window(connection, extent, before, consumer.batch)
        rows: list[Changed] = []
        if window.lines:
            rows = await self._changes.rows(
                connection, extent, window.start, window, bodies=consumer.bodies
            )
            await self._seams.noted(principal, extent, rows)
            self.reached("read")
            await consumer.handle(connection, rows)
        self.reached("handled")
        whole = len(rows) == window.lines
        after = window.end if whole else rows[-1].place
        if after != before:
            await self._move(connection, (principal.tenant, consumer.name), before, after)
        return Step(len(rows), window.at_end and whole)

    async def _move(
        self, connection: Connection, key: tuple[int, str], before: Place, after: Place
    ) -> None:
        moved = await connection.fetchval(
            STATEMENTS["feed_consumer_move"], *key, *after, self._clock.now(), *before
        )
        if moved is None:
            raise MovedElsewhere


async def lag(connection: Connection, clock: Clock) -> list[Lag]:
    """Return how far each consumer of each tenant is behind; nothing is written."""
    epochs = Epochs(connection)
    await epochs.read()
    changes = Changes(epochs)
    return [
        await _lag(connection, changes, clock, row)
        for row in await connection.fetch(STATEMENTS["feed_consumers"])
    ]


async def _lag(connection: Connection, changes: Changes, clock: Clock, row: Record) -> Lag:
    place = Place(row["first_seq"], row["tx"], row["seq"])
    async with connection.transaction():
        await connection.execute(STATEMENTS["feed_enter"], row["tenant"])
        behind, oldest = await changes.behind(connection, row["tenant"], place)
    seconds = max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0
    return Lag(row["tenant_name"], row["name"], behind, seconds, row["updated"])


def _pass(_point: str) -> None:
    """Go on."""
