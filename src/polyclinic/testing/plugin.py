"""pytest's plugin of the test kit: the run's PostgreSQL, and fakes for what lies outside.

A test asks for ``database`` or ``pool`` and gets a migrated database of its process; it makes a
tenant of its own in it rather than cleaning up. Everything asynchronous shares one event loop for
the session, because a connection belongs to its loop.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import asdict
from itertools import count
from typing import Any, Final

import pytest
import pytest_asyncio
from hypothesis import settings as property_settings

from polyclinic.base import config as settings_reader
from polyclinic.base.db.database import Database
from polyclinic.base.db.migrate import find_migrations
from polyclinic.base.db.pool import Pool, create_pool
from polyclinic.base.settings import Settings
from polyclinic.testing.clock import FixedClock
from polyclinic.testing.ids import SequentialIds
from polyclinic.testing.outbound import RecordedHttp, RecordedMail, RecordedSms
from polyclinic.testing.postgres import Postgres, Run, cloned, installed_packages
from polyclinic.testing.settings import RunSettings

# A deadline for an example would measure the machine's load, not the code.
property_settings.register_profile("polyclinic", deadline=None)
property_settings.register_profile("fuzz", deadline=None, max_examples=5000)
property_settings.load_profile("polyclinic")

_RUN: Final = pytest.StashKey[Run]()
_WORKER_KEY: Final = "polyclinic_run"


def pytest_configure(config: pytest.Config) -> None:
    """Choose the run's name and directory, or take them from the process that leads."""
    given = getattr(config, "workerinput", {}).get(_WORKER_KEY)
    run = Run(**json.loads(given)) if given else Run.begin(settings_reader.read(RunSettings))
    config.stash[_RUN] = run


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process that xdist starts which run it belongs to."""
    node.workerinput[_WORKER_KEY] = json.dumps(asdict(node.config.stash[_RUN]))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what kills and restarts for a long time, unless it is asked for."""
    if "soak" not in str(config.getoption("markexpr")):
        long = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the run made; the process that leads ends last."""
    if not hasattr(config, "workerinput") and _RUN in config.stash:
        config.stash[_RUN].end()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """Yield the run's server."""
    server = Postgres(request.config.stash[_RUN])
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migration_packages() -> list[str]:
    """Return the packages whose migrations make the tables of ``database``."""
    return installed_packages()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(
    request: pytest.FixtureRequest, postgres: Postgres, migration_packages: list[str]
) -> AsyncIterator[Database]:
    """Yield this process's database, migrated."""
    template = await postgres.ensure_template(find_migrations(migration_packages))
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    async with cloned(postgres, postgres.name_of(worker), template) as clone:
        yield clone


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool(database: Database) -> AsyncIterator[Pool]:
    """Yield a pool of the role that serves on this process's database."""
    pool = await create_pool(database.app_dsn, Settings(), "polyclinic tests")
    yield pool
    await pool.close()


@pytest_asyncio.fixture(loop_scope="session")
async def make_database(
    postgres: Postgres, request: pytest.FixtureRequest
) -> AsyncIterator[Callable[[], Awaitable[Database]]]:
    """Yield a function that makes an empty database; all are dropped after the test."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    numbers = count(1)
    async with AsyncExitStack() as stack:

        async def make() -> Database:
            name = postgres.name_of(f"{worker}_{next(numbers)}")
            return await stack.enter_async_context(cloned(postgres, name, "template0"))

        yield make


@pytest.fixture
def clock() -> FixedClock:
    """Return a clock that stands still."""
    return FixedClock()


@pytest.fixture
def ids() -> SequentialIds:
    """Return ids that can be foretold."""
    return SequentialIds()


@pytest.fixture
def mail() -> RecordedMail:
    """Return a recorder of mail."""
    return RecordedMail()


@pytest.fixture
def sms() -> RecordedSms:
    """Return a recorder of text messages."""
    return RecordedSms()


@pytest.fixture
def outbound_http() -> RecordedHttp:
    """Return a recorder of requests to other servers."""
    return RecordedHttp()
