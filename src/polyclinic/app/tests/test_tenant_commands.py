"""`polyclinic tenant`, and the commands that act on one organization."""

import json

import pytest
import pytest_asyncio

from polyclinic.base.db.migrate import find_migrations
from polyclinic.base.settings import Settings
from polyclinic.testing.postgres import cloned

PATIENT = {"resourceType": "Patient", "id": "same"}


@pytest.fixture(scope="module")
def app_settings(tmp_path_factory):
    return Settings(data=tmp_path_factory.mktemp("tenants"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app_database(postgres, migration_packages, request):
    """Yield a database of its own: a listed host changes what every other one means."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    template = await postgres.ensure_template(find_migrations(migration_packages))
    async with cloned(postgres, postgres.name_of(f"{worker}_tenants"), template) as database:
        yield database


@pytest.fixture
def clinics(run):
    """Make two tenants."""
    for name in ("east", "west"):
        run("tenant", "add", name)


def test_a_tenant_is_made_once_and_listed(run):
    first, again = (
        run("tenant", "add", "made", "--host", "Made.example"),
        run("tenant", "add", "made"),
    )

    _, out, _ = run("tenant", "list")

    assert first == (0, "", "")
    assert again == (1, "", "polyclinic: there is a tenant made\n")
    assert out.splitlines()[0].startswith("default\t")
    assert "made\tmade.example" in out.splitlines()


@pytest.mark.usefixtures("clinics")
def test_hosts_are_replaced(run):
    run("tenant", "hosts", "east", "a.example", "b.example")
    run("tenant", "hosts", "east", "b.example")

    code, _, err = run("tenant", "hosts", "west", "b.example")
    _, out, _ = run("tenant", "list")
    run("tenant", "hosts", "east")

    assert (code, err) == (1, "polyclinic: another tenant has the host b.example\n")
    assert "east\tb.example" in out.splitlines()
    assert "west\t" in out.splitlines()


@pytest.mark.parametrize(
    "words", [["tenant", "hosts", "nobody"], ["account", "--tenant", "nobody", "list"]]
)
def test_a_tenant_that_is_not_there_is_one_line(run, words):
    code, out, err = run(*words)

    assert (code, out) == (1, "")
    assert err.startswith("polyclinic: there is no tenant nobody")


@pytest.mark.usefixtures("clinics")
def test_i8_commands_act_on_the_tenant_that_is_named(run, tmp_path):
    (tmp_path / "in.ndjson").write_text(json.dumps(PATIENT))
    run("account", "--tenant", "east", "add", "amani", "--role", "nurse")

    loaded, _, _ = run("load", "--tenant", "east", tmp_path / "in.ndjson")
    _, east, _ = run("export", "--tenant", "east", tmp_path / "east")
    _, west, _ = run("export", "--tenant", "west", tmp_path / "west")
    tokens = [run("token", "--tenant", name, "--user", "amani")[0] for name in ("east", "west")]

    assert loaded == 0
    assert (east, west) == ("1 resources\n", "0 resources\n")
    assert tokens == [0, 1]
