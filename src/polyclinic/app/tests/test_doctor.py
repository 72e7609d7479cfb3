import socket
from collections import namedtuple
from datetime import UTC, datetime, timedelta

import pytest

from polyclinic.app import doctor
from polyclinic.base.db.version import NEWEST_KNOWN_MINOR, ServerVersion
from polyclinic.base.settings import Settings
from polyclinic.kernel.store.consumers import Consumer, Lag
from polyclinic.kernel.types import from_json
from polyclinic.testing.settings import RunSettings

GIGABYTE = 1024**3
Usage = namedtuple("Usage", "free")  # noqa: PYI024 - shaped as shutil's


@pytest.mark.parametrize(("running", "state"), [((3, 10, 9), "fail"), ((3, 11, 0), "ok")])
def test_python_has_to_be_new_enough(running, state):
    assert doctor.python_version(running).state == state


@pytest.mark.parametrize(("free", "state"), [(0.5, "fail"), (4, "warn"), (50, "ok")])
def test_disk_space_is_judged(tmp_path, free, state):
    finding = doctor.disk_space(tmp_path / "not" / "yet", lambda _path: Usage(free * GIGABYTE))

    assert finding.state == state
    assert f"{free:.1f} GiB" in finding.message


def test_a_port_that_somebody_listens_on_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]

        finding = doctor.port("127.0.0.1", number)

    assert finding.state == "warn"
    assert str(number) in finding.message
    assert doctor.port("127.0.0.1", number).state == "ok"


@pytest.mark.parametrize(
    ("behind", "is_embedded", "state", "word"),
    [
        (0, True, "ok", ""),
        (2, True, "warn", "POLYCLINIC_DATABASE_URL"),
        (1, False, "warn", "updates"),
    ],
)
def test_missing_patch_levels_are_a_warning(behind, is_embedded, state, word):
    running = ServerVersion(18, NEWEST_KNOWN_MINOR[18] - behind)

    finding = doctor.patch_level(running, is_embedded=is_embedded)

    assert finding.state == state
    assert word in (finding.remedy or "")


def test_a_release_without_a_list_is_no_warning():
    assert doctor.patch_level(ServerVersion(99, 1), is_embedded=False).state == "ok"


@pytest.mark.parametrize(("seconds", "state"), [(0.1, "ok"), (-6, "warn"), (61, "fail")])
def test_a_clock_that_is_off_is_named(seconds, state):
    assert doctor.clock_skew(seconds).state == state


def test_a_misspelt_setting_is_a_warning(monkeypatch):
    monkeypatch.setenv("POLYCLINIC_WORKER", "3")

    findings = list(doctor.unknown_settings([Settings, RunSettings]))

    assert [finding.state for finding in findings] == ["warn"]
    assert findings[0].remedy == "Did you mean POLYCLINIC_WORKERS?"


def test_a_data_directory_that_is_not_there_yet_is_well(tmp_path):
    assert doctor.data_directory(tmp_path / "var").state == "ok"


def test_a_data_directory_that_is_a_file_is_a_failure(tmp_path):
    path = tmp_path / "var"
    path.write_text("")

    assert doctor.data_directory(path).state == "fail"


@pytest.mark.parametrize(("mode", "state"), [(0o644, "fail"), (0o600, "ok")])
def test_a_key_that_everybody_may_read_is_a_failure(tmp_path, mode, state):
    key = tmp_path / "keys" / "key-encryption-key"
    key.parent.mkdir()
    key.touch(mode)

    finding = doctor.data_directory(tmp_path)

    assert finding.state == state
    assert (finding.remedy is None) == (state == "ok")


async def test_nothing_is_made_where_nothing_was_started(tmp_path):
    data = tmp_path / "var"

    findings = await doctor.examine(Settings(data=data, port=0))

    assert not data.exists()
    assert "first start will make" in findings[-1].message


async def test_a_database_that_is_away_is_a_failure_with_a_remedy(tmp_path):
    url = "postgresql://app:pw@127.0.0.1:1/clinic"

    findings = await doctor.examine(Settings(data=tmp_path, database_url=url, port=0))

    assert [finding.state for finding in findings if finding.subject == "database"] == ["fail"]
    assert findings[-1].remedy


async def test_a_migrated_database_is_well(tmp_path, database):
    settings = Settings(data=tmp_path, database_url=database.app_dsn, port=0)

    findings = {finding.subject: finding.state for finding in await doctor.examine(settings)}

    assert findings["database"] == findings["clock"] == findings["migrations"] == "ok"


async def test_an_empty_database_has_pending_migrations(tmp_path, make_database):
    database = await make_database()
    settings = Settings(data=tmp_path, database_url=database.app_dsn, port=0)

    *_, migrations = await doctor.examine(settings)

    assert (migrations.subject, migrations.state) == ("migrations", "warn")


@pytest.mark.parametrize(
    ("behind", "seconds", "state", "word"),
    [(0, 0.0, "ok", "every change"), (7, 3.0, "ok", "7 changes"), (7, 90.0, "warn", "90 s")],
)
def test_a_consumer_that_is_behind_is_named(behind, seconds, state, word):
    moment = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)

    finding = doctor.consumer_lag(Lag("default", "projection", behind, seconds, moment))

    assert finding.state == state
    assert word in finding.message
    assert (finding.remedy is None) == (state == "ok")


async def test_a_consumer_of_the_database_is_looked_at(tmp_path, database, store, clinic, clock):
    async def handle(_connection, _rows):
        """Do nothing."""

    job = clinic.principal("job")
    consumer = Consumer(f"of {clinic.tenant.name}", handle, bodies=False)
    await store.update(job, from_json({"resourceType": "Patient", "id": "p"}))
    await store.following.consumers.step(job, consumer)
    written = await store.update(job, from_json({"resourceType": "Patient", "id": "q"}))
    clock.set(written.stored.last_updated + timedelta(minutes=5))
    settings = Settings(data=tmp_path, database_url=database.app_dsn, port=0)

    findings = await doctor.examine(settings, clock)

    (found,) = [one for one in findings if clinic.tenant.name in one.message]
    assert (found.subject, found.state) == ("change feed", "warn")
    assert "1 change and 300 s behind" in found.message
