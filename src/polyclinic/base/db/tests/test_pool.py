import asyncio
import re
from dataclasses import replace

import asyncpg
import pytest
import pytest_asyncio

from polyclinic.base.db.connect import connected
from polyclinic.base.db.errors import DatabaseBusy, DatabaseUnavailable
from polyclinic.base.db.pool import create_pool
from polyclinic.base.settings import Settings

SETTINGS = Settings(pool_min=0, pool_max=1, acquire_timeout=0.2, statement_timeout=0.2)


@pytest_asyncio.fixture(loop_scope="session")
async def small(database):
    pool = await create_pool(database.app_dsn, SETTINGS, "small", {"work_mem": "1MB"})
    yield pool
    await pool.close()


async def setting(pool, name):
    async with pool.acquire() as connection:
        return await connection.fetchval("select current_setting($1)", name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("application_name", "small"),
        ("statement_timeout", "200ms"),
        ("timezone", "UTC"),
        ("work_mem", "1MB"),
    ],
)
async def test_a_session_has_its_parameters(small, name, value):
    assert await setting(small, name) == value


async def test_waiting_for_a_connection_is_bounded(small):
    async with small.acquire():
        with pytest.raises(DatabaseBusy, match="POLYCLINIC_POOL_MAX"):
            async with small.acquire():
                pass


async def test_a_connection_that_nobody_waited_for_is_lent_again(small):
    async with small.acquire():
        with pytest.raises(DatabaseBusy):
            await small.take()

    for _ in range(3):
        async with small.acquire() as connection:
            assert await connection.fetchval("select 1") == 1
    assert small.idle == 1


async def test_a_taker_that_is_cancelled_takes_nothing(small):
    async with small.acquire():
        taker = asyncio.create_task(small.take())
        await asyncio.sleep(0.02)
        taker.cancel()
        await asyncio.gather(taker, return_exceptions=True)

    async with small.acquire() as connection:
        assert await connection.fetchval("select 1") == 1


async def test_a_statement_is_bounded(small):
    async with small.acquire() as connection:
        with pytest.raises(asyncpg.QueryCanceledError):
            await connection.execute("select pg_sleep(5)")


async def test_returning_a_connection_sends_nothing(small, postgres):
    async with small.acquire() as connection:
        await connection.fetchval("select 41")
        pid = connection.get_server_pid()

    async with connected(postgres.url("postgres")) as other:
        last = await other.fetchval("select query from pg_stat_activity where pid = $1", pid)

    assert last == "select 41"


async def test_a_transaction_that_was_left_open_does_not_leak(small):
    reported = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: reported.append(context["message"]))
    async with small.acquire() as connection:
        await connection.execute("begin")
    loop.set_exception_handler(None)

    async with small.acquire() as connection:
        assert not connection.is_in_transaction()
    assert len(reported) == 1


async def test_a_context_set_in_a_transaction_ends_with_it(small):
    async with small.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('polyclinic.tenant', '7', true)")

    async with small.acquire() as connection:
        left = await connection.fetchval("select current_setting('polyclinic.tenant', true)")

    assert left in {None, ""}


async def test_json_comes_as_text_and_bytes_as_bytes(small):
    async with small.acquire() as connection:
        row = await connection.fetchrow("select '{\"a\": 1.00}'::jsonb, '\\x00ff'::bytea")

    assert tuple(row) == ('{"a": 1.00}', b"\x00\xff")


async def test_a_connection_that_was_ended_is_replaced(small, postgres):
    async with small.acquire() as connection:
        pid = connection.get_server_pid()
    async with connected(postgres.url("postgres")) as other:
        await other.execute(f"select pg_terminate_backend({pid})")
    await asyncio.sleep(0.1)

    async with small.acquire() as connection:
        assert await connection.fetchval("select 1") == 1


async def test_a_pool_with_a_wrong_password_says_so(database):
    wrong = re.sub(r":(\w+)@", r":x\1@", database.app_dsn)

    with pytest.raises(DatabaseUnavailable, match="refuses the role or its password"):
        await create_pool(wrong, replace(SETTINGS, pool_min=1))


async def test_sizes_are_told(small):
    async with small.acquire():
        assert (small.size, small.idle) == (1, 0)
