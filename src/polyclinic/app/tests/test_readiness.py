"""Alive, and ready: the two questions of whoever watches the server."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from polyclinic.app.build import migrations
from polyclinic.app.http import Application
from polyclinic.app.modules import MODULES
from polyclinic.base.clock import SystemClock
from polyclinic.base.db.connect import connected
from polyclinic.base.db.migrate import migrate
from polyclinic.base.keys import KEY_FILE


@pytest_asyncio.fixture(loop_scope="session")
async def own(make_database, started, app_settings, tmp_path, connect):
    """Yield a database of one's own and a client of an application on it."""
    database = await make_database()
    await migrate(database, migrations(MODULES), SystemClock())
    settings = replace(app_settings, data=tmp_path, acquire_timeout=0.5)
    running = started(settings=settings, database=database)
    async with running as application, connect(application) as client:
        yield database, client


async def test_a_server_on_a_migrated_database_is_ready(own):
    _, client = own

    answer = await client.get("/readyz")

    assert (answer.status_code, answer.text) == (200, "ready\n")


async def test_a_migration_that_waits_makes_it_unready_and_leaves_it_alive(own):
    database, client = own
    async with connected(database.require_owner()) as owner:
        await owner.execute("delete from migration where package like '%identity'")

    answer = await client.get("/readyz")

    assert (answer.status_code, answer.text) == (503, "the database is not migrated\n")
    assert (await client.get("/healthz")).status_code == 200


async def test_a_database_that_went_away_makes_it_unready_until_it_is_back(own, postgres):
    database, client = own
    name = urlsplit(database.app_dsn).path[1:]
    async with connected(postgres.url("postgres")) as superuser:
        await superuser.execute(f'alter database "{name}" allow_connections false')
        await superuser.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name
        )
        away = await client.get("/readyz")
        await superuser.execute(f'alter database "{name}" allow_connections true')

    back = await client.get("/readyz")

    assert (away.status_code, away.text) == (503, "the database cannot be reached\n")
    assert back.status_code == 200


@pytest.mark.parametrize("broken", ["wrong key", "no key", "no database"])
async def test_a_server_that_cannot_start_says_so_and_lets_go(
    own, app_settings, tmp_path, caplog, broken
):
    database, _ = own
    settings = replace(app_settings, data=tmp_path / "other")
    if broken == "wrong key":
        key = settings.data / KEY_FILE
        key.parent.mkdir(parents=True)
        key.write_bytes(bytes(32))
        key.chmod(0o400)
    if broken == "no database":
        database = replace(database, app_dsn="postgresql://nobody@127.0.0.1:1/nothing")

    application = Application(settings, MODULES, database)
    sent = await lifespan(application)

    assert [message["type"] for message in sent] == ["lifespan.startup.failed"]
    assert "server.not_started" in caplog.text


async def test_a_server_starts_and_stops_by_lifespan(own, app_settings, tmp_path):
    database, _ = own
    settings = replace(app_settings, data=tmp_path)

    sent = await lifespan(Application(settings, MODULES, database))

    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def lifespan(application):
    """Start and stop an application as its server does, and return what it said."""
    sent = []
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive():
        return {"type": next(messages)}

    async def send(message):
        sent.append(message)

    await application({"type": "lifespan"}, receive, send)
    return sent
