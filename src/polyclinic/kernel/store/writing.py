"""Writes: prepared one by one, written together, each against the version it expects."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import asyncpg

from polyclinic.base.clock import Clock
from polyclinic.base.db.connect import Connection
from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.errors import Conflict, Gone, NotFound, VersionConflict
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.index_values import IndexValues
from polyclinic.kernel.store import codec
from polyclinic.kernel.store.audit import Counter
from polyclinic.kernel.store.coalesce import Coalescer
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import RETRIED, translated
from polyclinic.kernel.store.handles import Handle
from polyclinic.kernel.store.index import build, targets
from polyclinic.kernel.store.placement import Place, Placement
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.row import EMPTY, Row, arguments
from polyclinic.kernel.store.stored import Stored, Written, to_millisecond
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.store.turns import Turns
from polyclinic.kernel.types import Resource, type_name, type_number

_BATCH: Final = 32
_TRIES: Final = 16
_STATEMENT_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Change:
    """A resource to store, or one to delete, and what must be true for it."""

    type: str
    id: str
    resource: Resource | None
    """None deletes."""
    if_match: int | None = None
    """The version that must be current."""
    must_be_new: bool = False
    """The id was just made, so nothing can be there."""

    @property
    def place(self) -> Place:
        """Return where it stands."""
        return type_number(self.type), self.id

    @property
    def action(self) -> Action:
        """Return what it does, as a principal may or may not."""
        if self.resource is None:
            return Action.DELETE
        return Action.CREATE if self.must_be_new else Action.UPDATE


class Unchanged(Exception):
    """The stored content is the same already; no version is made."""


class Writer:
    """Write resources of any tenant."""

    def __init__(
        self, pool: Connections, placement: Placement, counter: Counter, clock: Clock
    ) -> None:
        self._pool = pool
        self._placement = placement
        self._counter = counter
        self._clock = clock
        self._coalescer: Coalescer[Row, bool] = Coalescer(self._together, largest=_BATCH)
        self._turns = Turns()

    async def write(self, tenant: Tenant, account: int, change: Change) -> Written:
        """Write one change, together with whatever others arrive at the same time.

        Raise ``VersionConflict``, ``NotFound`` or ``Gone`` (of a deletion), ``Unchanged``.
        """
        prepared = _Prepared(change, tenant)
        if change.must_be_new:
            return await self._write(tenant, account, prepared)
        identity = (tenant.number, *change.place)
        await self._turns.take(identity)
        try:
            return await self._write(tenant, account, prepared)
        finally:
            self._turns.give(identity)

    async def _write(self, tenant: Tenant, account: int, prepared: "_Prepared") -> Written:
        """Write against the version that is current, again when another process was faster."""
        for attempt in range(_TRIES):
            with translated():
                row = await self._row(tenant, account, prepared)
                written = await self._coalescer.submit(row.tenant, row)
            if written:
                return self._written(row, prepared)
            self._placement.handles.forget((tenant.number, *prepared.change.place))
            await asyncio.sleep(_pause(attempt))
        message = "Others keep changing this resource; read it again and repeat the change."
        raise Conflict(message)

    async def write_all(
        self, tenant: Tenant, account: int, changes: Sequence[Change]
    ) -> list[Written | None]:
        """Write all changes or none; None stands for one that changes nothing.

        Raise what ``write`` raises, and ``Conflict`` when two changes are of one resource.
        """
        if len({change.place for change in changes}) != len(changes):
            message = "Two entries change the same resource."
            raise Conflict(message)
        prepared = [_Prepared(change, tenant) for change in changes]
        for attempt in range(_TRIES):
            with translated():
                rows = await self._rows(tenant, account, prepared)
                done = await self._atomically([row for row in rows if row])
            if done:
                return [
                    self._written(row, item) if row else None
                    for row, item in zip(rows, prepared, strict=True)
                ]
            for change in changes:
                self._placement.handles.forget((tenant.number, *change.place))
            await asyncio.sleep(_pause(attempt))
        message = "Others keep changing these resources; repeat the transaction."
        raise Conflict(message)

    async def _rows(
        self, tenant: Tenant, account: int, prepared: Sequence["_Prepared"]
    ) -> list[Row | None]:
        """Prepare many rows with one look-up for all that they name."""
        number = tenant.number
        unknown = [
            item.change.place
            for item in prepared
            if not item.change.must_be_new
            and (
                (handle := self._handle(number, item.change.place)) is None
                or _doubtful(handle, item)
            )
        ]
        found = await self._placement.find(number, unknown) if unknown else {}
        new = [
            item
            for item in prepared
            if item.change.resource
            and item.change.place not in found
            and self._placement.handles.get((number, *item.change.place)) is None
        ]
        rids = await self._placement.new_rids(len(new))
        for item, rid in zip(new, rids, strict=True):
            item.rid = rid
        local = {item.change.place: item.rid for item in new}
        handles = [
            None if item.change.must_be_new else self._handle(number, item.change.place)
            for item in prepared
        ]
        stale = [not _same(item, at) for item, at in zip(prepared, handles, strict=True)]
        wanted = {
            place
            for item, changed in zip(prepared, stale, strict=True)
            if changed
            for place in item.targets
            if place not in local
        }
        rid_of = await self._placement.targets(number, wanted) | local
        return [
            self._make(tenant, account, item, handle, rid_of) if changed else None
            for item, handle, changed in zip(prepared, handles, stale, strict=True)
        ]

    def _handle(self, tenant: int, place: Place) -> Handle | None:
        return self._placement.handles.get((tenant, *place))

    async def _row(self, tenant: Tenant, account: int, item: "_Prepared") -> Row:
        place, number = item.change.place, tenant.number
        handle = None if item.change.must_be_new else self._handle(number, place)
        if (handle is None and not item.change.must_be_new) or (
            handle is not None and _doubtful(handle, item)
        ):
            handle = (await self._placement.find(number, [place])).get(place)
        if handle is None and item.change.resource:
            (item.rid,) = await self._placement.new_rids(1)
        rid_of = {place: handle.rid if handle else item.rid}
        known = self._placement.known(number, item.targets - {place})
        if known is None:
            rid_of |= await self._placement.targets(number, item.targets - {place})
        else:
            rid_of |= {at: found.rid for at, found in known.items()}
        return self._make(tenant, account, item, handle, rid_of)

    def _make(
        self,
        tenant: Tenant,
        account: int,
        item: "_Prepared",
        handle: Handle | None,
        rid_of: dict[Place, int],
    ) -> Row:
        _check(item, handle)
        change, resource = item.change, item.change.resource
        return Row(
            tenant=tenant.number,
            rid=handle.rid if handle else item.rid,
            expected=handle.version if handle else 0,
            existing=handle is not None,
            type=change.place[0],
            id=change.id,
            deleted=resource is None,
            updated=to_millisecond(self._clock.now()),
            digest=item.digest,
            dict_id=codec.CURRENT if resource else 0,
            body=item.packed(),
            index=build(item.values, tenant.index_key, rid_of) if item.values else EMPTY,
            account=account,
        )

    def _written(self, row: Row, item: "_Prepared") -> Written:
        handle = Handle(row.rid, row.version, row.deleted, row.digest)
        self._placement.handles.put((row.tenant, row.type, row.id), handle)
        stored = Stored(
            type_name(row.type),
            row.id,
            row.version,
            row.updated,
            row.deleted,
            item.change.resource.body if item.change.resource else b"",
        )
        return Written(stored, created=row.expected == 0 or item.was_deleted)

    async def _together(self, tenant: int, rows: list[Row]) -> list[bool | BaseException]:
        """Write rows in one statement; when it fails, each alone, so that one hurts no other."""
        try:
            done = await self._statement(rows)
        except (asyncpg.PostgresError, *RETRIED) as error:
            if len(rows) == 1:
                return [False if isinstance(error, RETRIED) else error]
            return [(await self._together(tenant, [row]))[0] for row in rows]
        return [at in done for at in range(1, len(rows) + 1)]

    async def _atomically(self, rows: list[Row]) -> bool:
        """Write all rows in one transaction; False when any is out of date."""
        if not rows:
            return True
        rows = sorted(rows, key=lambda row: row.rid)
        numbers = self._counter.take(len(rows))
        committed = False
        try:
            committed = await self._transaction(rows, numbers)
        finally:
            if not committed:
                self._counter.give_back(numbers)
        return committed

    async def _transaction(self, rows: Sequence[Row], numbers: Sequence[int]) -> bool:
        async with self._pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                for start in range(0, len(rows), _STATEMENT_ROWS):
                    part = slice(start, start + _STATEMENT_ROWS)
                    done = await self._write_rows(
                        connection, rows[part], numbers[part], rows[0].rid
                    )
                    if len(done) != len(rows[part]):
                        await transaction.rollback()
                        return False
                await transaction.commit()
            except RETRIED:
                await transaction.rollback()
                return False
            except BaseException:
                if not connection.is_closed():
                    await transaction.rollback()
                raise
        return True

    async def _statement(self, rows: Sequence[Row]) -> set[int]:
        """Run the one statement; return the ordinals (from 1) of the rows that it wrote."""
        numbers = self._counter.take(len(rows))
        done: set[int] = set()
        try:
            done = await self._write_rows(self._pool, rows, numbers)
        finally:
            self._counter.give_back([n for at, n in enumerate(numbers, 1) if at not in done])
        return done

    async def _write_rows(
        self,
        executor: Connections | Connection,
        rows: Sequence[Row],
        numbers: Sequence[int],
        txgroup: int = 0,
    ) -> set[int]:
        found = await executor.fetch(
            STATEMENTS["write"], *arguments(rows, txgroup, self._counter.worker, numbers)
        )
        return {row[0] for row in found}


class _Prepared:
    """What of a change does not depend on what is stored; the dear parts only when needed."""

    __slots__ = ("_targets", "_values", "change", "digest", "rid", "was_deleted")

    def __init__(self, change: Change, tenant: Tenant) -> None:
        self.change = change
        self.rid = 0
        self.was_deleted = False
        self.digest = 0
        self._values: IndexValues | None = None
        self._targets: set[Place] | None = None
        if change.resource is not None:
            hashed = blake2b(change.resource.body, digest_size=8, key=tenant.index_key)
            self.digest = int.from_bytes(hashed.digest(), "big", signed=True)

    @property
    def values(self) -> IndexValues | None:
        """Return what the resource is found by."""
        if self._values is None and self.change.resource is not None:
            self._values = extract(self.change.resource)
        return self._values

    @property
    def targets(self) -> set[Place]:
        """Return what the resource refers to."""
        if self._targets is None:
            self._targets = targets(self.values) if self.values else set()
        return self._targets

    def packed(self) -> bytes | None:
        """Return the compressed body."""
        return codec.pack(self.change.resource.body) if self.change.resource else None


def _pause(attempt: int) -> float:
    """Return the seconds until the next try: none at first, then at random, so that one wins."""
    return random.uniform(0, 0.01 * attempt)  # noqa: S311 - keeps writers apart, no secret


def _same(item: _Prepared, handle: Handle | None) -> bool:
    """Say whether what is stored has the content of the change already."""
    return (
        handle is not None
        and item.change.resource is not None
        and item.change.if_match in (None, handle.version)
        and handle.version > 0
        and not handle.deleted
        and handle.digest == item.digest
    )


def _doubtful(handle: Handle, item: _Prepared) -> bool:
    """Say whether a remembered handle would refuse the change, and so must be asked for again."""
    change = item.change
    if change.if_match is not None and change.if_match != handle.version:
        return True
    if change.resource is None:
        return handle.deleted or handle.version == 0
    return handle.digest == item.digest and not handle.deleted


def _check(item: _Prepared, handle: Handle | None) -> None:
    """Raise what a change meets: a conflict, nothing to delete, or nothing to do."""
    change = item.change
    present = handle if handle is not None and handle.version > 0 else None
    if change.if_match is not None and (present is None or change.if_match != present.version):
        raise VersionConflict
    if change.resource is None:
        if present is None:
            raise NotFound
        if present.deleted:
            raise Gone
        return
    item.was_deleted = present is not None and present.deleted
    if _same(item, handle):
        raise Unchanged
