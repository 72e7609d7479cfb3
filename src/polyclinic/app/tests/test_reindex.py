"""`polyclinic reindex`, the job that does the same, and what the doctor says."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from polyclinic.app.build import job_principal
from polyclinic.app.doctor import index_rows, search_parameter
from polyclinic.app.jobs import UPKEEP, jobs_of
from polyclinic.base.db.connect import connected
from polyclinic.kernel.store.custom_search import REINDEX
from polyclinic.kernel.store.reindex import Failing, Waiting
from polyclinic.kernel.store.row import INDEX_VERSION
from polyclinic.kernel.types import from_json

OLD = "update keys set index_version = 1"
WAITING = "select count(*) from keys where index_version = 1"


@pytest.fixture
def as_owner(postgres, app_database):
    """Return a function that runs SQL as somebody whom no policy of rows binds."""

    async def ask(sql):
        async with connected(postgres.url(urlsplit(app_database.app_dsn).path[1:])) as connection:
            return await connection.fetchval(sql)

    return ask


@pytest.fixture
def loaded(run, tmp_path, as_owner):
    """Load a patient and an observation whose rows are of an older kind."""
    path = tmp_path / "two.ndjson"
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    resources = [{"resourceType": "Patient", "id": "reindexed"}, observation | {"id": "reindexed"}]
    path.write_text("".join(json.dumps(one) + "\n" for one in resources))
    assert run("load", path)[0] == 0
    asyncio.run(as_owner(OLD))


@pytest.mark.usefixtures("loaded")
def test_everything_older_is_made_anew(run, as_owner):
    code, out, err = run("reindex")

    assert (code, err) == (0, "")
    assert int(out.split()[0]) >= 2
    assert asyncio.run(as_owner(WAITING)) == 0


def test_a_type_that_does_not_exist_is_refused(run):
    code, _, err = run("reindex", "--type", "Patients")

    assert code == 2
    assert "invalid choice" in err


@pytest.mark.usefixtures("loaded")
def test_the_doctor_says_how_many_wait(run):
    _, before, _ = run("doctor")
    run("reindex")
    _, after, _ = run("doctor")

    assert "polyclinic reindex" in before
    assert "polyclinic reindex" not in after


def test_one_resource_is_not_called_several():
    assert index_rows(Waiting(1, "north", 1)).message.startswith("1 resource waits")
    assert index_rows(Waiting(1, "north", 1200)).message.startswith("1,200 resources wait")


def test_the_doctor_names_an_expression_that_fails():
    one = search_parameter(Failing("north", "left", 1))
    more = search_parameter(Failing("north", "left", 1200))

    assert one.state == "warn"
    assert "the expression of left fails on 1 resource in north" in one.message
    assert "1,200 resources" in more.message


DEFINED = {
    "resourceType": "SearchParameter",
    "id": "both",
    "url": "urn:both",
    "name": "Both",
    "status": "active",
    "description": "Of this test",
    "code": "both-names",
    "base": ["Patient"],
    "type": "string",
    "expression": "Patient.name.family + Patient.name.given",
}
TWO = {"resourceType": "Patient", "id": "two", "name": [{"family": "A", "given": ["B", "C"]}]}


def test_the_command_and_the_doctor_tell_what_an_expression_fails_on(run, tmp_path):
    path = tmp_path / "defined.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in (TWO, DEFINED)))
    assert run("load", path)[0] == 0

    code, out, _ = run("reindex")
    _, found, _ = run("doctor")

    assert code == 0
    assert "The expression of both-names failed on 1 resources." in out
    assert "both-names" in found


class Run:
    """A run of a job that only has to end."""

    @asynccontextmanager
    async def completing(self):
        yield


async def test_upkeep_asks_for_the_job_once_and_the_job_does_it(application, as_owner):
    kinds = {kind.name: kind for kind in jobs_of(application._services, ()).kinds}
    principal = job_principal(application._services, "test")
    await application._services.store.update(
        principal, from_json({"resourceType": "Patient", "id": "waits"})
    )
    await as_owner(OLD)
    run: Any = Run()

    await kinds[UPKEEP].handler(run)
    await kinds[UPKEEP].handler(run)
    await kinds[REINDEX].handler(run)

    key = f"{REINDEX}/{INDEX_VERSION}"
    asked = f"select count(*) from job where idempotency_key = '{key}'"  # noqa: S608 - our own
    assert await as_owner(asked) == 1
    assert await as_owner(WAITING) == 0


async def test_upkeep_asks_again_while_a_search_parameter_is_not_complete(application, as_owner):
    kinds = {kind.name: kind for kind in jobs_of(application._services, ()).kinds}
    principal = job_principal(application._services, "test")
    run: Any = Run()
    other = DEFINED | {"id": "other", "code": "other-names"}
    await application._services.store.update(principal, from_json(other))
    await as_owner("update job set state = 'dead', finished = created where kind = 'store.reindex'")

    await kinds[UPKEEP].handler(run)
    await as_owner("update job set state = 'done', finished = created where state = 'waiting'")
    await kinds[REINDEX].handler(run)
    await kinds[UPKEEP].handler(run)

    asked = "select count(*) from job where kind = 'store.reindex' and idempotency_key is null"
    assert await as_owner(asked) == 1
