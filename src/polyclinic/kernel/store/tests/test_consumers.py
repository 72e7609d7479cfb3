"""A consumer of the change feed: each change has its effect once, whatever ends its worker."""

import asyncio
import signal
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from polyclinic.kernel.store.consumers import Consumer, MovedElsewhere, lag
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.types import from_json

SCRIPT = Path(__file__).with_name("killed_consumer.py")
spec = spec_from_file_location("killed_consumer", SCRIPT)
assert spec
assert spec.loader
killed_consumer = module_from_spec(spec)
spec.loader.exec_module(killed_consumer)

ALL = [(f"p{number}", 1) for number in range(5)]


def nothing(_point):
    """Pass every point."""


@pytest_asyncio.fixture(loop_scope="session")
async def ledger(owner):
    """Make the table of a projection, and return a function that reads it."""
    await owner.execute("create table if not exists feed_ledger (id text, version int)")
    await owner.execute("grant select, insert on feed_ledger to public")
    await owner.execute("truncate feed_ledger")

    async def read():
        return sorted(tuple(row) for row in await owner.fetch("select * from feed_ledger"))

    return read


@pytest_asyncio.fixture(loop_scope="session")
async def changes(store, job):
    """Store five patients, so that also another process can follow them."""
    for identity, _ in ALL:
        await store.update(job, from_json({"resourceType": "Patient", "id": identity}))


@pytest.fixture
def consumers(store):
    """Return the store's consumers, without what a test has them do."""
    yield store.following.consumers
    store.following.consumers.reached = nothing


@pytest.fixture
def to_the_end(consumers, clinic, ledger):
    """Return a function that handles all there is and writes it into the ledger."""
    del ledger  # its table

    async def run(consumer=None):
        consumer = consumer or killed_consumer.consumer(nothing)
        job = killed_consumer.principal(clinic.tenant.number)
        for _ in range(100):
            step = await consumers.step(job, consumer)
            if step is None:  # the server holds a dead worker's lock until it notices
                await asyncio.sleep(0.05)
            elif step.at_end:
                return

    return run


@pytest.mark.usefixtures("changes")
async def test_every_change_has_its_effect_once(ledger, to_the_end):
    await to_the_end()
    await to_the_end()

    assert await ledger() == ALL


@pytest.mark.usefixtures("changes")
@pytest.mark.parametrize("point", killed_consumer.POINTS)
async def test_r8_an_effect_happens_once_when_a_step_fails_at(
    consumers, clinic, ledger, to_the_end, point
):
    def passed(here):
        if here == point:
            raise RuntimeError

    consumers.reached = passed
    with pytest.raises(RuntimeError):
        await consumers.step(
            killed_consumer.principal(clinic.tenant.number), killed_consumer.consumer(passed)
        )
    consumers.reached = nothing
    await to_the_end()

    assert await ledger() == ALL


@pytest.mark.usefixtures("changes")
@pytest.mark.parametrize("point", killed_consumer.POINTS)
async def test_r8_an_effect_happens_once_when_the_process_is_killed_at(
    database, clinic, ledger, to_the_end, point
):
    killed = await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, database.app_dsn, str(clinic.tenant.number), point
    )

    assert await killed.wait() == -signal.SIGKILL
    await to_the_end()
    assert await ledger() == ALL


@pytest.mark.usefixtures("changes")
async def test_r8_an_effect_happens_once_when_the_connection_is_ended(
    consumers, clinic, owner, ledger, to_the_end
):
    async def handle(connection, rows):
        await connection.execute(killed_consumer.EFFECT, rows[0].stored.id, 1)
        await owner.execute("select pg_terminate_backend($1)", connection.get_server_pid())
        await connection.execute(killed_consumer.EFFECT, rows[1].stored.id, 1)

    job = killed_consumer.principal(clinic.tenant.number)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await consumers.step(job, Consumer("ledger", handle))
    await to_the_end()

    assert await ledger() == ALL


@pytest.mark.usefixtures("changes")
async def test_the_control_with_its_effect_in_another_transaction_has_it_twice(
    consumers, clinic, owner, ledger, to_the_end
):
    async def handle(_, rows):
        await owner.executemany(
            killed_consumer.EFFECT, [(row.stored.id, row.stored.version) for row in rows]
        )

    def passed(here):
        if here == "handled":
            raise RuntimeError

    consumers.reached = passed
    job = killed_consumer.principal(clinic.tenant.number)
    with pytest.raises(RuntimeError):
        await consumers.step(job, Consumer("ledger", handle))
    consumers.reached = nothing
    await to_the_end(Consumer("ledger", handle))

    assert await ledger() == sorted(ALL * 2)


def slowly(begun, end):
    """Return a consumer that writes its effect and waits."""

    async def handle(connection, rows):
        for row in rows:
            await connection.execute(killed_consumer.EFFECT, row.stored.id, row.stored.version)
        begun.set()
        await end.wait()

    return Consumer("ledger", handle)


@pytest.mark.usefixtures("changes")
async def test_one_worker_is_active_at_a_time(consumers, clinic, ledger):
    begun, end = asyncio.Event(), asyncio.Event()
    job = killed_consumer.principal(clinic.tenant.number)
    first = asyncio.create_task(consumers.step(job, slowly(begun, end)))
    await begun.wait()

    second = await consumers.step(job, killed_consumer.consumer(nothing))
    other = await consumers.step(job, Consumer("another", slowly(begun, begun).handle))
    end.set()

    assert second is None
    assert other.handled == 5
    assert (await first).handled == 5
    assert await ledger() == sorted(ALL * 2)


@pytest.mark.usefixtures("changes")
async def test_without_the_lock_a_late_worker_does_nothing(consumers, clinic, ledger, monkeypatch):
    monkeypatch.setitem(STATEMENTS, "feed_consumer_lock", "select $1::int > 0 and $2::text <> ''")
    begun, end, late = asyncio.Event(), asyncio.Event(), asyncio.Event()
    job = killed_consumer.principal(clinic.tenant.number)
    first = asyncio.create_task(consumers.step(job, slowly(begun, end)))
    await begun.wait()
    second = asyncio.create_task(consumers.step(job, slowly(late, end)))
    await late.wait()
    end.set()

    results = await asyncio.gather(first, second, return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == [MovedElsewhere.__name__, "Step"]
    assert await ledger() == ALL


@pytest.mark.usefixtures("changes")
async def test_the_lag_tells_how_many_changes_wait_and_how_long(
    store, clinic, owner, clock, to_the_end
):
    async def look():
        return [one for one in await lag(owner, clock) if one.tenant == clinic.tenant.name]

    before = await look()
    await to_the_end()
    at_end = await look()
    job = clinic.principal("job")
    written = await store.update(job, from_json({"resourceType": "Patient", "id": "late"}))
    clock.set(written.stored.last_updated)
    clock.advance(seconds=90)
    behind = await look()

    assert before == []
    assert [(one.consumer, one.behind, one.seconds) for one in at_end] == [("ledger", 0, 0.0)]
    assert [(one.consumer, one.behind, one.seconds) for one in behind] == [("ledger", 1, 90.0)]


@pytest.mark.usefixtures("changes")
async def test_it_runs_until_it_is_cancelled_and_survives_its_own_errors(
    store, consumers, clinic, ledger, monkeypatch
):
    monkeypatch.setattr("polyclinic.kernel.store.consumers._PAUSE_SECONDS", 0.01)
    failures = iter([True, False])
    good = killed_consumer.consumer(nothing)

    async def handle(connection, rows):
        if next(failures, False):
            raise RuntimeError
        await good.handle(connection, rows)
        if rows[-1].stored.id == "p5":
            handled.set()

    handled = asyncio.Event()
    job = killed_consumer.principal(clinic.tenant.number)
    running = asyncio.create_task(consumers.run(job, Consumer("ledger", handle)))
    await asyncio.sleep(0.5)
    late = from_json({"resourceType": "Patient", "id": "p5"})
    await store.update(clinic.principal("job"), late)
    await asyncio.wait_for(handled.wait(), 10)
    await asyncio.sleep(0.5)
    running.cancel()

    assert await ledger() == [*ALL, ("p5", 1)]
