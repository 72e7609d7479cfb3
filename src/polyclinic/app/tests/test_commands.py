"""The command line: help with an example, and one clear line for what stops a command."""

import argparse
import os
import socket

import pytest

from polyclinic import cli
from polyclinic.base.db.errors import DatabaseUnavailable
from polyclinic.base.keys import KEY_FILE

AWAY = "postgresql://app:secret@127.0.0.1:1/clinic"


def names():
    (commands,) = (
        action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    return sorted(commands.choices)


def test_every_command_that_was_promised_is_there():
    assert {"serve", "migrate", "load", "export", "demo", "token", "doctor", "tenant"} <= set(
        names()
    )


@pytest.mark.parametrize("name", names())
def test_help_of_a_command_shows_an_example(run, name):
    code, out, _ = run(name, "--help")

    assert code == 0
    assert f"example: polyclinic {name}" in " ".join(out.split())


def test_help_lists_every_command_with_a_sentence(run):
    code, out, _ = run("--help")

    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    for name in names():
        assert any(line[:1] == [name] and len(line) > 3 for line in lines), name


@pytest.mark.parametrize("words", [[], ["dance"], ["load"], ["migrate", "more"], ["serve", "--x"]])
def test_a_command_that_nobody_knows_is_refused_with_its_usage(run, words):
    code, _, err = run(*words)

    assert code == 2
    assert "usage: polyclinic" in err


@pytest.mark.parametrize(
    "words",
    [["serve"], ["demo"], ["migrate"], ["load", "."], ["export", "x"], ["token", "--user", "x"]],
)
def test_a_database_that_cannot_be_reached_is_one_line_without_its_password(run, words, tmp_path):
    code, out, err = run(
        *words,
        POLYCLINIC_DATABASE_URL=AWAY,
        POLYCLINIC_MIGRATE_URL=AWAY,
        POLYCLINIC_DATA=tmp_path,
    )

    assert (code, out) == (1, "")
    assert err.startswith("polyclinic: PostgreSQL at 127.0.0.1:1/clinic as app cannot be reached")
    assert err.count("\n") == 1
    assert "secret" not in err


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"POLYCLINIC_WORKERS": "many"}, "POLYCLINIC_WORKERS must be a whole number"),
        ({"PORT": "70000"}, "PORT must be between"),
        ({"POLYCLINIC_DATABASE_URL": "mysql://x"}, "not a PostgreSQL URL"),
    ],
)
def test_a_bad_setting_is_one_line(run, environment, words):
    code, _, err = run("serve", **environment)

    assert code == 1
    assert words in err
    assert err.count("\n") == 1


def test_a_data_directory_that_cannot_be_made_is_one_line(run, tmp_path):
    (tmp_path / "file").touch()

    code, _, err = run("demo", POLYCLINIC_DATA=tmp_path / "file" / "var")

    assert code == 1
    assert "Not a directory" in err
    assert err.count("\n") == 1


@pytest.fixture
def key_file(run, app_settings):
    """Return the database's key file, and put it back afterwards."""
    assert run("token", "--user", "nobody")[0] == 1
    path = app_settings.data / KEY_FILE
    content, mode = path.read_bytes(), path.stat().st_mode
    yield path
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    path.chmod(mode & 0o777)


def others_may_read(path):
    path.chmod(0o444)


def wrong_key(path):
    path.chmod(0o600)
    path.write_bytes(bytes(32))


def too_short(path):
    path.chmod(0o600)
    path.write_bytes(b"short")


def lost(path):
    path.unlink()


@pytest.mark.parametrize("command", ["serve", "token"])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (others_may_read, "chmod 0400"),
        (wrong_key, "restore the key file"),
        (too_short, "is not a key of 32 bytes"),
        (lost, "is missing"),
    ],
)
def test_a_key_file_that_cannot_be_used_is_one_line(run, key_file, command, damage, words):
    damage(key_file)

    code, out, err = run(*([command, "--user", "x"] if command == "token" else [command]))

    assert (code, out) == (1, "")
    assert words in err
    assert err.count("\n") == 1


def test_a_port_that_is_taken_is_one_line(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        code, out, err = run("serve", "--port", port)

    assert (code, out) == (1, "")
    assert f"127.0.0.1:{port}" in err
    assert err.count("\n") == 1


def test_a_host_that_is_not_ours_is_one_line(run):
    code, _, err = run("serve", "--host", "192.0.2.1")

    assert code == 1
    assert "cannot listen on 192.0.2.1" in err


def test_without_the_owners_url_a_migrated_database_is_used(run):
    code, _, err = run("token", "--user", "nobody", POLYCLINIC_MIGRATE_URL="")

    assert (code, err) == (1, "polyclinic token: there is no account nobody\n")


def test_without_the_owners_url_a_database_that_is_not_migrated_is_one_line(
    run, empty_database, tmp_path
):
    code, _, err = run(
        "serve",
        POLYCLINIC_DATABASE_URL=empty_database.app_dsn,
        POLYCLINIC_MIGRATE_URL="",
        POLYCLINIC_DATA=tmp_path,
    )

    assert code == 1
    assert "is not migrated" in err
    assert err.count("\n") == 1


def test_migrating_says_what_it_did_and_then_that_there_is_nothing(run, empty_database, tmp_path):
    environment = {
        "POLYCLINIC_DATABASE_URL": empty_database.app_dsn,
        "POLYCLINIC_MIGRATE_URL": empty_database.owner_dsn,
        "POLYCLINIC_DATA": tmp_path,
    }

    first = run("migrate", **environment)
    again = run("migrate", **environment)

    assert "polyclinic.kernel.store/0001_schema.sql\n" in first[1]
    assert again == (0, "nothing to do\n", "")


def test_loading_reports_and_exits_with_1_when_something_was_refused(run, tmp_path):
    good, bad = tmp_path / "good.ndjson", tmp_path / "bad.ndjson"
    good.write_text('{"resourceType":"Patient","id":"cli"}\n')
    bad.write_text('{"resourceType":"Patient","id":"cli","gender":"blue"}\n')

    well = run("load", good)
    refused = run("load", good, bad)

    assert well[:2] == (0, "1 created, 0 updated, 0 unchanged, 0 refused\n")
    assert refused[0] == 1
    assert refused[1].splitlines()[0] == "0 created, 0 updated, 1 unchanged, 1 refused"
    assert refused[1].splitlines()[1].startswith(f"{bad}:1: Patient.gender: ")


def test_exporting_says_how_many_and_refuses_what_is_not_empty(run, tmp_path):
    good = tmp_path / "good.ndjson"
    good.write_text('{"resourceType":"Patient","id":"exported"}\n')
    run("load", good)

    first = run("export", tmp_path / "out")
    again = run("export", tmp_path / "out")

    assert first[0] == 0
    assert first[1].endswith(" resources\n")
    assert again[0] == 1
    assert "is not empty" in again[2]


def test_a_path_to_load_that_is_missing_is_one_line(run, tmp_path):
    code, _, err = run("load", tmp_path / "missing.ndjson")

    assert (code, err) == (1, f"polyclinic: {tmp_path}/missing.ndjson does not exist\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_may_not_be_written_is_one_line(run, tmp_path):
    tmp_path.chmod(0o500)

    code, _, err = run("export", tmp_path / "out")

    assert code == 1
    assert err.count("\n") == 1


def test_what_ends_a_command_is_told_by_its_text(capsys, monkeypatch):
    def away(_given):
        raise DatabaseUnavailable(what="it is away", remedy="Wait")

    monkeypatch.setattr("polyclinic.app.commands.migrate", away)

    assert cli.main(["migrate"]) == 1
    assert capsys.readouterr().err.startswith("polyclinic: it is away")


def test_a_policy_that_ships_is_set_and_listed(run):
    done = run("policy", "set", "need-to-know")
    listed = run("policy", "list")
    shown = run("policy", "show")
    run("policy", "set", "organization")

    assert done[0] == 0
    assert "holds from now on" in done[1]
    assert "care relation" in listed[1].splitlines()[-1]
    assert '"name": "need-to-know"' in shown[1]


def test_a_file_that_is_no_policy_is_one_line(run, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"name": "x"}')

    code, _, err = run("policy", "check", bad)

    assert code == 1
    assert err.startswith("polyclinic policy: This is not a policy")
    assert err.count("\n") == 1
