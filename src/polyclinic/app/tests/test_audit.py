"""`polyclinic audit`: verify the record, print a checkpoint."""

import asyncio
import json
import time
from base64 import b64decode

import pytest
import pytest_asyncio
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from polyclinic.base.db.connect import connected
from polyclinic.base.db.migrate import find_migrations
from polyclinic.base.settings import Settings
from polyclinic.testing.postgres import cloned

PATIENT = {"resourceType": "Patient", "id": "p"}
_TRIES = 100
_PAUSE = 0.1


@pytest.fixture(scope="module")
def app_settings(tmp_path_factory):
    return Settings(data=tmp_path_factory.mktemp("audit"))


@pytest_asyncio.fixture(loop_scope="session")
async def app_database(postgres, migration_packages, request):
    """Yield a database of its own: its audit record is tampered with."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    template = await postgres.ensure_template(find_migrations(migration_packages))
    async with cloned(postgres, postgres.name_of(f"{worker}_audit"), template) as database:
        yield database


@pytest.fixture
def as_owner(app_database):
    """Return a function that runs SQL as the owner of the tables."""

    async def execute(sql):
        async with connected(app_database.require_owner()) as connection:
            await connection.execute(sql)

    return lambda sql: asyncio.run(execute(sql))


@pytest.fixture
def loaded(run, tmp_path):
    """Load a patient, and return the line of a checkpoint."""
    (tmp_path / "in.ndjson").write_text(json.dumps(PATIENT))
    assert run("load", tmp_path / "in.ndjson")[0] == 0
    # A transaction of another test's database may be older, and then nothing is sealed yet.
    for _ in range(_TRIES):
        if line := run("audit", "checkpoint")[1]:
            return line
        time.sleep(_PAUSE)
    pytest.fail("nothing was sealed")


def test_a_checkpoint_is_a_line_that_others_can_check(loaded):
    checkpoint = json.loads(loaded)
    names = ["tenant", "segment", "server", "rows", "total", "first", "last", "sealed", "previous"]
    lines = "".join(f"{name} {checkpoint[name]}\n" for name in [*names, "chain"])
    key = Ed25519PublicKey.from_public_bytes(b64decode(checkpoint["key"]))

    key.verify(b64decode(checkpoint["signature"]), b"polyclinic audit 1\n" + lines.encode())

    assert (checkpoint["name"], checkpoint["segment"]) == ("default", 1)
    with pytest.raises(InvalidSignature):
        key.verify(b64decode(checkpoint["signature"]), lines.encode())


def test_a8_what_was_left_alone_is_verified(run, loaded, tmp_path):
    (tmp_path / "kept").write_text(loaded)

    code, out, err = run("audit", "verify", "--checkpoint", tmp_path / "kept")

    assert (code, err) == (0, "")
    assert "in 1 segments are as they were sealed" in out


def test_a8_a_changed_row_is_exit_code_1(run, loaded, as_owner):
    as_owner("update audit set account = 7 where action = 'C'")

    code, out, _ = run("audit", "verify")

    assert code == 1
    assert "default: 1 row (" in out
    assert "changed in segment 1" in out
    assert loaded


def test_a8_a_cut_off_end_is_exit_code_1_with_the_checkpoint(run, loaded, as_owner, tmp_path):
    (tmp_path / "kept").write_text(loaded)
    as_owner("delete from audit_seal")
    as_owner("delete from audit")

    without, _, _ = run("audit", "verify")
    code, out, _ = run("audit", "verify", "--checkpoint", tmp_path / "kept")

    assert (without, code) == (0, 1)
    assert "the checkpoint knows segment 1" in out


@pytest.mark.parametrize("words", ["", "no checkpoint", '{"tenant": 1}'])
def test_a_file_that_is_no_checkpoint_is_one_line(run, tmp_path, words):
    (tmp_path / "kept").write_text(words)

    code, out, err = run("audit", "verify", "--checkpoint", tmp_path / "kept")

    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1


def test_a_checkpoint_of_another_organization_is_one_line(run, loaded, tmp_path):
    (tmp_path / "kept").write_text(loaded)
    run("tenant", "add", "east")

    code, _, err = run("audit", "--tenant", "east", "verify", "--checkpoint", tmp_path / "kept")

    assert code == 1
    assert "no checkpoint of east" in err


def test_nothing_sealed_is_said(run):
    assert run("audit", "checkpoint")[2] == "polyclinic audit: nothing is sealed yet\n"


def test_many_faults_are_counted(run, loaded, as_owner, tmp_path):
    lines = [json.dumps(PATIENT | {"id": f"p{n}"}) for n in range(3)]
    (tmp_path / "more.ndjson").write_text("\n".join(lines))
    run("load", tmp_path / "more.ndjson")
    as_owner("update audit_seal set total = total + 1")

    code, out, _ = run("audit", "verify")

    assert code == 1
    assert "segment 1 was changed, or not signed by this installation" in out
    assert loaded
