"""Search parameters that a tenant defines: what comes is filed at once, what was there by a job."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from polyclinic.base.crypto import Sealer, new_key
from polyclinic.base.keys import KeyRing
from polyclinic.kernel.errors import Forbidden, InvalidResource
from polyclinic.kernel.search.query import Endpoint, parse_query
from polyclinic.kernel.store import Change
from polyclinic.kernel.store.custom_search import look
from polyclinic.kernel.types import from_json
from polyclinic.testing.clinic import Clinic

SCRIPT = Path(__file__).with_name("killed_reindex.py")
EYES = "urn:eyes"


def parameter(code="eyes", **changes):
    return from_json(
        {
            "resourceType": "SearchParameter",
            "id": f"of-{code.strip('_').replace('.', '-')}",
            "url": f"urn:parameters:{code}",
            "name": "Eyes",
            "status": "active",
            "description": "The colour of a patient's eyes",
            "code": code,
            "base": ["Patient"],
            "type": "token",
            "expression": f"Patient.extension.where(url = '{EYES}').value.ofType(code)",
        }
        | changes
    )


def patient(identity, eyes=None):
    body = {"resourceType": "Patient", "id": identity}
    if eyes:
        body["extension"] = [{"url": EYES, "valueCode": eyes}]
    return from_json(body)


def unwatched(_done):
    """Go on."""


async def found(store, principal, asked, resource_type="Patient"):
    custom = await store.custom_parameters(principal)
    name, value = asked.split("=")
    query, ignored = parse_query(resource_type, [(name, value)], Endpoint("", custom))
    assert ignored == ()
    return sorted(one.id for one in (await store.search(principal, query)).entries)


async def reindexed(store, principal):
    return await (await store.reindexer(principal)).run(unwatched)


async def is_complete(store, principal, code="eyes", resource_type="Patient"):
    custom = await store.custom_parameters(principal)
    return custom.waiting(resource_type, code) is None


@pytest_asyncio.fixture(loop_scope="session")
async def defined(clinic, job):
    """Return a clinic with a patient of before, the definition, and a patient of after it."""
    await clinic.store.update(job, patient("before", "blue"))
    await clinic.store.update(job, parameter())
    await clinic.store.update(job, patient("after", "blue"))
    return clinic


async def test_what_is_written_from_then_on_is_found(defined, job):
    assert await found(defined.store, job, "eyes=blue") == ["after"]
    assert await found(defined.store, job, "eyes=brown") == []
    assert not await is_complete(defined.store, job)


async def test_what_was_there_before_is_found_after_the_job(defined, job, table_faults):
    done = await reindexed(defined.store, job)

    assert done.done == 1
    assert await found(defined.store, job, "eyes=blue") == ["after", "before"]
    assert await found(defined.store, job, "eyes:missing=true") == []
    assert await is_complete(defined.store, job)
    assert await table_faults() == []


async def test_the_job_is_put_into_the_queue_once(defined, job, owner):
    await defined.store.update(job, parameter())

    keys = await owner.fetch(
        "select idempotency_key from job where tenant = $1 and kind = 'store.reindex'",
        defined.tenant.number,
    )

    assert [row[0] for row in keys] == ["store.reindex/own/1"]


@pytest.mark.usefixtures("defined")
async def test_another_process_learns_of_it(job, stores):
    await asyncio.sleep(1.1)

    assert await found(stores[1], job, "eyes=blue") == ["after"]


async def test_a_process_that_does_not_know_of_it_yet_files_by_it(clinic, job, stores):
    await stores[1].update(job, patient("known", "blue"))
    await clinic.store.update(job, parameter())

    await stores[1].update(job, patient("late", "blue"))
    await stores[1].update(job, patient("known", "brown"))

    assert await found(clinic.store, job, "eyes=blue") == ["late"]
    assert await found(clinic.store, job, "eyes=brown") == ["known"]


async def test_a_changed_expression_files_anew(defined, job):
    await reindexed(defined.store, job)
    other = f"Patient.extension.where(url = '{EYES}').value.ofType(code).upper()"
    await defined.store.update(job, parameter(expression=other))

    assert not await is_complete(defined.store, job)
    await reindexed(defined.store, job)

    assert await found(defined.store, job, "eyes=BLUE") == ["after", "before"]
    assert await found(defined.store, job, "eyes=blue") == []


@pytest.mark.parametrize("ending", ["retired", "deleted"])
async def test_what_is_retired_or_deleted_is_not_known_any_more(defined, job, table_faults, ending):
    await reindexed(defined.store, job)
    if ending == "retired":
        await defined.store.update(job, parameter(status="retired"))
    else:
        await defined.store.delete(job, "SearchParameter", "of-eyes")

    custom = await defined.store.custom_parameters(job)
    assert custom.of("Patient") == {}
    _, ignored = parse_query("Patient", [("eyes", "blue")], Endpoint("", custom))
    assert ignored == ("eyes",)
    assert await table_faults() != []
    await reindexed(defined.store, job)
    assert await table_faults() == []


async def test_a_draft_is_stored_and_not_used(clinic, job):
    await clinic.store.update(
        job, parameter(status="draft", expression="Patient.(", type="special")
    )

    assert (await clinic.store.custom_parameters(job)).of("Patient") == {}


@pytest.mark.parametrize(
    ("changes", "element"),
    [
        ({"expression": "Patient.nonsense"}, "expression"),
        ({"expression": "Patient.name("}, "expression"),
        ({"expression": "Patient.name"}, "expression"),
        ({"expression": "Patient.birthDate < today()"}, "expression"),
        ({"type": "special"}, "type"),
        ({"code": "gender"}, "code"),
        ({"code": "_count"}, "code"),
        ({"code": "a.b"}, "code"),
        ({"base": ["AuditEvent"]}, "base"),
        ({"xpathUsage": "distance"}, "xpathUsage"),
        ({"type": "composite", "component": []}, "component"),
    ],
)
async def test_what_cannot_be_used_is_refused_and_not_stored(clinic, job, changes, element):
    with pytest.raises(InvalidResource) as refused:
        await clinic.store.update(job, parameter(**changes))

    assert refused.value.http_status == 422
    assert f"SearchParameter.{element}" in [one.expression for one in refused.value.issues]
    assert await found(clinic.store, job, "status=active", "SearchParameter") == []


async def test_two_of_one_code_are_refused(defined, job):
    other = from_json(json.loads(parameter().body) | {"id": "another"})

    with pytest.raises(InvalidResource, match="SearchParameter/of-eyes"):
        await defined.store.update(job, other)


async def test_a_transaction_that_fails_defines_nothing(clinic, job):
    changes = [
        Change("SearchParameter", "of-eyes", parameter()),
        Change("Patient", "absent", patient("absent"), if_match=7),
    ]

    with pytest.raises(Exception, match="version"):
        await clinic.store.write_all(job, changes)

    assert (await clinic.store.custom_parameters(job)).of("Patient") == {}


@pytest.mark.usefixtures("defined")
async def test_another_tenant_knows_nothing_of_it(store, kek):
    other = Clinic(store, await store.open_tenant("without-parameters", kek))
    elsewhere = other.principal("job")
    await store.update(elsewhere, patient("theirs", "blue"))

    custom = await store.custom_parameters(elsewhere)
    query, ignored = parse_query("Patient", [("eyes", "blue")], Endpoint("", custom))

    assert ignored == ("eyes",)
    assert not query.where.parts
    assert custom.of("Patient") == {}


@pytest.mark.parametrize("role", ["clinician", "nurse", "frontdesk", "app", "laboratory"])
async def test_only_an_administrator_or_a_job_defines_one(clinic, role):
    with pytest.raises(Forbidden):
        await clinic.store.update(clinic.principal(role), parameter())

    defined = await clinic.store.update(clinic.principal("administrator"), parameter())
    assert defined.created


async def test_a_resource_that_an_expression_fails_on_is_stored_and_counted(clinic, job):
    several = "Patient.name.family + Patient.name.given"
    await clinic.store.update(job, parameter("both", expression=several))
    body = {"resourceType": "Patient", "id": "two", "name": [{"family": "A", "given": ["B", "C"]}]}
    one = {"resourceType": "Patient", "id": "one", "name": [{"family": "A", "given": ["B"]}]}

    await clinic.store.update(job, from_json(body))
    await clinic.store.update(job, from_json(one))
    await reindexed(clinic.store, job)

    custom = await clinic.store.custom_parameters(job)
    assert custom.faults("Patient", "both") == 1
    assert await found(clinic.store, job, "both=AB") == ["one"]


async def test_a_run_waits_for_whoever_writes_by_what_held_before(clinic, job, stores):
    tenant = clinic.tenant.number
    async with stores[0]._hot.within(tenant).acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.fetchval("select pg_current_xact_id()")
        await clinic.store.update(job, parameter())
        running = asyncio.create_task(reindexed(clinic.store, job))
        await asyncio.sleep(0.5)
        held = not running.done()
        await transaction.commit()
    await running

    assert held
    assert await is_complete(clinic.store, job)


async def test_a_run_that_is_killed_is_not_complete_and_goes_on(store, database):
    key = new_key()
    tenant = await store.open_tenant("custom-killed", KeyRing([Sealer(key)]))
    job = Clinic(store, tenant).principal("job")
    for number in range(250):
        await store.update(job, patient(f"p{number}", "blue"))
    await store.update(job, parameter())

    process = await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, database.app_dsn, tenant.name, key.hex()
    )
    assert await process.wait() == -signal.SIGKILL
    await look(store._hot, tenant)
    assert not await is_complete(store, job)
    done = await reindexed(store, job)

    assert 0 < done.done < 250
    assert await is_complete(store, job)
