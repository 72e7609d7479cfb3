"""How many requests an account may make in a minute, over all processes."""

from datetime import timedelta

import pytest
import pytest_asyncio

from polyclinic.base.db.connect import connected
from polyclinic.kernel.store.rates import Rates, TooManyRequests

MOST = 10


@pytest.fixture
def processes(pool, clock):
    """Return the counters of two processes."""
    return Rates(pool, clock, MOST), Rates(pool, clock, MOST)


@pytest_asyncio.fixture(loop_scope="session")
async def somebody(clinic):
    return clinic.principal("nurse")


def made(rates, principal, attempts):
    """Return how many of some requests were let through."""
    through = 0
    for _ in range(attempts):
        try:
            rates.count(principal)
            through += 1
        except TooManyRequests:
            break
    return through


async def test_an_account_may_make_so_many_and_no_more(processes, somebody, clinic):
    rates, _ = processes

    assert made(rates, somebody, 3 * MOST) == MOST
    assert made(rates, clinic.principal("nurse"), 1) == 1
    await rates.stop()


async def test_the_refusal_says_when_the_next_window_begins(processes, somebody, clock):
    rates, _ = processes
    made(rates, somebody, MOST)
    with pytest.raises(TooManyRequests) as caught:
        rates.count(somebody)
    await rates.stop()
    seconds = caught.value.retry_after or 0

    clock.advance(seconds=seconds)

    assert 1 <= seconds <= 61
    assert made(rates, somebody, 1) == 1
    await rates.stop()


async def test_what_other_processes_counted_is_known_after_a_fold(processes, somebody):
    here, there = processes
    for rates in (here, there):
        made(rates, somebody, 4)
        await rates.stop()
        await rates.fold()
    made(here, somebody, 1)
    await here.stop()
    await here.fold()

    assert made(here, somebody, MOST) == MOST - 9
    await here.stop()


async def test_the_control_that_never_folds_lets_each_process_have_all(processes, somebody, clock):
    for rates in processes:
        rates._fold_due = clock.now() + timedelta(days=1)

    assert [made(rates, somebody, 3 * MOST) for rates in processes] == [MOST, MOST]


async def test_a_fold_tells_each_request_once(processes, somebody, database):
    rates, _ = processes
    made(rates, somebody, 3)
    await rates.stop()
    await rates.fold()
    await rates.fold()

    async with connected(database.require_owner()) as owner:
        told = await owner.fetchval(
            "select sum(requests)::int from request_count where account = $1", somebody.account
        )

    assert told == 3


async def test_old_windows_are_removed(processes, somebody, clock, database):
    rates, _ = processes
    made(rates, somebody, 1)
    await rates.stop()
    await rates.fold()
    clock.advance(seconds=timedelta(minutes=20).total_seconds())
    made(rates, somebody, 1)
    await rates.stop()
    await rates.fold()

    async with connected(database.require_owner()) as owner:
        windows = await owner.fetchval(
            "select count(*) from request_count where account = $1", somebody.account
        )

    assert windows == 1


async def test_without_a_limit_nothing_is_counted(pool, clock, somebody):
    rates = Rates(pool, clock, 0)

    assert made(rates, somebody, 1000) == 1000
    assert rates._counts == {}
