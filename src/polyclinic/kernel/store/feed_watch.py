"""Tell whoever follows a tenant's changes that there are new ones.

One question to the database for each process and tenant, however many follow; none while nobody
does.
"""

import asyncio
from contextlib import suppress
from typing import Final

from polyclinic.base import log
from polyclinic.kernel.errors import Unavailable
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.feed import Changes

Head = tuple[int, int] | None
"""The newest change of a tenant that can be given out."""

_EVERY_SECONDS: Final = 0.2
_LINGER: Final = 10
"""Rounds that a poller goes on alone, for whoever is just sending what it was woken for."""


class Watch:
    """The pollers of this process."""

    def __init__(self, pool: Connections, changes: Changes, every: float = _EVERY_SECONDS) -> None:
        self._pool = pool
        self._changes = changes
        self._every = every
        self._pollers: dict[int, _Poller] = {}
        self.questions = 0
        """How often the database was asked."""

    def head(self, tenant: int) -> Head:
        """Return what was the newest change when it was looked at last."""
        poller = self._pollers.get(tenant)
        return poller.head if poller else None

    async def moved(self, tenant: int, seen: Head, seconds: float) -> bool:
        """Wait until the head is another than the one seen, or for some seconds; say which."""
        poller = self._pollers.get(tenant)
        if poller is None:
            poller = self._pollers[tenant] = _Poller()
            poller.task = asyncio.create_task(self._poll(tenant, poller), name="change feed")
        poller.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                while poller.head == seen:
                    await poller.change.wait()
        except TimeoutError:
            return False
        finally:
            poller.waiting -= 1
        return True

    async def close(self) -> None:
        """End every poller."""
        tasks = [poller.task for poller in self._pollers.values() if poller.task]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _poll(self, tenant: int, poller: "_Poller") -> None:
        alone = 0
        within = self._pool.within(tenant)
        try:
            while alone < _LINGER:
                self.questions += 1
                with suppress(Unavailable):  # whoever follows finds out when it reads
                    poller.show(await self._changes.head(within, tenant))
                await asyncio.sleep(self._every)
                alone = 0 if poller.waiting else alone + 1
        except Exception as error:  # noqa: BLE001 - the next who waits starts another
            log.failure("feed.poller", error, tenant=tenant)
        finally:
            self._pollers.pop(tenant, None)
            poller.show(None)


class _Poller:
    """What is known of a tenant, and how many wait for more."""

    def __init__(self) -> None:
        self.head: Head = None
        self.waiting = 0
        self.change = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def show(self, head: Head) -> None:
        """Wake everybody when the head has moved."""
        if head != self.head:
            self.head = head
            self.change.set()
            self.change = asyncio.Event()
