"""`polyclinic keys`: rotate, erase, export and import from the command line."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from polyclinic.app.keys import EXPORT
from polyclinic.base.db.connect import connected
from polyclinic.base.db.migrate import find_migrations
from polyclinic.base.keys import KEY_FILE
from polyclinic.base.settings import Settings
from polyclinic.testing.postgres import cloned

ACTIONS = ["status", "rotate", "erase", "export", "import"]


@pytest.fixture
def app_settings(tmp_path):
    return Settings(data=tmp_path / "var")


@pytest_asyncio.fixture(loop_scope="session")
async def app_database(postgres, migration_packages, request):
    """Yield a database of its own: a rotation is of every tenant in it."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    template = await postgres.ensure_template(find_migrations(migration_packages))
    name = postgres.name_of(f"{worker}_keys_commands")
    async with cloned(postgres, name, template) as database:
        yield database


@pytest.fixture
def load(run, tmp_path):
    """Return a function that loads patients."""

    def store(*identities):
        path = tmp_path / "patients.ndjson"
        path.write_text(
            "".join(
                json.dumps({"resourceType": "Patient", "id": one, "active": True}) + "\n"
                for one in identities
            )
        )
        assert run("load", path)[0] == 0

    return store


@pytest.fixture
def exported(run, tmp_path):
    """Return a function that exports all resources and returns the ids of the patients."""

    def read(name):
        code, _, err = run("export", tmp_path / name)
        assert code == 0, err
        file = tmp_path / name / "Patient.ndjson"
        return [json.loads(line)["id"] for line in file.read_text().splitlines()]

    return read


def status(run):
    """Return the rows that status prints, each as its words."""
    code, out, err = run("keys", "status")
    assert (code, err) == (0, "")
    return [line.split("\t") for line in out.splitlines()]


@pytest.mark.parametrize("action", ACTIONS)
def test_help_of_an_action_shows_an_example(run, action):
    code, out, _ = run("keys", action, "--help")

    assert code == 0
    assert f"example: polyclinic keys {action}" in " ".join(out.split())


def test_the_status_counts_keys(run, load):
    load("a", "b")

    current, erased = status(run)

    assert current[1:] == ["3 keys", "current, in the key file"]
    assert erased == ["erased", "0 keys"]


def test_a_rotation_leaves_everything_readable(run, load, exported, app_settings):
    load("a", "b")
    before = status(run)[0][0]

    code, out, err = run("keys", "rotate")

    current, _ = status(run)
    assert (code, err) == (0, "")
    assert current[0] != before
    assert current[0] in out
    assert current[1:] == ["3 keys", "current, in the key file"]
    assert exported("after") == ["a", "b"]
    kept = (app_settings.data / KEY_FILE).with_name(EXPORT)
    assert str(kept) in out
    assert kept.stat().st_mode & 0o077 == 0


def test_an_erasure_needs_a_yes(run, load, exported):
    load("a")

    code, _, err = run("keys", "erase", "a")

    assert (code, err.count("\n")) == (1, 1)
    assert "add --yes" in err
    assert exported("after") == ["a"]


def test_somebody_unknown_is_one_line(run, load):
    load("a")

    code, _, err = run("keys", "erase", "nobody", "--yes")

    assert (code, err) == (1, "polyclinic: there is no Patient/nobody\n")


@pytest.fixture
def tables(app_database, postgres):
    """Return a function that runs statements on each table that a backup is taken of here."""
    url = postgres.url(urlsplit(app_database.app_dsn).path[1:])

    async def work(statements):
        async with connected(url) as connection:
            for table in ("key_generation", "data_key", "resource", "version", "keys"):
                for statement in statements:
                    await connection.execute(statement.format(table))

    return lambda *statements: asyncio.run(work(statements))


def test_an_erased_patient_is_not_in_an_older_backup(run, load, exported, app_settings, tables):
    load("a", "b")
    tables("create table backup_{0} as table {0}")
    assert run("keys", "erase", "a", "--yes")[0] == 0
    assert exported("erased") == ["b"]
    tables("truncate {0}", "insert into {0} overriding system value table backup_{0}")

    refused = run("export", "anywhere")
    imported = run("keys", "import", (app_settings.data / KEY_FILE).with_name(EXPORT))

    assert refused[0] == 1
    assert "run: polyclinic keys import FILE" in refused[2]
    assert refused[2].count("\n") == 1
    assert (imported[0], imported[2]) == (0, "")
    assert "Erased: 1 resources" in imported[1]
    assert exported("restored") == ["b"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "not a file that polyclinic keys export has written"), (None, "No such file")],
)
def test_a_file_that_cannot_be_imported_is_one_line(run, load, tmp_path, content, words):
    load("a")
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_bytes(content)

    code, _, err = run("keys", "import", path)

    assert (code, err.count("\n")) == (1, 1)
    assert words in err


def test_the_role_that_serves_does_not_change_keys(run, load):
    load("a")

    code, _, err = run("keys", "rotate", POLYCLINIC_MIGRATE_URL=None)

    assert (code, err.count("\n")) == (1, 1)
    assert "POLYCLINIC_MIGRATE_URL" in err


def test_an_export_is_imported_again(run, load, tmp_path):
    load("a", "b")

    out = run("keys", "export", tmp_path / "keys.json")
    back = run("keys", "import", tmp_path / "keys.json")

    assert out == (0, "", "")
    assert back == (0, "3 keys are as the file has them.\n", "")
