"""A tenant whose jobs are slow leaves room for another's."""

import asyncio
from datetime import timedelta

import pytest

from polyclinic.base.jobs.run import JobKind
from polyclinic.base.jobs.schedule import Schedule
from polyclinic.base.jobs.worker import Pace, Worker

PACE = Pace(concurrency=2, shortest_poll=0.01, longest_poll=0.05, upkeep=0.02, grace=0.1)
SLOW, OTHER = 1, 2


@pytest.fixture
def run(queue, clock, put):
    """Return a function that tells whether the other tenant's job is run beside slow ones."""

    async def run(tenants):
        began, door = [], asyncio.Event()

        async def handler(job):
            began.append(job.tenant)
            if job.tenant == SLOW:
                await door.wait()

        schedules = [Schedule("x", "x", timedelta(days=1), tenant) for tenant in tenants]
        worker = Worker(queue, [JobKind("note", handler)], clock, schedules, PACE)
        running = asyncio.create_task(worker.run())
        for _ in range(4):
            await put(tenant=SLOW)
        await asyncio.sleep(0.3)
        slow = len(began)
        await put(tenant=OTHER)
        await asyncio.sleep(0.3)
        door.set()
        worker.stop()
        await running
        return slow, OTHER in began

    return run


@pytest.mark.parametrize(
    ("tenants", "slow", "is_run"), [([SLOW, OTHER], 1, True), ([SLOW], 2, False)]
)
async def test_d7_slow_jobs_of_one_tenant_leave_a_place_for_others(run, tenants, slow, is_run):
    assert await run(tenants) == (slow, is_run)


async def test_a_schedule_is_looked_at_again_when_its_period_has_come(queue, clock, fetch):
    schedule = Schedule("x", "note", timedelta(hours=1), SLOW)
    worker = Worker(queue, [JobKind("other", lambda _: asyncio.sleep(0))], clock, [schedule], PACE)

    made = []
    for minutes in (0, 10, 61, 1, 60):
        clock.advance(seconds=60 * minutes)
        await worker.drain()
        made += await fetch("select count(*) from job")

    assert [count for (count,) in made] == [0, 0, 1, 1, 2]
