"""Clients of one account, in two processes."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from polyclinic.base.clock import SystemClock
from polyclinic.base.db.connect import connected
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.store import open_store
from polyclinic.testing.clinic import Clinic
from polyclinic.testing.retries import ACCOUNT
from polyclinic.testing.tables import faults


@pytest.fixture
def principal(clinic):
    return replace(clinic.principal("job"), account=ACCOUNT)


@pytest_asyncio.fixture(loop_scope="session")
async def client(clinic, principal):
    async with clinic.client(principal) as client:
        yield client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def owner(postgres, database):
    """Yield a connection of the superuser, whom no policy of rows binds."""
    name = urlsplit(database.app_dsn).path[1:]
    async with connected(postgres.url(name)) as connection:
        yield connection


@pytest.fixture
def table_faults(clinic, owner, store):
    """Return a function that looks for what the clinic's tables lack or have too much."""

    async def look():
        return await faults(owner, clinic.tenant, store.bodies)

    return look


@pytest_asyncio.fixture(loop_scope="session")
async def other(database, clinic, kek, principal):
    """Yield a client of another process of the same clinic."""
    clock = SystemClock()
    async with open_store(
        database.app_dsn, Settings(), clock=clock, ids=TimeOrderedIds(clock)
    ) as store:
        twin = Clinic(store, await store.open_tenant(clinic.tenant.name, kek))
        async with twin.client(principal) as client:
            yield client
