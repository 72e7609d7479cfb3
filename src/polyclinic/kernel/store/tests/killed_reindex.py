"""Make index rows anew in a process that kills itself after its first batch.

Arguments: the database's URL, the tenant's name and its key-encryption key in hexadecimal digits.
"""

import asyncio
import os
import signal
import sys

from polyclinic.base.clock import SystemClock
from polyclinic.base.crypto import Sealer
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.keys import KeyRing
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.store import open_store


def die(_done):
    os.kill(os.getpid(), signal.SIGKILL)


async def work(url, name, key):
    clock = SystemClock()
    ring = KeyRing([Sealer(bytes.fromhex(key))])
    async with open_store(url, Settings(), clock=clock, ids=TimeOrderedIds(clock)) as store:
        tenant = await store.open_tenant(name, ring)
        job = Principal("job:reindex", tenant.number, 0, frozenset({"job"}))
        await (await store.reindexer(job)).run(die)


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
