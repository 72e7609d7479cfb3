"""An installation of its own: a database, a key file, and processes that work with them."""

from contextlib import AsyncExitStack
from itertools import count

import pytest
import pytest_asyncio

from polyclinic.base.clock import SystemClock
from polyclinic.base.db.connect import connected
from polyclinic.base.db.migrate import find_migrations
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.keys import KeyFile, KeyRing
from polyclinic.base.settings import Settings
from polyclinic.kernel.store import open_store
from polyclinic.testing.clinic import Clinic
from polyclinic.testing.postgres import cloned
from polyclinic.testing.tables import faults

numbers = count(1)


class Installation:
    """A database whose keys are wrapped under a key file."""

    def __init__(self, database, owner, everything, path, stack):
        self.database = database
        self.owner = owner
        self.everything = everything
        """A connection of the superuser, whom no policy of rows binds."""
        self.path = path
        self.file = KeyFile(path)
        self._stack = stack

    async def process(self, *, rereads=True):
        """Return the clinic as a process sees it that starts now."""
        file = KeyFile(self.path)
        ring = KeyRing(await file.read(is_new=True), file if rereads else None)
        clock = SystemClock()
        store = await self._stack.enter_async_context(
            open_store(self.database.app_dsn, Settings(), clock=clock, ids=TimeOrderedIds(clock))
        )
        return Clinic(store, await store.open_tenant("clinic", ring))

    async def faults(self, clinic):
        """Return what the tables lack or have too much."""
        return await faults(self.everything, clinic.tenant, clinic.store.bodies)

    async def keks(self):
        """Return the names of the keys that data keys are wrapped under."""
        rows = await self.owner.fetch("select distinct kek from data_key where wrapped is not null")
        return {row["kek"] for row in rows}


@pytest_asyncio.fixture(loop_scope="session")
async def installation(postgres, migration_packages, request, tmp_path):
    """Yield an installation that nobody has used."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    template = await postgres.ensure_template(find_migrations(migration_packages))
    name = postgres.name_of(f"{worker}_keys_{next(numbers)}")
    async with (
        cloned(postgres, name, template) as database,
        connected(database.require_owner()) as owner,
        connected(postgres.url(name)) as everything,
        AsyncExitStack() as stack,
    ):
        yield Installation(database, owner, everything, tmp_path / "keys" / "kek", stack)


@pytest_asyncio.fixture(loop_scope="session")
async def clinic(installation):
    """Return the clinic, as the first process sees it."""
    return await installation.process()


@pytest.fixture
def job(clinic):
    """Return somebody who may write everything."""
    return clinic.principal("job")
