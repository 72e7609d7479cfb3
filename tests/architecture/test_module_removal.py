"""The platform starts and answers without each module in turn: none is needed by another."""

import httpx
import pytest
import pytest_asyncio

from polyclinic.app.build import migrations
from polyclinic.app.http import Application
from polyclinic.app.modules import MODULES
from polyclinic.base.clock import SystemClock
from polyclinic.base.db.migrate import migrate
from polyclinic.base.settings import Settings

without_each = pytest.mark.parametrize("removed", MODULES, ids=lambda module: module.name)


@pytest_asyncio.fixture(loop_scope="session")
async def running(make_database, tmp_path, removed):
    """Yield a client of the platform without one module, on a database that never had it."""
    kept = [module for module in MODULES if module is not removed]
    database = await make_database()
    await migrate(database, migrations(kept), SystemClock())
    application = Application(Settings(data=tmp_path), kept, database)
    await application.start()
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://clinic.test") as client:
        yield client
    await application.stop()


@without_each
async def test_it_is_ready_and_tells_what_it_can(running, removed):
    assert (await running.get("/readyz")).text == "ready\n", removed.name
    assert (await running.get("/fhir/metadata")).status_code == 200
    assert (await running.get("/")).status_code == 200


@without_each
async def test_what_it_added_is_gone_and_nothing_opened_instead(running, removed):
    for route in removed.routes:
        answer = await running.request(route.method, route.path)
        assert answer.status_code in (200, 405)
        assert "json" not in answer.headers.get("content-type", "")
    assert (await running.get("/fhir/Patient")).status_code == 401
