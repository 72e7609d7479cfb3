"""Index rows that are made anew: whole, at any moment, and seen by nobody."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from polyclinic.base.crypto import Sealer, new_key
from polyclinic.base.keys import KeyRing
from polyclinic.kernel.errors import Forbidden
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store.reindex import Reindexed, Reindexer, waiting
from polyclinic.kernel.types import from_json
from polyclinic.testing.clinic import Clinic
from polyclinic.testing.tables import faults

SCRIPT = Path(__file__).with_name("killed_reindex.py")
MANY = 250
WRITERS = 8


def patient(identity, family="Meier", staff="d"):
    return from_json(
        {
            "resourceType": "Patient",
            "id": identity,
            "name": [{"family": family}],
            "birthDate": "1950-03-01",
            "text": {"status": "generated", "div": f"<div>{family} lives</div>"},
            "meta": {"security": [{"system": "urn:labels", "code": "R"}]},
            "generalPractitioner": [{"reference": f"Practitioner/{staff}"}],
        }
    )


def weight(identity, value=70.5):
    return from_json(
        {
            "resourceType": "Observation",
            "id": identity,
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
            "subject": {"reference": "Patient/p0"},
            "effectiveDateTime": "2026-01-02",
            "valueQuantity": {
                "value": value,
                "unit": "kg",
                "system": "http://unitsofmeasure.org",
                "code": "kg",
            },
        }
    )


def unwatched(_done):
    """Go on."""


@pytest_asyncio.fixture(loop_scope="session")
async def filled(clinic, job):
    """Return a clinic with patients and weights."""
    for number in range(4):
        await clinic.store.update(job, patient(f"p{number}"))
        await clinic.store.update(job, weight(f"w{number}"))
    await clinic.store.update(job, patient("p1", "Huber"))
    await clinic.store.delete(job, "Patient", "p3")
    return clinic


@pytest.fixture
def aged(owner):
    """Return a function that leaves a tenant the rows of another kind of index."""

    async def age(tenant):
        number = tenant.number
        await owner.execute(
            "update keys set index_version = 1, index_digest = 5, keys = '{1}', words = '{2}'"
            " where tenant = $1",
            number,
        )
        await owner.execute(
            "update resource set labels = '{7}' where tenant = $1 and version > 0 and not deleted",
            number,
        )
        await owner.execute("delete from edge where tenant = $1", number)
        await owner.execute("update string_value set value = 'x' where tenant = $1", number)
        await owner.execute("update date_value set low = 0 where tenant = $1", number)
        await owner.execute("delete from number_value where tenant = $1", number)
        await owner.execute("delete from care_relation where tenant = $1", number)

    return age


@pytest_asyncio.fixture(loop_scope="session")
async def aged_clinic(filled, aged):
    """Return a clinic whose rows are of another kind."""
    await aged(filled.tenant)
    return filled


@pytest.fixture
def told(owner):
    """Return a function that reads what others can see of a tenant's resources and their past."""

    async def read(tenant):
        resources = await owner.fetch(
            "select rid, version, last_updated, tx, seq, txgroup, digest, key_id, body"
            " from resource where tenant = $1 order by rid",
            tenant.number,
        )
        past = await owner.fetchval("select count(*) from version where tenant = $1", tenant.number)
        audit = await owner.fetchval("select count(*) from audit where tenant = $1", tenant.number)
        return [tuple(row) for row in resources], past, audit

    return read


async def test_rows_of_another_kind_become_as_a_write_makes_them(filled, job, aged, table_faults):
    await aged(filled.tenant)
    assert await table_faults() != []

    done = await (await filled.store.reindexer(job)).run(unwatched)

    assert done == Reindexed(done=7, unreadable=0)
    assert await table_faults() == []
    query, _ = parse_query(
        "Observation", [("value-quantity", "70.5|http://unitsofmeasure.org|kg")], ""
    )
    assert len((await filled.store.search(job, query)).entries) == 4


async def test_nobody_can_see_that_rows_were_made_anew(filled, job, aged, told):
    await aged(filled.tenant)
    before = await told(filled.tenant)

    await (await filled.store.reindexer(job)).run(unwatched)

    assert await told(filled.tenant) == before


async def test_what_waits_is_counted_and_then_no_more(filled, job, aged, owner):
    reindexer = await filled.store.reindexer(job)
    assert await reindexer.waiting() == 0
    await aged(filled.tenant)

    before = await reindexer.waiting()
    named = [one.resources for one in await waiting(owner) if one.tenant == filled.tenant.name]
    await reindexer.run(unwatched)

    assert before == 7
    assert named == [7]
    assert await reindexer.waiting() == 0
    assert await reindexer.run(unwatched) == Reindexed(0, 0)


async def test_of_a_chosen_type_all_rows_are_made_anew(filled, job, owner, table_faults):
    await owner.execute("delete from number_value where tenant = $1", filled.tenant.number)
    assert await table_faults() != []
    reindexer = await filled.store.reindexer(job)

    await reindexer.mark(["Observation"])

    assert await reindexer.run(unwatched) == Reindexed(done=4, unreadable=0)
    assert await table_faults() == []


async def test_another_tenants_rows_are_left_alone(filled, job, aged, store, kek):
    other = Clinic(store, await store.open_tenant("reindexed-elsewhere", kek))
    elsewhere = other.principal("job")
    await store.update(elsewhere, patient("p0"))
    await aged(filled.tenant)
    await aged(other.tenant)

    await (await store.reindexer(job)).run(unwatched)

    assert await (await store.reindexer(job)).waiting() == 0
    assert await (await store.reindexer(elsewhere)).waiting() == 1


async def test_what_does_not_open_goes_on_waiting_and_hinders_nothing(filled, job, aged, owner):
    await aged(filled.tenant)
    await owner.execute(
        "update resource set body = '\\x00' where tenant = $1 and id = 'w0'", filled.tenant.number
    )
    reindexer = await filled.store.reindexer(job)

    done = await reindexer.run(unwatched)

    assert done == Reindexed(done=6, unreadable=1)
    assert await reindexer.waiting() == 1


async def test_whoever_may_not_write_cannot_start_it(clinic):
    with pytest.raises(Forbidden):
        await clinic.store.reindexer(clinic.principal("patient", patient="p0"))


class Held:
    """What runs statements in one open transaction, in place of a pool."""

    def __init__(self, connection):
        self.fetch, self.fetchrow = connection.fetch, connection.fetchrow
        self.fetchval = connection.fetchval

    def within(self, _tenant):
        return self


async def until_one_waits_for_a_lock(owner):
    async with asyncio.timeout(10):
        while not await owner.fetchval("select exists (select from pg_locks where not granted)"):  # noqa: ASYNC110 - the database has no event for it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("is_deleted", [False, True])
async def test_a_writer_that_waits_for_new_rows_leaves_none_of_them(
    aged_clinic, job, owner, table_faults, is_deleted
):
    filled, store = aged_clinic, aged_clinic.store
    async with store._hot.within(filled.tenant.number).acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        executor: Any = Held(connection)
        held = Reindexer(executor, store._placement, store.bodies, filled.tenant)
        await held.run(unwatched)
        write = (
            store.delete(job, "Patient", "p0")
            if is_deleted
            else store.update(job, patient("p0", "Gruber", "e"))
        )
        writing = asyncio.create_task(write)
        await until_one_waits_for_a_lock(owner)
        await transaction.commit()
    await writing

    assert await table_faults() == []


async def test_rows_made_from_a_version_that_was_replaced_are_not_written(
    filled, job, aged, table_faults
):
    await aged(filled.tenant)
    reindexer = await filled.store.reindexer(job)
    placement = filled.store._placement
    asked: list[int] = []

    class Overtaken:
        """Lets a write come between the reading and the writing."""

        async def targets(self, tenant, places):
            if not asked:
                asked.append(1)
                await filled.store.update(job, patient("p0", "Gruber"))
            return await placement.targets(tenant, places)

    reindexer._placement = Overtaken()

    assert await reindexer.run(unwatched) == Reindexed(done=6, unreadable=0)
    assert await table_faults() == []


async def test_writers_of_two_processes_go_on_meanwhile(stores, filled, job, table_faults):
    ended = asyncio.Event()
    written = []

    async def write(writer):
        turn = 0
        while not ended.is_set():
            turn += 1
            store = stores[writer % 2]
            await store.update(
                job, patient(f"p{turn % 3}", f"Family{writer}x{turn}", f"s{turn % 5}")
            )
            await store.update(job, weight(f"w{turn % 4}", writer * 1000 + turn))
            written.append(turn)

    async def reindex():
        reindexers = [await store.reindexer(job) for store in stores]
        for _ in range(12):
            await reindexers[0].mark(["Patient", "Observation"])
            await asyncio.gather(*(one.run(unwatched) for one in reindexers))
        ended.set()

    async with asyncio.TaskGroup() as tasks:
        for writer in range(WRITERS):
            tasks.create_task(write(writer))
        tasks.create_task(reindex())

    assert len(written) > WRITERS
    assert await (await filled.store.reindexer(job)).run(unwatched) is not None
    assert await table_faults() == []


async def test_a_run_that_is_killed_goes_on_where_it_stopped(store, database, owner, aged):
    key = new_key()
    killed = Clinic(store, await store.open_tenant("reindex-killed", KeyRing([Sealer(key)])))
    job = killed.principal("job")
    for number in range(MANY):
        await store.update(job, weight(f"w{number}", number))
    await aged(killed.tenant)

    process = await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, database.app_dsn, killed.tenant.name, key.hex()
    )
    assert await process.wait() == -signal.SIGKILL
    reindexer = await store.reindexer(job)
    left = await reindexer.waiting()
    done = await reindexer.run(unwatched)

    assert 0 < left < MANY
    assert done == Reindexed(left, 0)
    assert await faults(owner, killed.tenant, store.bodies) == []
