"""Run a worker in a process that kills itself at a named point of its job.

Arguments: the database's URL and the point. The clock is the test kit's, so that the test can
move past the lease.
"""

import asyncio
import os
import signal
import sys

from polyclinic.base.db.pool import create_pool
from polyclinic.base.jobs.run import JobKind
from polyclinic.base.jobs.worker import Worker
from polyclinic.base.settings import Settings
from polyclinic.testing.clock import FixedClock

POINTS = ["begun", "in first step", "between", "in second step", "before end", "in end"]


def handler_killed_at(point):
    """Return a handler of two steps and an end, each with one effect."""

    def pass_by(here):
        if here == point:
            os.kill(os.getpid(), signal.SIGKILL)

    async def handler(run):
        pass_by("begun")
        for name, after in (("first", "between"), ("second", "before end")):
            async with run.step(name) as step:
                if step.is_new:
                    await step.connection.execute("insert into ledger values ($1, 1)", name)
                pass_by(f"in {name} step")
            pass_by(after)
        async with run.completing() as connection:
            await connection.execute("insert into ledger values ('end', 1)")
            pass_by("in end")

    return handler


async def work(url, point):
    pool = await create_pool(url, Settings(), "killed worker")
    await Worker(pool, [JobKind("note", handler_killed_at(point))], FixedClock()).drain()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
