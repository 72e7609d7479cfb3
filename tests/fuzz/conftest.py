"""A clinic with a little of every type, and somebody who may search all of it."""

import pytest_asyncio

from polyclinic.base.clock import SystemClock
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.store import open_store
from polyclinic.testing.clinic import Clinic
from polyclinic.testing.clock import FixedClock
from polyclinic.testing.isolation.population import load, stages


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def filled(database, kek):
    """Yield a clinic in which there is something of every type."""
    clock = SystemClock()
    async with open_store(
        database.app_dsn, Settings(), clock=clock, ids=TimeOrderedIds(clock)
    ) as store:
        clinic = Clinic(store, await store.open_tenant("fuzz", kek))
        job = clinic.principal("job")
        await load(store, job, FixedClock(), stages("left", frozenset()))
        await store.loaded(job)
        yield clinic
