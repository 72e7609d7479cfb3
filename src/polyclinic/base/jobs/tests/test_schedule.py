import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.base.jobs.schedule import Schedule, enqueue_due

HOURLY = Schedule("count", "note", timedelta(hours=1), tenant=1, payload={"n": 1})
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive


@pytest.fixture
def look(queue, clock):
    async def look():
        async with queue.acquire() as connection:
            return await enqueue_due(connection, HOURLY, clock)

    return look


async def test_the_first_job_comes_with_the_next_period(look, clock):
    at_first = await look()
    clock.advance(minutes=29)
    before = await look()
    clock.advance(minutes=1)

    assert (at_first, before, await look()) == (False, False, True)


async def test_a_period_has_one_job_however_many_look(look, clock, fetch):
    await look()
    clock.advance(hours=1)

    found = await asyncio.gather(*(look() for _ in range(8)))

    assert sum(found) == 1
    assert await fetch("select kind, payload, tenant from job") == [("note", '{"n": 1}', 1)]


async def test_periods_that_nobody_saw_make_one_job(look, clock):
    await look()
    clock.advance(days=3)

    assert [await look(), await look()] == [True, False]


@given(moment=MOMENTS, minutes=st.integers(1, 100_000))
def test_a_period_begins_after_the_moment_and_not_later_than_one_period(moment, minutes):
    every = timedelta(minutes=minutes)

    begin = Schedule("s", "k", every, tenant=1).begin_after(moment)

    assert timedelta(0) < begin - moment <= every
    assert begin == Schedule("s", "k", every, tenant=1).begin_after(
        begin - timedelta(microseconds=1)
    )
