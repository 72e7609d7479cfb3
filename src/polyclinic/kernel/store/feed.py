"""The change feed: every version that was ever stored, in an order that stays.

A change is given out when no transaction runs any more that could still put one before it
(``store_horizon``). What lies before a cursor therefore never changes: nothing is skipped, and
what follows it is the same each time. docs/howto/change-feed.md tells how to use it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NamedTuple

import msgspec

from polyclinic.base.db.connect import Record
from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.access.policy import Policy
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import CursorExpired, FhirError
from polyclinic.kernel.store.audit import About
from polyclinic.kernel.store.bodies import Bodies, sealed_body
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.feed_place import (
    BEGINNING,
    BEYOND,
    LAST,
    Cursor,
    Cursors,
    Epoch,
    Epochs,
    Place,
    Source,
    horizon_of,
)
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.recent import Recent
from polyclinic.kernel.store.stored import Stored
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import type_name

NOW: Final = "now"
"""In place of a cursor: only what comes from now on."""
_LOOKED_AT: Final = 10_000
"""Changes that a window looks at for those of the asked types, so that each has its bound."""
_BATCH_ROWS: Final = 200
_BATCH_BYTES: Final = 1024 * 1024
"""Compressed; at least one change is read whatever its size."""
_OPENED_ROWS: Final = 8
_OPENED_BYTES: Final = 4 * 1024 * 1024
"""Decompressed, after which a batch ends; looked at after some rows."""
_COUNTED: Final = 100_000
_GRANTED: Final = 1024


class Window(NamedTuple):
    """Where a page of changes begins and ends."""

    start: Place
    end: Place
    lines: int
    """How many changes lie in it."""
    at_end: bool
    """Nothing more can be given out now."""
    epoch: int


class Changed(NamedTuple):
    """One change: the version that it made."""

    stored: Stored
    place: Place
    patients: Sequence[int]
    """The rids of whose record it is."""

    @property
    def method(self) -> Literal["create", "update", "delete"]:
        """Return what was done; to bring back what was deleted is an update."""
        if self.stored.deleted:
            return "delete"
        return "create" if self.stored.version == 1 else "update"


class Chosen(NamedTuple):
    """Which changes, and what of them."""

    types: tuple[str, ...] = ()
    """Names of resource types; empty: all that the principal may read."""
    bodies: bool = True


class Extent(NamedTuple):
    """Of whom and of which types, as numbers."""

    tenant: int
    types: list[int]


class Changes:
    """Read changes of tenants, on a pool or within a transaction."""

    def __init__(self, epochs: Epochs, bodies: Bodies | None = None) -> None:
        self.epochs = epochs
        self._bodies = bodies

    async def window(self, source: Source, extent: Extent, after: Place, count: int) -> Window:
        """Return the window of the next ``count`` changes, or of as many as can be given out.

        Raise ``CursorExpired`` for a place that cannot have been reached yet.
        """
        epoch = await self.epochs.current()
        while True:
            low, high, grows = epoch.bounds(after.part)
            with translated():
                horizon = await horizon_of(source) if grows else BEYOND
                row = await source.fetchrow(
                    STATEMENTS["feed_window"],
                    *(extent.tenant, after.tx, after.seq, low, high, horizon),
                    *(extent.types, max(count, _LOOKED_AT), count),
                )
            assert row is not None
            if (row["system"], row["timeline"]) != epoch.here:
                epoch = await self.epochs.begin()
                continue
            if after.tx >= horizon:
                raise CursorExpired
            window = _window(epoch, after, row, count)
            if window.lines or grows or not window.at_end:
                return window
            after = epoch.following(after.part)

    async def rows(
        self, source: Source, extent: Extent, after: Place, window: Window, *, bodies: bool
    ) -> list[Changed]:
        """Return the changes of a window behind a place in it, bounded in number and bytes."""
        epoch = await self.epochs.current()
        low, high, _ = epoch.bounds(window.end.part)
        with translated():
            rows = await source.fetch(
                STATEMENTS["feed_rows"],
                *(extent.tenant, after.tx, after.seq, window.end.tx, window.end.seq, low, high),
                *(extent.types, bodies, _BATCH_ROWS, _BATCH_BYTES),
            )
        if not bodies:
            return [_changed(row, window.end.part, b"") for row in rows]
        return await self._opened(extent.tenant, rows, window.end.part)

    async def _opened(self, tenant: int, rows: Sequence[Record], part: int) -> list[Changed]:
        """Return the changes with their resources, until they are many bytes."""
        assert self._bodies is not None
        found: list[Changed] = []
        size = 0
        for start in range(0, len(rows), _OPENED_ROWS):
            some = rows[start : start + _OPENED_ROWS]
            opened = await self._bodies.open(tenant, [sealed_body(row) for row in some])
            found += [_changed(row, part, body) for row, body in zip(some, opened, strict=True)]
            size += sum(len(body) for body in opened if isinstance(body, bytes))
            if size > _OPENED_BYTES:
                break
        return found

    async def head(self, source: Source, tenant: int) -> tuple[int, int] | None:
        """Return the newest change that can be given out, as transaction and sequence."""
        with translated():
            horizon = await horizon_of(source)
            row = await source.fetchrow(STATEMENTS["feed_head"], tenant, horizon)
        return None if row is None else (row["tx"], row["seq"])

    async def behind(
        self, source: Source, tenant: int, place: Place
    ) -> tuple[int, datetime | None]:
        """Return how many changes stand behind a place, 100,000 at most, and since when."""
        epoch = await self.epochs.current()
        total, oldest = 0, None
        for part in epoch.parts[epoch.parts.index(place.part) :]:
            low, high, _ = epoch.bounds(part)
            after = place if part == place.part else Place(part, 0, 0)
            with translated():
                row = await source.fetchrow(
                    STATEMENTS["feed_behind"], tenant, after.tx, after.seq, low, high, _COUNTED
                )
            assert row is not None
            total, oldest = total + row["behind"], oldest or row["oldest"]
        return min(total, _COUNTED), oldest


@dataclass(frozen=True, slots=True)
class Seams:
    """What of the store the feed works with."""

    tenant: Callable[[Principal], Tenant]
    types: Callable[[Principal, str | None], Awaitable[list[int]]]
    """The numbers of a type, or of all that a principal may read whole. Raises ``Forbidden``."""
    policy: Callable[[int], Awaitable[Policy]]
    """The policy that holds in a tenant."""
    note: Callable[[Principal, Action, About], Awaitable[None]]
    """Writes an audit row."""
    bodies: Bodies
    granted: Recent[tuple[Principal, tuple[str, ...]], tuple[Policy, Extent]] = field(
        default_factory=lambda: Recent(_GRANTED)
    )

    async def extent(self, principal: Principal, types: tuple[str, ...]) -> Extent:
        """Return what a principal may follow. Raise ``Forbidden``.

        To ask for all types takes a millisecond: what the same policy grants the same principal
        is remembered. What is limited to some resources of a type is never granted.
        """
        policy = await self.policy(principal.tenant)
        known = self.granted.get((principal, types))
        if known is not None and known[0] is policy:
            return known[1]
        numbers = [
            number for name in types or (None,) for number in await self.types(principal, name)
        ]
        extent = Extent(principal.tenant, numbers)
        self.granted.put((principal, types), (policy, extent))
        return extent

    async def noted(self, principal: Principal, extent: Extent, rows: Sequence[Changed]) -> None:
        """Write the audit row of changes that were read."""
        patients = sorted({rid for row in rows for rid in row.patients})
        types = extent.types if len(extent.types) == 1 else ()
        await self.note(principal, Action.SEARCH, About.history(types, patients))


class Feed:
    """The change feed as principals see it: checked, sealed and audited."""

    def __init__(self, pool: Connections, changes: Changes, seams: Seams) -> None:
        self._pool = pool
        self._changes = changes
        self._seams = seams
        self._cursors: dict[int, Cursors] = {}

    async def start(self, principal: Principal, chosen: Chosen, since: str | None) -> Cursor:
        """Return the place behind a cursor, ``NOW``, or the beginning without one.

        Raise ``BadRequest``, ``Forbidden``, and ``CursorExpired`` for one of another epoch.
        """
        await self._seams.extent(principal, chosen.types)
        epoch = await self._changes.epochs.current()
        if since is None:
            return Cursor(epoch.token, BEGINNING)
        if since == NOW:
            return await self._now()
        cursor = self._of(principal).read(since, _context(principal, chosen))
        if cursor.epoch != epoch.token:
            raise CursorExpired
        return cursor

    async def window(
        self, principal: Principal, chosen: Chosen, cursor: Cursor, count: int
    ) -> Window:
        """Return the window of the next changes. Raise as ``start`` does."""
        extent = await self._seams.extent(principal, chosen.types)
        window = await self._changes.window(
            self._pool.within(principal.tenant), extent, cursor.place, count
        )
        if window.epoch != cursor.epoch:
            raise CursorExpired
        return window

    async def batch(
        self, principal: Principal, chosen: Chosen, after: Place, window: Window
    ) -> list[Changed]:
        """Return the next changes of a window, once their audit row is durable."""
        extent = await self._seams.extent(principal, chosen.types)
        rows = await self._changes.rows(
            self._pool.within(principal.tenant), extent, after, window, bodies=chosen.bodies
        )
        await self._seams.noted(principal, extent, rows)
        return rows

    def cursor(self, principal: Principal, chosen: Chosen, epoch: int, place: Place) -> str:
        """Return a place as text that only the same principal and filter can use."""
        return self._of(principal).write(Cursor(epoch, place), _context(principal, chosen))

    async def _now(self) -> Cursor:
        """Return the place behind everything that can be given out."""
        epoch = await self._changes.epochs.begin()
        with translated():
            horizon = await horizon_of(self._pool)
        return Cursor(epoch.token, Place(epoch.parts[-1], horizon - 1, LAST))

    def _of(self, principal: Principal) -> Cursors:
        tenant = self._seams.tenant(principal)
        found = self._cursors.get(tenant.number)
        if found is None:
            found = self._cursors[tenant.number] = Cursors(tenant)
        return found


def _context(principal: Principal, chosen: Chosen) -> bytes:
    """Return what a cursor is bound to; whether it comes with bodies may change on the way."""
    shape = (principal.tenant, principal.account, chosen.types)
    return b"change feed" + msgspec.msgpack.encode(shape)


def _window(epoch: Epoch, after: Place, row: Record, count: int) -> Window:
    lines, looked = row["lines"], row["looked"]
    end = after
    if lines == count:
        end = Place(after.part, row["tx"], row["seq"])
    elif looked:
        end = Place(after.part, row["seen_tx"], row["seen_seq"])
    at_end = lines < count and looked < max(count, _LOOKED_AT)
    return Window(after, end, lines, at_end, epoch.token)


def _changed(row: Record, part: int, body: bytes | FhirError) -> Changed:
    version = type_name(row["type"]), row["id"], row["version"]
    stored = Stored.opened(version, row["at"], body, deleted=row["deleted"])
    return Changed(stored, Place(part, row["tx"], row["seq"]), row["patients"])
