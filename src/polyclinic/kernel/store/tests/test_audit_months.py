"""Each month's audit rows lie in a partition of their own, made before it begins."""

from datetime import UTC, datetime

import pytest

from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.store import open_store
from polyclinic.testing.clock import FixedClock

LIES_IN = """
    select tableoid::regclass::text from audit where tenant = $1 and interaction is null
    order by counter
"""
IN_THE_REST = "select count(*) from audit_rest where tenant = $1"


@pytest.fixture
async def late(database, clinic, kek):
    """Yield a store just before the end of a month, and its clock."""
    clock = FixedClock(datetime(2036, 1, 31, 23, 59, 59, tzinfo=UTC))
    ids = TimeOrderedIds(clock)
    async with open_store(database.app_dsn, Settings(), clock=clock, ids=ids) as opened:
        await opened.open_tenant(clinic.tenant.name, kek)
        yield opened, clock


async def read(store, job):
    with pytest.raises(NotFound):
        await store.read(job, "Patient", "nobody")


async def test_a_month_changes_between_two_rows(late, job, owner, clinic):
    store, clock = late

    await read(store, job)
    clock.advance(seconds=1)
    await read(store, job)

    rows = await owner.fetch(LIES_IN, clinic.tenant.number)
    assert [row[0] for row in rows] == ["audit_2036_01", "audit_2036_02"]
    assert await owner.fetchval(IN_THE_REST, clinic.tenant.number) == 0


async def test_upkeep_makes_the_months_of_a_process_that_runs_on(late, job, owner, clinic):
    store, clock = late

    for _ in range(4):
        await store.upkeep(job)
        clock.advance(days=31)
        await read(store, job)

    rows = await owner.fetch(LIES_IN, clinic.tenant.number)
    assert [row[0] for row in rows] == [f"audit_2036_{month:02}" for month in (3, 4, 5, 6)]
    assert await owner.fetchval(IN_THE_REST, clinic.tenant.number) == 0


async def test_without_upkeep_a_later_month_lands_in_the_rest(late, job, owner, clinic):
    store, clock = late
    clock.advance(days=4000)

    await read(store, job)

    assert await owner.fetchval(IN_THE_REST, clinic.tenant.number) == 1
