import asyncio
from datetime import timedelta

import pytest

from polyclinic.base.jobs.lease import Claimant, LeaseLost, claim
from polyclinic.base.jobs.run import CannotSucceed, JobKind, JobRun
from polyclinic.base.jobs.worker import Pace, Worker, backoff

SOON = Pace(shortest_poll=0.01, longest_poll=0.05, upkeep=0.02, lease=0.3, grace=0.2)


@pytest.fixture
def workers(queue, clock):
    """Return a function that makes a worker for the handler of the kind ``note``."""

    def make(handler, pace=SOON, **kind):
        return Worker(queue, [JobKind("note", handler, **kind)], clock, pace=pace)

    return make


async def write(run, entry):
    async with run.completing() as connection:
        await connection.execute("insert into ledger values ($1, $2)", entry, run.tenant)


async def nothing(_run):
    return


async def until(condition):
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - what is awaited happens in the database
            await asyncio.sleep(0.02)


async def test_a_job_is_run_and_done(workers, put, fetch):
    await put(payload={"entry": "hello"})

    attempts = await workers(lambda run: write(run, run.payload["entry"])).drain()

    assert attempts == 1
    assert await fetch("select entry from ledger") == [("hello",)]
    assert await fetch("select state, attempts, locked_by from job") == [("done", 1, None)]


async def test_a_handler_that_returns_has_done_its_job(workers, put, fetch):
    await put()

    await workers(nothing).drain()

    assert await fetch("select state from job") == [("done",)]


async def test_a_job_waits_for_its_moment(workers, put, clock):
    await put(run_at=clock.now() + timedelta(hours=1))
    worker = workers(nothing)

    early = await worker.drain()
    clock.advance(hours=1)

    assert (early, await worker.drain()) == (0, 1)


async def test_a_kind_that_the_worker_does_not_know_is_left_to_others(workers, put, fetch):
    await put(kind="other")

    assert await workers(nothing).drain() == 0
    assert await fetch("select state from job") == [("waiting",)]


async def test_a_failed_attempt_leaves_no_effect_and_is_tried_again(workers, put, clock, fetch):
    await put()

    async def fails_at_first(run):
        async with run.completing() as connection:
            await connection.execute("insert into ledger values ('once', 1)")
            if run.job.attempt == 1:
                raise ConnectionError

    worker = workers(fails_at_first)
    await worker.drain()
    after_first = await fetch("select state, last_error from job")
    clock.advance(seconds=60)
    await worker.drain()

    assert after_first == [("waiting", "ConnectionError")]
    assert await fetch("select entry from ledger") == [("once",)]
    assert await fetch("select state, attempts, last_error from job") == [("done", 2, None)]


async def test_the_last_failed_attempt_leaves_a_dead_job(workers, put, clock, fetch):
    await put(max_attempts=2)

    async def fails(_run):
        int("Chalmers")

    worker = workers(fails)
    await worker.drain()
    clock.advance(hours=1)
    await worker.drain()

    assert await fetch("select state, attempts, last_error from job") == [("dead", 2, "ValueError")]


async def test_a_job_that_cannot_succeed_is_dead_at_once(workers, put, fetch):
    await put()

    async def refuses(_run):
        raise CannotSucceed

    await workers(refuses).drain()

    assert await fetch("select state, attempts from job") == [("dead", 1)]


async def test_an_attempt_that_takes_too_long_has_failed(workers, put, fetch):
    await put()

    await workers(lambda _run: asyncio.sleep(60), timeout=0.05).drain()

    assert await fetch("select state, last_error from job") == [("waiting", "TimeoutError")]


async def test_tenants_take_turns(workers, put, fetch):
    for _ in range(3):
        await put(tenant=1)
    await put(tenant=2)
    await put(tenant=3)

    await workers(lambda run: write(run, "x"), pace=SOON).drain()

    order = [tenant for (tenant,) in await fetch("select tenant from ledger")]
    assert order == [1, 2, 3, 1, 1]


async def test_a_job_whose_worker_was_killed_runs_again(queue, workers, put, clock, fetch):
    await put()
    async with queue.acquire() as connection:
        claimant = Claimant("killed", ["note"], timedelta(seconds=30))
        await claim(connection, claimant, clock.now(), -1)
    worker = workers(lambda run: write(run, "again"))

    while_leased = await worker.drain()
    clock.advance(seconds=31)
    afterwards = await worker.drain()

    assert (while_leased, afterwards) == (0, 1)
    assert await fetch("select entry from ledger") == [("again",)]


async def test_a_job_that_kills_every_worker_ends_dead(queue, workers, put, clock, fetch):
    await put(max_attempts=1)
    async with queue.acquire() as connection:
        claimant = Claimant("killed", ["note"], timedelta(seconds=30))
        await claim(connection, claimant, clock.now(), -1)

    clock.advance(seconds=31)
    await workers(nothing).drain()

    assert await fetch("select state, last_error from job") == [("dead", "LeaseExpired")]


async def test_a_worker_that_was_taken_for_dead_can_end_nothing(queue, put, clock, fetch):
    await put()
    async with queue.acquire() as connection:
        claimant = Claimant("slow", ["note"], timedelta(seconds=1))
        slow = await claim(connection, claimant, clock.now(), -1)
    assert slow is not None
    clock.advance(seconds=2)
    await Worker(queue, [JobKind("note", lambda run: write(run, "other"))], clock).drain()

    with pytest.raises(LeaseLost):
        await write(JobRun(slow, queue, clock), "slow")

    assert await fetch("select entry from ledger") == [("other",)]


async def test_a_step_that_took_effect_is_left_out_afterwards(workers, put, clock, fetch):
    await put()

    async def two_steps(run):
        for name in ("one", "two"):
            async with run.step(name) as step:
                if step.is_new:
                    await step.connection.execute("insert into ledger values ($1, 1)", name)
                if name == "two" and run.job.attempt == 1:
                    raise ConnectionError

    worker = workers(two_steps)
    await worker.drain()
    between = await fetch("select entry from ledger")
    clock.advance(seconds=60)
    await worker.drain()

    assert between == [("one",)]
    assert await fetch("select entry from ledger order by entry") == [("one",), ("two",)]


async def test_many_workers_run_each_job_once(workers, put, fetch):
    numbers = range(40)
    for number in numbers:
        await put(tenant=number % 3, payload={"entry": str(number)})

    await asyncio.gather(
        *(workers(lambda run: write(run, run.payload["entry"])).drain() for _ in range(6))
    )

    entries = await fetch("select entry from ledger")
    assert sorted(int(entry) for (entry,) in entries) == list(numbers)


async def test_a_running_worker_finds_work_and_stops(workers, put, fetch):
    worker = workers(lambda run: write(run, "found"))
    loop = asyncio.create_task(worker.run())
    await put()
    worker.wake()

    await until(lambda: fetch("select 1 from ledger"))
    worker.stop()

    await asyncio.wait_for(loop, 5)
    assert await fetch("select state from job") == [("done",)]


async def test_a_job_in_hand_when_the_worker_stops_is_given_back(workers, put, fetch):
    await put()
    worker = workers(lambda _run: asyncio.sleep(60))
    loop = asyncio.create_task(worker.run())
    await until(lambda: fetch("select 1 from job where state = 'running'"))

    worker.stop()
    await asyncio.wait_for(loop, 5)

    assert await fetch("select state, attempts from job") == [("waiting", 0)]


async def test_a_lease_is_renewed_while_the_job_runs(workers, put, clock, fetch):
    await put()
    first = clock.now() + timedelta(seconds=SOON.lease)
    worker = workers(lambda _run: asyncio.sleep(60))
    loop = asyncio.create_task(worker.run())
    await until(lambda: fetch("select 1 from job where state = 'running'"))

    clock.advance(seconds=0.1)
    await until(lambda: fetch("select 1 from job where locked_until > $1", first))

    worker.stop()
    await asyncio.wait_for(loop, 5)


async def test_an_attempt_whose_lease_is_lost_is_interrupted(workers, put, fetch):
    await put()
    interrupted = asyncio.Event()

    async def sleeps(_run):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            interrupted.set()
            raise

    worker = workers(sleeps)
    loop = asyncio.create_task(worker.run())
    await until(lambda: fetch("select 1 from job where state = 'running'"))
    await fetch("update job set locked_by = 'other' where state = 'running'")

    await asyncio.wait_for(interrupted.wait(), 5)

    worker.stop()
    await asyncio.wait_for(loop, 5)
    assert await fetch("select state, locked_by from job") == [("running", "other")]


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 2), (2, 4), (5, 32), (30, 3600)])
def test_waits_double_up_to_a_bound_and_spread(attempt, seconds):
    waits = [backoff(JobKind("note", nothing), attempt) for _ in range(200)]

    assert min(waits) >= seconds * 0.75
    assert max(waits) <= seconds * 1.25
    assert len(set(waits)) > 100
