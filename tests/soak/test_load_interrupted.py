"""A load that is killed goes on where it stopped, and everything is there once."""

import json
import os
import signal
import time
from collections import Counter
from datetime import date

import pytest

from polyclinic.kernel.types import type_number
from polyclinic.modules.population.generate import ndjson

PATIENTS = 30
STORED = "select count(*) from resource where version > 0"
REPEATED = """
    select type, id, version from resource where version > 1
    union all select r.type, r.id, v.version from version v join resource r on r.rid = v.rid
"""


@pytest.fixture(scope="module")
def lines():
    return list(ndjson(3, PATIENTS, date(2026, 1, 15)))


@pytest.fixture
def file(installation, lines):
    path = installation.data.parent / "population.ndjson"
    path.write_bytes(b"".join(lines))
    return path


@pytest.fixture
def database(installation):
    """Hold the database, so that it outlives the command that is killed."""
    server = installation.database()
    assert installation.run("migrate").returncode == 0
    yield server
    server.release()


def kill_when_stored(installation, rows, file, wanted):
    """Load, and kill the command as soon as some of the file is stored."""
    process = installation.start("load", file)
    deadline = time.monotonic() + 60
    while (stored := rows.ask(STORED)[0][0]) < wanted:
        assert process.poll() is None, installation.last_words()
        assert time.monotonic() < deadline
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    return stored


@pytest.mark.timeout(180)
@pytest.mark.parametrize("share", [0.05, 0.5])
@pytest.mark.usefixtures("database")
def test_a_load_that_was_killed_is_completed_by_the_next(installation, rows, file, lines, share):
    kill_when_stored(installation, rows, file, share * len(lines))

    (stored,) = rows.ask(STORED)[0]
    again = installation.run("load", file)

    assert 0 < stored < len(lines)
    assert again.returncode == 0, again.stderr
    assert rows.stored() == of_file(lines)
    assert rows.counted() == of_file(lines)
    assert rows.ask(REPEATED) == []


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("database")
def test_a_load_after_a_complete_one_changes_nothing(installation, rows, file, lines):
    first = installation.run("load", file)

    again = installation.run("load", file)

    assert f"{len(lines)} created, 0 updated, 0 unchanged, 0 refused" in first.stdout
    assert f"0 created, 0 updated, {len(lines)} unchanged, 0 refused" in again.stdout
    assert rows.stored() == of_file(lines)
    assert rows.ask(REPEATED) == []


def of_file(lines):
    return Counter(type_number(json.loads(line)["resourceType"]) for line in lines)
