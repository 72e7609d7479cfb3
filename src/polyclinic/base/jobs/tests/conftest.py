from importlib.resources import files

import pytest
import pytest_asyncio

from polyclinic.base.db.connect import connected, role_of
from polyclinic.base.db.pool import create_pool
from polyclinic.base.jobs.queue import NewJob, enqueue
from polyclinic.base.settings import Settings
from polyclinic.testing.postgres import cloned


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def queue_url(postgres, request):
    """Yield the URL of a database with the queue's tables and a ledger of effects."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    name = postgres.name_of(f"{worker}_jobs")
    async with cloned(postgres, name, "template0") as database:
        app = role_of(database.app_dsn)
        schema = files("polyclinic.base.jobs").joinpath("migrations/0001_jobs.sql").read_text()
        async with connected(database.require_owner()) as connection:
            await connection.execute(schema.replace("${app}", app))
            await connection.execute("create table ledger (entry text, tenant int)")
            await connection.execute(f"grant all on ledger to {app}")
        yield database.app_dsn


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def queue_pool(queue_url):
    pool = await create_pool(queue_url, Settings(), "jobs")
    yield pool
    await pool.close()


@pytest_asyncio.fixture(loop_scope="session")
async def queue(queue_pool):
    """Yield the pool with empty tables."""
    async with queue_pool.acquire() as connection:
        await connection.execute("delete from job; delete from job_schedule; delete from ledger")
    return queue_pool


@pytest.fixture
def put(queue, clock):
    async def put(kind="note", tenant=1, **more):
        async with queue.acquire() as connection:
            return await enqueue(connection, [NewJob(tenant, kind, **more)], clock)

    return put


@pytest.fixture
def fetch(queue):
    async def fetch(query, *values):
        async with queue.acquire() as connection:
            return [tuple(row) for row in await connection.fetch(query, *values)]

    return fetch
