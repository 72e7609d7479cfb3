"""A whole application on a database of its own."""

import signal
from contextlib import asynccontextmanager

import httpx
import pytest
import pytest_asyncio

from polyclinic import cli
from polyclinic.app.http import Application
from polyclinic.app.modules import MODULES
from polyclinic.base.db.migrate import find_migrations
from polyclinic.base.settings import Settings
from polyclinic.modules.identity.model import NewAccount
from polyclinic.modules.identity.service import Identity
from polyclinic.testing.postgres import cloned

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def app_settings(tmp_path_factory):
    """Return settings whose key file is the one that the database was made with."""
    return Settings(data=tmp_path_factory.mktemp("var"), job_concurrency=0, max_body=64 * 1024)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def app_database(postgres, migration_packages, request):
    """Yield a database that no other test has put keys into."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    template = await postgres.ensure_template(find_migrations(migration_packages))
    async with cloned(postgres, postgres.name_of(f"{worker}_app"), template) as database:
        yield database


@pytest_asyncio.fixture(loop_scope="session")
async def empty_database(make_database):
    """Return a database without a table."""
    return await make_database()


@pytest.fixture(scope="session")
def started(app_settings, app_database):
    """Return a function that lends a running application."""

    @asynccontextmanager
    async def run(modules=MODULES, settings=app_settings, database=app_database):
        application = Application(settings, modules, database)
        await application.start()
        try:
            yield application
        finally:
            await application.stop()

    return run


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def application(started):
    """Yield a running application with an account."""
    async with started() as running:
        identity = running._services.part(Identity)
        doctor = NewAccount("doctor", "Dr. Ada Okafor", frozenset({"clinician"}), None)
        await identity.put_account(doctor, PASSWORD)
        yield running


@pytest.fixture(scope="session")
def connect():
    """Return a function that makes a client of an application."""

    def to(application, address="http://clinic.test", **options):
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=address, **options)

    return to


@pytest_asyncio.fixture(loop_scope="session")
async def nobody(application, connect):
    """Yield a client that has not signed in."""
    async with connect(application) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def token(application):
    """Return a bearer token of the doctor."""
    return await application._services.part(Identity).issue_token("doctor", "test")


@pytest.fixture
def signals():
    """Put back what a command does about signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def run(signals, monkeypatch, capsys, app_settings, app_database):  # noqa: ARG001 - put back
    """Return a function that runs a command on the tests' database."""

    def command(*words, **environment):
        settings = {
            "POLYCLINIC_DATA": app_settings.data,
            "POLYCLINIC_DATABASE_URL": app_database.app_dsn,
            "POLYCLINIC_MIGRATE_URL": app_database.owner_dsn,
            "PORT": "0",
        }
        for name, value in (settings | environment).items():
            monkeypatch.setenv(name, str(value or ""))
        code: object
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as ended:
            code = ended.code
        return code, *capsys.readouterr()

    return command
