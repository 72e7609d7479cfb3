import asyncpg
import pytest

from polyclinic.base.db.connect import connected, inspect
from polyclinic.testing.postgres import cloned


async def test_the_pool_serves_as_the_role_without_rights(database, pool):
    async with pool.acquire() as connection:
        role = await connection.fetchrow(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
            " from pg_roles where rolname = current_user"
        )

    assert list(role) == [False, False, False, False]
    assert database.app_dsn != database.owner_dsn


async def test_databases_that_are_made_are_empty_and_apart(make_database):
    one, other = await make_database(), await make_database()

    async with connected(one.require_owner()) as connection:
        await connection.execute("create table bed ()")

    async with connected(other.require_owner()) as connection:
        assert await connection.fetchval("select to_regclass('bed')") is None


async def test_a_clone_has_what_its_template_has_and_is_dropped(postgres, make_database):
    template = await make_database()
    async with connected(template.require_owner()) as connection:
        await connection.execute("create table bed as select 7 as number")
        name = await connection.fetchval("select current_database()")

    async with (
        cloned(postgres, postgres.name_of("clone"), name) as clone,
        connected(clone.require_owner()) as connection,
    ):
        assert await connection.fetchval("select number from bed") == 7

    with pytest.raises(Exception, match="no such database") as caught:
        await inspect(clone.app_dsn)
    assert isinstance(caught.value.__cause__, asyncpg.InvalidCatalogNameError)


async def test_nobody_else_may_connect(make_database):
    database = await make_database()
    async with connected(database.require_owner()) as connection:
        granted = await connection.fetchval(
            "select datacl::text from pg_database where datname = current_database()"
        )

    # An entry without a role, "=...", would be PUBLIC's.
    assert "{=" not in granted
    assert ",=" not in granted
