"""What follows the changes of a store: clients, and consumers in the product."""

from types import TracebackType
from typing import Self

from polyclinic.base.clock import Clock
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.consumers import Consumers
from polyclinic.kernel.store.feed import Changes, Feed, Seams
from polyclinic.kernel.store.feed_place import Epochs
from polyclinic.kernel.store.feed_watch import Watch


class Following:
    """The change feed of a store while it is open."""

    def __init__(self, pool: Connections, clock: Clock, seams: Seams) -> None:
        self.epochs = Epochs(pool)
        changes = Changes(self.epochs, seams.bodies)
        self.feed = Feed(pool, changes, seams)
        self.watch = Watch(pool, changes)
        self.consumers = Consumers(pool, changes, seams, self.watch, clock)

    async def __aenter__(self) -> Self:
        """Begin an epoch where the database has moved, before anything is written to it."""
        await self.epochs.begin()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what runs beside."""
        await self.watch.close()
