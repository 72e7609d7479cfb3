"""The end of a transaction of writes: its answer is kept in it, and its commit is seen through."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, Protocol

from polyclinic.base.db.connect import Connection
from polyclinic.kernel.store.prepared import Prepared
from polyclinic.kernel.store.row import Row
from polyclinic.kernel.store.stored import Stored, Written
from polyclinic.kernel.types import type_name

Gate = Callable[[Connection], Awaitable[None]]


class Gates(NamedTuple):
    """What is done on the connection of a transaction around its writes."""

    before: Gate | None = None
    """Before the first row is written; what it raises undoes all."""
    after: Gate | None = None
    """When every row is written, before it ends."""


OPEN: Final = Gates()


class Ending:
    """What a transaction answers, made before its commit so that it can be kept in it."""

    def __init__(
        self,
        tenant: int,
        prepared: Sequence[Prepared],
        rows: Sequence[Row | None],
        gates: Gates,
    ) -> None:
        self.tenant = tenant
        self.gates = gates
        self._changes = [item.change for item in prepared]
        self.keeper = next((one.keeper for one in self._changes if one.keeper), None)
        self.written: Sequence[Written | None] = [
            what_was_written(row, item) if row else None
            for row, item in zip(rows, prepared, strict=True)
        ]

    @property
    def is_idle(self) -> bool:
        """Say whether a transaction without rows has nothing to do."""
        return self.keeper is None and self.gates.after is None

    async def keep(self, connection: Connection) -> None:
        """Keep the answer where one is to be kept."""
        if self.keeper is not None:
            self.written = await self.keeper.keep(connection, self._changes, self.written)


def what_was_written(row: Row, item: Prepared) -> Written:
    """Return what a row makes of a resource."""
    stored = Stored(
        type_name(row.type),
        row.id,
        row.version,
        row.updated,
        row.deleted,
        item.change.resource.body if item.change.resource else b"",
    )
    return Written(stored, created=row.expected == 0 or item.was_deleted)


class Transaction(Protocol):
    """A transaction of the driver."""

    async def commit(self) -> None:
        """Commit it."""

    async def rollback(self) -> None:
        """Undo it."""


async def commit(transaction: Transaction) -> None:
    """Commit, and see it through when the request is given up meanwhile.

    A COMMIT that is interrupted may or may not have happened, and then nobody could say what was
    stored. The request that was to be given up is answered instead.
    """
    committing = asyncio.ensure_future(transaction.commit())
    while not committing.done():
        try:
            await asyncio.shield(committing)
        except asyncio.CancelledError:
            if committing.cancelled():
                raise
    committing.result()
