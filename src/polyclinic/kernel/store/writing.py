"""Writes: prepared one by one, written together, each against the version it expects."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Final

import asyncpg

from polyclinic.base.clock import Clock
from polyclinic.base.db.connect import Connection
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.store import codec
from polyclinic.kernel.store.audit import Counter
from polyclinic.kernel.store.bodies import Bodies, bound
from polyclinic.kernel.store.coalesce import Coalescer
from polyclinic.kernel.store.conditional import Moved
from polyclinic.kernel.store.connections import Connections, Executor
from polyclinic.kernel.store.custom_search import defines, defining, look
from polyclinic.kernel.store.ending import (
    OPEN,
    Ending,
    Gates,
    Transaction,
    commit,
    what_was_written,
)
from polyclinic.kernel.store.faults import RETRIED, translated
from polyclinic.kernel.store.handles import Handle
from polyclinic.kernel.store.index import build
from polyclinic.kernel.store.keys import DataKeys
from polyclinic.kernel.store.pacing import paced
from polyclinic.kernel.store.placement import Place, Placement
from polyclinic.kernel.store.prepared import Change, Prepared, Unchanged, check, doubtful, same
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.row import EMPTY, Row, arguments
from polyclinic.kernel.store.stored import Written, to_millisecond
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.store.turns import Turns

_BATCH: Final = 32
_TRIES: Final = 16
_STATEMENT_ROWS: Final = 500


class Writer:
    """Write resources of any tenant."""

    def __init__(
        self,
        pool: Connections,
        placement: Placement,
        counter: Counter,
        clock: Clock,
        keys: DataKeys,
    ) -> None:
        self._pool = pool
        self._placement = placement
        self._counter = counter
        self._keys = keys
        self._bodies = Bodies(keys)
        self._clock = clock
        self._coalescer: Coalescer[Row, bool] = Coalescer(self._together, largest=_BATCH)
        self._turns = Turns()

    async def write(self, tenant: Tenant, account: int, change: Change) -> Written:
        """Write one change, together with whatever others arrive at the same time.

        Raise ``VersionConflict``, ``NotFound`` or ``Gone`` (of a deletion), ``Unchanged``.
        """
        if change.keeper is not None or defines([change]):
            (done,) = await self.write_all(tenant, account, [change])
            if done is None:
                raise Unchanged
            return done
        prepared = Prepared(change, tenant)
        if change.must_be_new:
            return await self._write(tenant, account, prepared)
        identity = (tenant.number, *change.place)
        await self._turns.take(identity)
        try:
            return await self._write(tenant, account, prepared)
        finally:
            self._turns.give(identity)

    async def _write(self, tenant: Tenant, account: int, prepared: Prepared) -> Written:
        """Write against the version that is current, again when another process was faster."""
        for attempt in range(_TRIES):
            with translated():
                row = await self._row(tenant, account, prepared)
                written = await self._coalescer.submit(row.tenant, row)
            if written:
                return self._written(row, prepared)
            await self._look_again(tenant, [prepared])
            await asyncio.sleep(_pause(attempt))
        message = "Others keep changing this resource; read it again and repeat the change."
        raise Conflict(message)

    async def write_all(
        self, tenant: Tenant, account: int, changes: Sequence[Change], gates: Gates = OPEN
    ) -> Sequence[Written | None]:
        """Write all changes or none; None stands for one that changes nothing.

        Raise what ``write`` raises, and ``Conflict`` when two changes are of one resource.
        """
        if len({change.place for change in changes}) != len(changes):
            message = "Two entries change the same resource."
            raise Conflict(message)
        prepared = [Prepared(change, tenant) for change in changes]
        if defines(changes):
            gates = defining(tenant, changes, gates, self._clock)
        for attempt in range(_TRIES):
            with translated():
                rows = await self._rows(tenant, account, prepared)
                ending = Ending(tenant.number, prepared, rows, gates)
                done = await self._atomically([row for row in rows if row], ending)
            if done:
                for row in filter(None, rows):
                    self._remember(row)
                if defines(changes):
                    await look(self._pool, tenant)
                return ending.written
            await self._look_again(tenant, prepared)
            await asyncio.sleep(_pause(attempt))
        message = "Others keep changing these resources; repeat the transaction."
        raise Conflict(message)

    async def _look_again(self, tenant: Tenant, prepared: Sequence[Prepared]) -> None:
        """Forget what a write was made ready by that was left out."""
        if await self._keys.check(tenant.number) != tenant.custom.now.number:
            await look(self._pool, tenant)
        for item in prepared:
            self._placement.handles.forget((tenant.number, *item.change.place))
            item.renew(tenant)

    async def versions(self, tenant: int, places: Sequence[Place]) -> dict[Place, int]:
        """Return the versions that resources have now, of those that have any."""
        with translated():
            found = await self._placement.find(tenant, places)
        return {place: handle.version for place, handle in found.items()}

    async def _rows(
        self, tenant: Tenant, account: int, prepared: Sequence[Prepared]
    ) -> list[Row | None]:
        """Prepare many rows with one look-up for all that they name."""
        number = tenant.number
        unknown = [
            item.change.place
            for item in prepared
            if not item.change.must_be_new
            and (
                (handle := self._handle(number, item.change.place)) is None
                or doubtful(handle, item)
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
        stale = [not same(item, at) for item, at in zip(prepared, handles, strict=True)]
        wanted = {
            place
            async for item in paced(compress(prepared, stale))
            for place in item.targets
            if place not in local
        }
        rid_of = await self._placement.targets(number, wanted) | local
        await self._give_keys(number, compress(prepared, stale), rid_of)
        return [
            self._make(tenant, account, item, handle, rid_of) if changed else None
            async for item, handle, changed in paced(zip(prepared, handles, stale, strict=True))
        ]

    def _handle(self, tenant: int, place: Place) -> Handle | None:
        return self._placement.handles.get((tenant, *place))

    async def _row(self, tenant: Tenant, account: int, item: Prepared) -> Row:
        place, number = item.change.place, tenant.number
        handle = None if item.change.must_be_new else self._handle(number, place)
        if (handle is None and not item.change.must_be_new) or (
            handle is not None and doubtful(handle, item)
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
        if not same(item, handle):
            await self._give_keys(number, [item], rid_of)
        return self._make(tenant, account, item, handle, rid_of)

    async def _give_keys(
        self, tenant: int, items: Iterable[Prepared], rid_of: dict[Place, int]
    ) -> None:
        """Say under which key each body is sealed. Raise ``Erased`` where that was destroyed."""
        subjects = {item: item.subject(rid_of) for item in items if item.values}
        if subjects:
            keys = await self._keys.of(tenant, subjects.values())
            for item, subject in subjects.items():
                item.key = keys[subject]

    def _make(
        self,
        tenant: Tenant,
        account: int,
        item: Prepared,
        handle: Handle | None,
        rid_of: dict[Place, int],
    ) -> Row:
        check(item, handle)
        change, resource = item.change, item.change.resource
        expected = handle.version if handle else 0
        sealed = None
        if resource is not None:
            place = bound(tenant.number, *change.place, expected + 1)
            sealed = self._bodies.seal(item.key, place, resource.body)
        return Row(
            tenant=tenant.number,
            rid=handle.rid if handle else item.rid,
            expected=expected,
            existing=handle is not None,
            type=change.place[0],
            id=change.id,
            deleted=resource is None,
            updated=to_millisecond(self._clock.now()),
            digest=item.digest,
            dict_id=codec.CURRENT if resource else 0,
            key_id=item.key.key_id if resource else 0,
            key_epoch=item.key.epoch,
            body=sealed,
            index=build(item.values, tenant.index_key, rid_of) if item.values else EMPTY,
            account=account,
            custom=item.custom.number,
        )

    def _written(self, row: Row, item: Prepared) -> Written:
        self._remember(row)
        return what_was_written(row, item)

    def _remember(self, row: Row) -> None:
        handle = Handle(row.rid, row.version, row.deleted, row.digest)
        self._placement.handles.put((row.tenant, row.type, row.id), handle)

    async def _together(self, tenant: int, rows: list[Row]) -> list[bool | BaseException]:
        """Write rows in one statement; when it fails, each alone, so that one hurts no other."""
        try:
            done = await self._statement(rows)
        except (asyncpg.PostgresError, *RETRIED) as error:
            if len(rows) == 1:
                return [False if isinstance(error, RETRIED) else error]
            return [(await self._together(tenant, [row]))[0] for row in rows]
        return [at in done for at in range(1, len(rows) + 1)]

    async def _atomically(self, rows: list[Row], ending: Ending) -> bool:
        """Write all rows in one transaction; False when any is out of date."""
        if not rows and ending.is_idle:
            return True
        rows = sorted(rows, key=lambda row: row.rid)
        numbers = self._counter.take(len(rows))
        try:
            committed = await self._transaction(rows, numbers, ending)
        except Moved:
            self._counter.give_back(numbers)
            raise
        except BaseException as error:
            self._counter.failed(ending.tenant, numbers, error)
            raise
        if committed:
            self._counter.wrote(ending.tenant, len(rows))
        else:
            self._counter.give_back(numbers)
        return committed

    async def _transaction(
        self, rows: Sequence[Row], numbers: Sequence[int], ending: Ending
    ) -> bool:
        async with self._pool.within(ending.tenant).acquire() as connection:
            # A condition that is searched again under its lock has to see what was committed last.
            transaction = connection.transaction(isolation="read_committed")
            await transaction.start()
            try:
                if ending.gates.before is not None:
                    await ending.gates.before(connection)
                for start in range(0, len(rows), _STATEMENT_ROWS):
                    part = slice(start, start + _STATEMENT_ROWS)
                    done = await self._write_rows(
                        connection, rows[part], numbers[part], rows[0].rid
                    )
                    if len(done) != len(rows[part]):
                        await transaction.rollback()
                        return False
                await self._end(connection, transaction, ending)
            except RETRIED:
                await transaction.rollback()
                return False
            except BaseException:
                if not connection.is_closed():
                    await transaction.rollback()
                raise
        return True

    async def _end(self, connection: Connection, transaction: Transaction, ending: Ending) -> None:
        """End a transaction in which every row was written."""
        if ending.gates.after is not None:
            await ending.gates.after(connection)
        await ending.keep(connection)
        await commit(transaction)

    async def _statement(self, rows: Sequence[Row]) -> set[int]:
        """Run the one statement; return the ordinals (from 1) of the rows that it wrote."""
        numbers = self._counter.take(len(rows))
        try:
            done = await self._write_rows(self._pool.within(rows[0].tenant), rows, numbers)
        except BaseException as error:
            self._counter.failed(rows[0].tenant, numbers, error)
            raise
        self._counter.wrote(rows[0].tenant, len(done))
        if len(done) < len(numbers):
            self._counter.give_back([n for at, n in enumerate(numbers, 1) if at not in done])
        return done

    async def _write_rows(
        self,
        executor: Executor | Connection,
        rows: Sequence[Row],
        numbers: Sequence[int],
        txgroup: int = 0,
    ) -> set[int]:
        found = await executor.fetch(
            STATEMENTS["write"], *arguments(rows, txgroup, self._counter.worker, numbers)
        )
        return {row[0] for row in found}


def _pause(attempt: int) -> float:
    """Return the seconds until the next try: none at first, then at random, so that one wins."""
    return random.uniform(0, 0.01 * attempt)  # noqa: S311 - keeps writers apart, no secret
