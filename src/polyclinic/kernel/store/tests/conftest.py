"""A second process's view of the store, and the tables as their owner sees them."""

from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from polyclinic.base.clock import SystemClock
from polyclinic.base.db.connect import connected
from polyclinic.base.db.migrate import find_migrations
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.store import open_store
from polyclinic.testing.postgres import cloned
from polyclinic.testing.tables import faults


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def owner(postgres, database):
    """Yield a connection of the superuser, whom no policy of rows binds."""
    name = urlsplit(database.app_dsn).path[1:]
    async with connected(postgres.url(name)) as connection:
        yield connection


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def other_process(database):
    """Yield a store that remembers nothing of what the other one does."""
    clock = SystemClock()
    async with open_store(
        database.app_dsn, Settings(), clock=clock, ids=TimeOrderedIds(clock)
    ) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def twin(other_process, clinic, kek):
    """Return the other process's store, where the clinic's tenant is open too."""
    await other_process.open_tenant(clinic.tenant.name, kek)
    return other_process


@pytest.fixture
def job(clinic):
    """Return somebody who may write everything."""
    return clinic.principal("job")


@pytest.fixture
def stores(store, twin):
    """Return the stores of two processes."""
    return [store, twin]


@pytest.fixture
def table_faults(clinic, owner, store):
    """Return a function that looks for what the clinic's tables lack or have too much."""

    async def look():
        return await faults(owner, clinic.tenant, store.bodies)

    return look


@pytest_asyncio.fixture(loop_scope="session")
async def own_database(postgres, migration_packages, request):
    """Yield a migrated database that this test alone uses."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    template = await postgres.ensure_template(find_migrations(migration_packages))
    async with cloned(postgres, postgres.name_of(f"{worker}_own"), template) as database:
        yield database
