"""Take one step of a consumer in a process that kills itself at a named point of it.

Arguments: the database's URL, the tenant's number and the point.
"""

import asyncio
import os
import signal
import sys

from polyclinic.base.clock import SystemClock
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.store import open_store
from polyclinic.kernel.store.consumers import Consumer

POINTS = ["locked", "read", "in handler", "handled", "moved", "committed"]
EFFECT = "insert into feed_ledger (id, version) values ($1, $2)"


def consumer(passed):
    """Return a consumer that writes down each change, and passes a point between two of them."""

    async def handle(connection, rows):
        for row in rows:
            await connection.execute(EFFECT, row.stored.id, row.stored.version)
            passed("in handler")

    return Consumer("ledger", handle, batch=3, bodies=False)


def principal(tenant):
    """Return the job that consumes."""
    return Principal("job:ledger", int(tenant), 0, frozenset({"job"}))


async def work(url, tenant, point):
    def passed(here):
        if here == point:
            os.kill(os.getpid(), signal.SIGKILL)

    clock = SystemClock()
    async with open_store(url, Settings(), clock=clock, ids=TimeOrderedIds(clock)) as store:
        store.following.consumers.reached = passed
        await store.following.consumers.step(principal(tenant), consumer(passed))


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
