"""Keep attachments in a process that kills itself at a named point.

Arguments: the database's URL, the data directory, the tenant, the point, and what to do: ``upload``
or ``sweep``. The key-encryption key comes on standard input. What the upload returns is printed.
"""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from polyclinic.base.blob import LocalDisk
from polyclinic.base.clock import SystemClock
from polyclinic.base.crypto import Sealer
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.keys import KeyRing
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.store import open_store
from polyclinic.kernel.store.blobs import Blobs, NewAttachment
from polyclinic.testing.clock import FixedClock

CONTENT = bytes(range(256)) * 4096
UPLOAD_POINTS = ["appended", "written", "synchronized", "renamed", "row added", "row committed"]
SWEEP_POINTS = ["rows removed"]


def killing(point):
    def reached(name):
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


async def pieces():
    for start in range(0, len(CONTENT), 100_000):
        yield CONTENT[start : start + 100_000]


async def main(url, data, tenant_name, point, work):
    ring = KeyRing([Sealer(sys.stdin.buffer.read())])
    clock = FixedClock(SystemClock().now() + timedelta(hours=2 if work == "sweep" else 0))
    settings = Settings(data=Path(data))
    async with open_store(url, settings, clock=clock, ids=TimeOrderedIds(clock)) as store:
        tenant = await store.open_tenant(tenant_name, ring)
        kept, reached = store.blobs._keeping, killing(point)
        disk = LocalDisk(Path(data) / "blobs", reached)
        keeping = replace(kept, storage=disk, reached=reached)
        blobs = Blobs(store.blobs._pool, keeping, store.blobs._seams, clock)
        job = Principal("job", tenant.number, 77, frozenset({"job"}))
        if work == "sweep":
            await blobs.sweep(job)
            return
        uploaded = await blobs.write(job, pieces(), NewAttachment("text/plain", "a"))
        sys.stdout.write(f"{uploaded.name}\n{uploaded.ticket}\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
