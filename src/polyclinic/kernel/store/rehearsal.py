"""Writes that are made and undone, so that it can be told what they would do.

The same statements run in the same order, in a transaction that is rolled back. What a write lays
down beside its transaction, stubs of what it refers to and data keys of new patients, is imagined.
"""

from collections.abc import Iterable
from secrets import randbits
from typing import Final

from typing_extensions import override

from polyclinic.base.crypto import new_key
from polyclinic.base.db.connect import Connection
from polyclinic.kernel.errors import Erased
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.ending import Ending, Transaction
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.keys import DataKey, DataKeys
from polyclinic.kernel.store.placement import Place, Placement
from polyclinic.kernel.store.prepared import Change, Unchanged
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.row import Row
from polyclinic.kernel.store.stored import Written
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.store.writing import Writer

_IMAGINED_KEY: Final = -1


class ImaginedPlacement(Placement):
    """Places that remember nothing for others, and stubs that nobody sees."""

    def __init__(self, pool: Connections) -> None:
        super().__init__(pool)
        self._imagined: dict[tuple[int, Place], int] = {}

    @override
    async def _stubs(self, tenant: int, places: list[Place]) -> dict[Place, int]:
        """Return rids for what does not exist, which no row will have."""
        for place in places:
            # Rids that are given out are positive.
            self._imagined.setdefault((tenant, place), -randbits(62) - 1)
        return {place: self._imagined[tenant, place] for place in places}


class ImaginedKeys(DataKeys):
    """Keys to write with that are thrown away."""

    @override
    async def of(self, tenant: int, subjects: Iterable[int]) -> dict[int, DataKey]:
        """Return a key for each subject. Raise ``Erased`` for one whose key was destroyed."""
        wanted = list(set(subjects))
        with translated():
            pool = self._pool.within(tenant)
            state = await pool.fetchrow(STATEMENTS["key_state"])
            destroyed = await pool.fetchval(STATEMENTS["keys_destroyed"], tenant, wanted)
        assert state is not None
        if destroyed:
            raise Erased
        secret = new_key()
        return {one: DataKey(_IMAGINED_KEY, one, secret, state["epoch"]) for one in wanted}

    @override
    async def check(self, tenant: int) -> int:
        """Return the number of the tenant's search parameters; no key that is remembered is old."""
        with translated():
            state = await self._pool.within(tenant).fetchrow(STATEMENTS["write_state"], tenant)
        assert state is not None
        return int(state["number"])


class Rehearsal(Writer):
    """Write and undo it."""

    @override
    async def write(self, tenant: Tenant, account: int, change: Change) -> Written:
        """Write one change and undo it. Raise what ``Writer.write`` raises."""
        (done,) = await self.write_all(tenant, account, [change])
        if done is None:
            raise Unchanged
        return done

    @override
    async def _atomically(self, rows: list[Row], ending: Ending) -> bool:
        if not rows and ending.is_idle:
            return True
        rows = sorted(rows, key=lambda row: row.rid)
        numbers = self._counter.take(len(rows))
        try:
            return await self._transaction(rows, numbers, ending)
        finally:
            # Nothing was committed, whatever happened.
            self._counter.give_back(numbers)

    @override
    async def _end(self, connection: Connection, transaction: Transaction, ending: Ending) -> None:
        if ending.gates.after is not None:
            await ending.gates.after(connection)
        await transaction.rollback()

    @override
    def _remember(self, row: Row) -> None:
        """Nothing that was undone is remembered."""
