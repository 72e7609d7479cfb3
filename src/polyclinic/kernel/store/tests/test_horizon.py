"""What can be told and sealed: whatever no running transaction of this database can precede."""

from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from polyclinic.base.db.connect import connected

HORIZON = "select store_horizon()"
OWN = "select pg_current_xact_id()"


@pytest_asyncio.fixture(loop_scope="session")
async def neighbour(postgres):
    """Yield a connection to another database of the same server."""
    async with connected(postgres.url("postgres")) as connection:
        yield connection


@pytest_asyncio.fixture(loop_scope="session")
async def second(postgres, own_database):
    """Yield a second connection to the database."""
    name = urlsplit(own_database.app_dsn).path[1:]
    async with connected(postgres.url(name)) as connection:
        yield connection


@pytest_asyncio.fixture(loop_scope="session")
async def app(own_database):
    """Yield a connection of the role that serves."""
    async with connected(own_database.app_dsn) as connection:
        yield connection


async def test_a_transaction_in_this_database_holds_the_horizon_back(app, second):
    async with second.transaction():
        running = await second.fetchval(OWN)
        passed = await app.fetchval(OWN)
        held = await app.fetchval(HORIZON)

    assert held <= running < passed
    assert await app.fetchval(HORIZON) > running


async def test_a_transaction_in_another_database_does_not(app, neighbour):
    async with neighbour.transaction():
        running = await neighbour.fetchval(OWN)
        passed = await app.fetchval(OWN)
        horizon = await app.fetchval(HORIZON)
        everybodys = await app.fetchval("select pg_snapshot_xmin(pg_current_snapshot())")

    assert everybodys <= running < passed < horizon


async def test_a_transaction_learns_who_runs_now(app, second):
    async with app.transaction():
        await app.fetchval(HORIZON)
        async with second.transaction():
            running = await second.fetchval(OWN)

            assert await app.fetchval(HORIZON) <= running


async def test_what_was_prepared_holds_the_horizon_back(app, second):
    if await second.fetchval("show max_prepared_transactions") == "0":
        pytest.skip("this PostgreSQL prepares no transactions")
    await second.execute("begin")
    running = await second.fetchval(OWN)
    await second.execute("prepare transaction 'held'")
    try:
        held = await app.fetchval(HORIZON)
    finally:
        await second.execute("rollback prepared 'held'")

    assert held <= running


@pytest.mark.parametrize("subtransactions", [1, 80])
async def test_what_a_savepoint_wrote_is_held_back_with_its_transaction(
    app, second, subtransactions
):
    async with second.transaction():
        running = await second.fetchval(OWN)
        for _ in range(subtransactions):
            async with second.transaction():
                await second.execute("create temporary table if not exists t (n int)")
        await app.fetchval(OWN)

        assert await app.fetchval(HORIZON) <= running
