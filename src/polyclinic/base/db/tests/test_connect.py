import socket
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.base.db import connect
from polyclinic.base.db.connect import address, inspect, require_usable, role_of
from polyclinic.base.db.database import open_database
from polyclinic.base.db.errors import (
    DatabaseError,
    DatabaseMisconfigured,
    DatabaseTooOld,
    DatabaseUnavailable,
)
from polyclinic.base.db.version import ServerVersion
from polyclinic.base.settings import Settings


@pytest.fixture
def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_a_server_says_its_version_encoding_and_clock(database):
    info = await inspect(database.app_dsn)

    assert info.version.is_supported
    assert info.encoding == "UTF8"
    assert abs((datetime.now(UTC) - info.clock).total_seconds()) < 60  # noqa: TID251 - compares two real clocks


async def test_a_server_that_is_not_there_is_one_clear_line(unused_port):
    url = f"postgresql://app:s3cret@127.0.0.1:{unused_port}/clinic"

    with pytest.raises(DatabaseUnavailable) as caught:
        await inspect(url)

    line = str(caught.value)
    assert line.startswith(f"PostgreSQL at 127.0.0.1:{unused_port}/clinic as app cannot be reached")
    assert line.endswith("Start it, or correct POLYCLINIC_DATABASE_URL.")
    assert "\n" not in line
    assert "s3cret" not in line


async def test_a_database_that_is_not_there_is_named(postgres, database):
    name = postgres.name_of("nowhere")

    with pytest.raises(DatabaseUnavailable, match=f"/{name} as .* has no such database"):
        await inspect(postgres.url(name, role_of(database.app_dsn)))


@pytest.mark.parametrize("url", ["mysql://clinic", "postgresql://[", "postgresql://h:port/d"])
async def test_what_is_no_url_of_postgresql_is_named(url):
    with pytest.raises(DatabaseMisconfigured, match="is not a PostgreSQL URL"):
        await inspect(url)


async def test_a_role_that_passes_by_row_level_security_may_not_serve(postgres):
    with pytest.raises(DatabaseMisconfigured, match=r"lets the role .* pass by row-level"):
        await require_usable(postgres.url("postgres"))


async def test_a_release_that_is_too_old_is_refused(database, monkeypatch):
    async def inspect_old(url):
        return replace(await inspect(url), version=ServerVersion(14, 22))

    monkeypatch.setattr(connect, "inspect", inspect_old)

    with pytest.raises(DatabaseTooOld, match=r"is version 14\.22\. Upgrade it to version 15"):
        await require_usable(database.app_dsn)


async def test_a_database_in_another_encoding_is_refused(database, monkeypatch):
    async def inspect_latin(url):
        return replace(await inspect(url), encoding="LATIN1")

    monkeypatch.setattr(connect, "inspect", inspect_latin)

    with pytest.raises(DatabaseMisconfigured, match="ENCODING 'UTF8'"):
        await require_usable(database.app_dsn)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://app:pw@db.example:5433/clinic", "db.example:5433/clinic as app"),
        ("postgresql://app:pw@/clinic?host=/run/pg", "/run/pg/clinic as app"),
        ("postgresql://db/clinic?user=app&password=pw", "db/clinic as app"),
    ],
)
def test_an_address_has_no_password(url, expected):
    assert address(url) == expected
    assert role_of(url) == "app"


@given(
    password=st.text(st.sampled_from("ab@:/?#%[]"), min_size=3, max_size=8),
    scheme=st.sampled_from(["postgresql://", "postgresql:", "postgresql:x//", "pg://"]),
)
async def test_no_password_is_in_what_is_said_about_a_url(password, scheme):
    url = f"{scheme}app:se{password}cret@127.0.0.1:1/clinic"

    with pytest.raises(DatabaseError) as caught:
        await inspect(url)

    assert "se" + password not in str(caught.value)
    assert f"{password}cret" not in str(caught.value)


def test_a_url_without_a_role_is_refused():
    with pytest.raises(DatabaseMisconfigured, match="names no role"):
        role_of("postgresql://db.example/clinic")


def test_an_external_database_is_used_as_it_is(database):
    settings = Settings(database_url=database.app_dsn, migrate_url=database.owner_dsn)

    with open_database(settings) as opened:
        assert not opened.is_embedded
        assert opened.require_owner() == database.owner_dsn


def test_without_an_owner_nothing_is_migrated(database):
    with (
        open_database(Settings(database_url=database.app_dsn)) as opened,
        pytest.raises(DatabaseMisconfigured, match="Set POLYCLINIC_MIGRATE_URL"),
    ):
        opened.require_owner()


async def test_a_database_is_opened_inside_a_running_loop(database):
    assert open_database(Settings(database_url=database.app_dsn)).info.role


def test_without_a_url_an_embedded_server_is_started_and_stopped(directory):
    with open_database(Settings(data=directory / "var")) as opened:
        server = opened.embedded
        assert opened.is_embedded
        assert server
        assert server.pid

    assert server.pid is None
