import asyncio
import sys
from dataclasses import replace

import pytest

from polyclinic.base.db.connect import connected
from polyclinic.base.db.errors import DatabaseTooNew, MigrationError
from polyclinic.base.db.migrate import Migration, find_migrations, migrate, pending

FIRST = Migration("ward", "0001_bed.sql", "create table bed (); grant select on bed to ${app};")
SECOND = Migration("ward", "0002_room.sql", "create table room ();")
OTHER = Migration("kitchen", "0001_menu.sql", "create table menu ();")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that makes a package with the migrations that are named."""

    def make(*names):
        folder = tmp_path / "some_ward"
        (folder / "migrations").mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        for name in names:
            (folder / "migrations" / name).write_text(f"-- {name}")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "some_ward", raising=False)
        return "some_ward"

    return make


@pytest.fixture
def ask():
    """Return a function that asks the role that serves what is pending."""

    async def ask(database, migrations):
        async with connected(database.app_dsn) as connection:
            return await pending(connection, migrations)

    return ask


async def test_migrations_run_once_in_their_order(make_database, clock):
    database = await make_database()

    first = await migrate(database, [FIRST, SECOND], clock)
    again = await migrate(database, [FIRST, SECOND, OTHER], clock)

    assert first == ["ward/0001_bed.sql", "ward/0002_room.sql"]
    assert again == ["kitchen/0001_menu.sql"]


async def test_what_ran_is_recorded_with_its_digest_and_moment(make_database, clock):
    database = await make_database()
    await migrate(database, [FIRST], clock)

    async with connected(database.require_owner()) as connection:
        row = await connection.fetchrow("select * from migration")

    assert row
    assert tuple(row) == ("ward", "0001_bed.sql", FIRST.sha256, clock.now())


async def test_the_role_that_serves_gets_what_a_file_grants_and_no_more(make_database, clock):
    database = await make_database()
    await migrate(database, [FIRST, SECOND], clock)

    async with connected(database.app_dsn) as connection:
        assert await connection.fetch("select * from bed") == []
        for statement in ("select * from room", "delete from migration"):
            with pytest.raises(Exception, match="permission denied"):
                await connection.execute(statement)


async def test_six_that_migrate_at_once_do_it_once(make_database, clock):
    database = await make_database()

    ran = await asyncio.gather(*(migrate(database, [FIRST, SECOND], clock) for _ in range(6)))

    assert sorted(map(len, ran)) == [0, 0, 0, 0, 0, 2]


async def test_what_is_pending_is_known_before_and_after(make_database, ask, clock):
    database = await make_database()

    before = await ask(database, [FIRST, SECOND])
    await migrate(database, [FIRST], clock)

    assert before == ["ward/0001_bed.sql", "ward/0002_room.sql"]
    assert await ask(database, [FIRST, SECOND]) == ["ward/0002_room.sql"]


async def test_a_database_of_a_later_version_is_refused(make_database, ask, clock):
    database = await make_database()
    await migrate(database, [FIRST, SECOND], clock)

    with pytest.raises(DatabaseTooNew, match=r"by a later Polyclinic \(ward/0002_room\.sql\)"):
        await migrate(database, [FIRST], clock)
    with pytest.raises(DatabaseTooNew):
        await ask(database, [FIRST])


async def test_a_package_that_is_not_installed_may_have_run_its_own(make_database, ask, clock):
    database = await make_database()
    await migrate(database, [FIRST, OTHER], clock)

    assert await ask(database, [FIRST]) == []


async def test_a_file_that_was_changed_after_it_ran_is_refused(make_database, clock):
    database = await make_database()
    await migrate(database, [FIRST], clock)

    with pytest.raises(MigrationError, match="was changed after it ran"):
        await migrate(database, [replace(FIRST, sql="create table bed (number int)")], clock)


async def test_a_file_that_fails_leaves_nothing(make_database, ask, clock):
    database = await make_database()
    bad = Migration("ward", "0002_bad.sql", "create table half (); select 1/0;")

    with pytest.raises(MigrationError, match=r"ward/0002_bad\.sql failed: division by zero"):
        await migrate(database, [FIRST, bad], clock)

    assert await ask(database, [FIRST, bad]) == ["ward/0002_bad.sql"]
    async with connected(database.require_owner()) as connection:
        assert await connection.fetchval("select to_regclass('half')") is None


def test_the_files_of_a_package_are_found_in_order(package):
    found = find_migrations([package("0002_room.sql", "0001_bed.sql", "readme.txt")])

    assert [str(migration) for migration in found] == [
        "some_ward/0001_bed.sql",
        "some_ward/0002_room.sql",
    ]
    assert found[0].sql == "-- 0001_bed.sql"


@pytest.mark.parametrize("name", ["0003_gap.sql", "2_short.sql", "0002-dash.sql", "0001_again.sql"])
def test_a_misnamed_file_is_refused(package, name):
    with pytest.raises(MigrationError, match=r"Name it 000[12]_words"):
        find_migrations([package("0001_bed.sql", name)])


def test_a_package_without_migrations_has_none():
    assert find_migrations(["polyclinic.base"]) == []
