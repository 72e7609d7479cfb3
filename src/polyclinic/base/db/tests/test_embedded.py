from dataclasses import replace

import pytest

from polyclinic.base.db.connect import connected, inspect
from polyclinic.base.db.embedded.server import remove_abandoned
from polyclinic.base.db.errors import DatabaseMisconfigured, DatabaseUnavailable


async def setting(server, name):
    async with connected(server.app_url) as connection:
        return await connection.fetchval("select current_setting($1)", name)


async def test_the_role_that_serves_has_no_rights_beyond_its_tables(server):
    info = await inspect(server.app_url)

    assert (info.role, info.is_superuser, info.bypasses_policies) == ("app", False, False)


async def test_the_role_that_migrates_owns_the_database_and_is_no_superuser(server):
    async with connected(server.owner_url) as connection:
        row = await connection.fetchrow(
            "select r.rolsuper, r.rolcreaterole, pg_get_userbyid(d.datdba) from pg_roles r,"
            " pg_database d where r.rolname = current_user and d.datname = current_database()"
        )

    assert row
    assert list(row) == [False, False, "app_owner"]


@pytest.mark.parametrize(
    "statement",
    [
        "copy pg_class to program 'true'",
        "select pg_read_file('/etc/passwd')",
        "create table note ()",
        "create role other",
    ],
)
async def test_the_role_that_serves_is_refused(server, statement):
    async with connected(server.app_url) as connection:
        with pytest.raises(Exception, match="permission denied"):
            await connection.execute(statement)


async def test_a_wrong_password_is_refused(server):
    wrong = server.app_url.replace("postgresql://app:", "postgresql://app:x")

    with pytest.raises(DatabaseUnavailable, match="refuses the role or its password"):
        await inspect(wrong)


def test_the_server_listens_on_no_network_and_its_files_are_closed(server):
    assert "listen_addresses = ''" in server.place.configuration.read_text()
    assert server.place.sockets.stat().st_mode & 0o777 == 0o700
    assert server.place.cluster.stat().st_mode & 0o777 == 0o700
    assert server.place.secrets.stat().st_mode & 0o777 == 0o600
    assert not list(server.place.root.glob(".password*"))


async def test_an_ordinary_server_syncs_every_commit(make_server, options):
    server = make_server(replace(options, scratch=False))
    server.start()
    names = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")

    assert [await setting(server, name) for name in names] == ["on"] * 4


async def test_alter_system_overrides_the_configuration(make_server, server):
    async with connected(server.superuser_url) as connection:
        await connection.execute("alter system set checkpoint_timeout = '7min'")
    server.release()

    again = make_server()
    again.start()

    assert await setting(again, "checkpoint_timeout") == "7min"


async def test_what_was_written_is_there_after_a_stop_and_a_start(make_server, server):
    async with connected(server.owner_url) as connection:
        await connection.execute("create table bed as select 7 as number")
    server.release()

    again = make_server()
    again.start()

    async with connected(again.owner_url) as connection:
        assert await connection.fetchval("select number from bed") == 7


def test_the_last_one_out_stops_the_server(make_server, server):
    other = make_server()
    other.start()
    pid = server.pid

    first_was_last = server.release()
    pid_between = other.pid
    other_was_last = other.release()

    assert (first_was_last, pid_between, other_was_last) == (False, pid, True)
    assert other.pid is None


def test_release_twice_is_release_once(server):
    assert [server.release(), server.release()] == [True, False]


async def test_a_long_path_gets_its_socket_elsewhere(make_server, options):
    deep = options.data / ("a" * 60) / ("b" * 60)
    server = make_server(replace(options, data=deep))
    server.start()

    assert server.place.sockets.parent.as_posix() == "/tmp"
    assert (await inspect(server.app_url)).role == "app"
    server.release()
    server.place.sockets.rmdir()


def test_a_cluster_of_another_release_is_refused(make_server, server):
    server.release()
    (server.place.cluster / "PG_VERSION").write_text("14\n")

    with pytest.raises(DatabaseMisconfigured, match="was made by PostgreSQL 14"):
        make_server().start()


def test_lost_passwords_are_named(make_server, server):
    server.release()
    server.place.secrets.unlink()

    with pytest.raises(DatabaseMisconfigured, match=r"secrets\.json .* Restore it from a backup"):
        make_server().start()


def test_missing_programs_are_named(make_server, options):
    with pytest.raises(DatabaseUnavailable, match="no PostgreSQL programs found in /nowhere"):
        make_server(replace(options, pg_bin=options.data / "/nowhere")).start()


def test_a_server_that_does_not_start_says_why(make_server, options):
    bad = replace(options, configuration={"shared_buffers": "many"})

    with pytest.raises(DatabaseUnavailable, match=r"does not start: .*shared_buffers"):
        make_server(bad).start()


def test_a_data_directory_that_is_a_file_is_named(make_server, options):
    options.data.write_text("")

    with pytest.raises(DatabaseMisconfigured, match="cannot be used for the database"):
        make_server().start()


def test_an_abandoned_server_is_removed_and_a_claimed_one_is_not(server, options):
    while_claimed = remove_abandoned(options)
    server.release()
    afterwards = remove_abandoned(options)

    assert (while_claimed, afterwards, options.data.exists()) == (False, True, False)
