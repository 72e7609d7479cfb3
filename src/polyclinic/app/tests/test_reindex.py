"""`polyclinic reindex`, the job that does the same, and what the doctor says."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from polyclinic.app.build import job_principal
from polyclinic.app.doctor import index_rows
from polyclinic.app.jobs import UPKEEP, jobs_of
from polyclinic.app.reindex import REINDEX
from polyclinic.base.db.connect import connected
from polyclinic.kernel.store.reindex import Waiting
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

    assert await as_owner("select count(*) from job where kind = 'store.reindex'") == 1
    assert await as_owner(WAITING) == 0
