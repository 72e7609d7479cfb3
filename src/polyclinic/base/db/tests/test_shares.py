"""A pool is divided among lanes, so that a slow one leaves some for the others."""

import asyncio
import time
from dataclasses import replace

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.base.db.errors import DatabaseBusy
from polyclinic.base.db.pool import create_pool
from polyclinic.base.db.shares import Shares
from polyclinic.base.lanes import lane
from polyclinic.base.settings import Settings

SLOW, OTHER, THIRD = 1, 2, 3
SETTINGS = Settings(pool_min=0, pool_max=4, acquire_timeout=5)


@pytest_asyncio.fixture(loop_scope="session")
async def pool(database):
    pool = await create_pool(database.app_dsn, SETTINGS, "shares")
    yield pool
    await pool.close()


async def sleep(pool, number, seconds):
    with lane(number):
        async with pool.acquire() as connection:
            await connection.execute("select pg_sleep($1)", seconds)


async def quick(pool, number):
    began = time.monotonic()
    await sleep(pool, number, 0.0)
    return time.monotonic() - began


@pytest.mark.parametrize(("slow", "is_stalled"), [(SLOW, False), (None, True)])
async def test_d7_a_slow_tenant_does_not_stall_another(pool, slow, is_stalled):
    statements = [asyncio.create_task(sleep(pool, slow, 0.6)) for _ in range(12)]
    await asyncio.sleep(0.2)

    took = await quick(pool, OTHER)

    for statement in statements:
        statement.cancel()
    await asyncio.gather(*statements, return_exceptions=True)
    assert (took > 0.3) is is_stalled


async def test_without_lanes_every_connection_is_used(pool):
    began = time.monotonic()

    await asyncio.gather(*(sleep(pool, None, 0.2) for _ in range(4)))

    assert time.monotonic() - began < 0.7


async def test_waiting_for_the_lanes_turn_is_bounded(database):
    brief = await create_pool(database.app_dsn, replace(SETTINGS, acquire_timeout=0.1), "brief")
    waiting = [asyncio.create_task(sleep(brief, SLOW, 0.5)) for _ in range(2)]
    await asyncio.sleep(0.1)

    with pytest.raises(DatabaseBusy):
        await quick(brief, SLOW)
    await asyncio.gather(*waiting)
    assert await quick(brief, SLOW) < 0.3
    await brief.close()


class Model:
    """Lanes that enter and leave at will, and what each of them holds."""

    def __init__(self, places):
        self.places = places
        self.shares = Shares(places)
        self.held = dict.fromkeys((SLOW, OTHER, THIRD), 0)
        self.waiting = []

    async def enter(self, number):
        async def entered():
            await self.shares.enter(number, 60)
            self.held[number] += 1

        self.waiting.append(asyncio.create_task(entered()))
        await self.settled()

    async def leave(self, number):
        if self.held[number]:
            self.held[number] -= 1
            self.shares.leave(number)
            await self.settled()

    async def cancel(self):
        if self.waiting:
            self.waiting.pop(0).cancel()
            await self.settled()

    async def settled(self):
        for _ in range(5):
            await asyncio.sleep(0)
        self.waiting = [task for task in self.waiting if not task.done()]

    async def end(self):
        while any(self.held.values()) or self.waiting:
            for number in self.held:
                await self.leave(number)


steps = st.lists(
    st.tuples(st.sampled_from(["enter", "enter", "leave", "cancel"]), st.integers(1, 3)),
    max_size=40,
)


@given(places=st.integers(12, 16), steps=steps)
def test_a_lane_that_holds_none_finds_a_place_and_nothing_is_lost(places, steps):
    async def run():
        model = Model(places)
        for step, number in steps:
            await (model.cancel() if step == "cancel" else getattr(model, step)(number))
            total = sum(model.held.values())
            assert total < places
            assert max(model.held.values()) * 2 <= places + 1
        newcomer = asyncio.create_task(model.shares.enter(4, 60))
        await model.settled()
        assert newcomer.done()
        model.shares.leave(4)
        await model.end()
        assert model.shares._free == places
        assert (model.shares._held, model.shares._waiting) == ({}, {})

    asyncio.run(run())
