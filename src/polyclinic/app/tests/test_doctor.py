import socket
from collections import namedtuple

import pytest

from polyclinic.app import doctor
from polyclinic.base.db.version import NEWEST_KNOWN_MINOR, ServerVersion
from polyclinic.base.settings import Settings
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
