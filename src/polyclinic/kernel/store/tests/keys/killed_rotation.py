"""Rotate keys in a process that kills itself at a named point.

Arguments: the owner's URL of the database, the key file and the point.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from polyclinic.base.clock import SystemClock
from polyclinic.base.db.connect import connected
from polyclinic.base.keys import KeyFile
from polyclinic.kernel.store.rotation import alone, rotate

POINTS = ["added", "current", "wrapped", "removed"]


async def work(url, path, point):
    def reached(here):
        if here == point:
            os.kill(os.getpid(), signal.SIGKILL)

    async with connected(url) as owner, alone(owner):
        await rotate(owner, KeyFile(Path(path)), SystemClock(), reached)


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
