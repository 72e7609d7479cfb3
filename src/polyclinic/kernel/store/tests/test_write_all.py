"""Transactions: all or nothing, whoever else writes."""

import asyncio

import pytest

from polyclinic.base.clock import SystemClock
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.errors import Conflict, FhirError, Gone, NotFound, VersionConflict
from polyclinic.kernel.store import Change, open_store
from polyclinic.kernel.types import from_json


def patient(identity, **elements):
    return from_json({"resourceType": "Patient", "id": identity, **elements})


def put(identity, if_match=None, **elements):
    return Change("Patient", identity, patient(identity, **elements), if_match)


def delete(identity, if_match=None):
    return Change("Patient", identity, None, if_match)


def observation(identity, subject):
    return from_json(
        {
            "resourceType": "Observation",
            "id": identity,
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": f"Patient/{subject}"},
        }
    )


async def versions(store, principal, *identities):
    """Return the version of each patient, None where there is none."""
    found = []
    for identity in identities:
        try:
            found.append((await store.read(principal, "Patient", identity)).version)
        except NotFound:
            found.append(None)
    return found


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (put("b", if_match=7, active=True), VersionConflict),
        (put("nobody", if_match=1), VersionConflict),
        (delete("nobody"), NotFound),
        (delete("gone"), Gone),
        (delete("b", if_match=2), VersionConflict),
        (put("a", active=True), Conflict),
    ],
)
async def test_one_that_cannot_be_done_undoes_all(store, job, table_faults, refused, error):
    await store.write_all(job, [put("b"), put("gone")])
    await store.delete(job, "Patient", "gone")

    with pytest.raises(error):
        await store.write_all(job, [put("a"), refused, put("c")])

    assert await versions(store, job, "a", "b", "c") == [None, 1, None]
    assert await table_faults() == []


async def test_more_rows_than_a_statement_takes_are_one_transaction(store, job, table_faults):
    changes = [put(f"p{number}") for number in range(1100)]

    with pytest.raises(VersionConflict):
        await store.write_all(job, [*changes, put("late", if_match=3)])
    written = await store.write_all(job, changes)

    assert all(one.created for one in written)
    assert await table_faults() == []


async def test_an_unchanged_one_is_none_and_makes_no_version(store, job):
    await store.write_all(job, [put("a"), put("b")])

    written = await store.write_all(job, [put("a"), put("b", active=True)])

    assert written[0] is None
    assert await versions(store, job, "a", "b") == [1, 2]


async def test_what_another_process_changed_is_not_taken_for_unchanged(store, twin, job):
    await store.write_all(job, [put("a"), put("b")])
    await twin.update(job, patient("a", active=True))

    written = await store.write_all(job, [put("a"), put("b")])

    assert [one is None for one in written] == [False, True]
    assert await versions(twin, job, "a", "b") == [3, 1]


async def test_a_version_that_another_process_made_can_be_matched(store, twin, job):
    await store.write_all(job, [put("a")])
    await twin.update(job, patient("a", active=True))

    await store.write_all(job, [put("a", if_match=2, active=False)])

    assert await versions(store, job, "a") == [3]


async def test_what_another_process_brought_back_can_be_deleted(store, twin, job):
    await store.write_all(job, [put("a")])
    await store.delete(job, "Patient", "a")
    await twin.update(job, patient("a"))

    await store.write_all(job, [delete("a")])

    assert await versions(twin, job, "a") == [None]


async def test_transactions_in_opposite_orders_all_succeed(stores, job, table_faults):
    identities = [f"p{number}" for number in range(12)]

    async def write(number):
        names = identities if number % 2 else identities[::-1]
        changes = [put(name, multipleBirthInteger=number) for name in names]
        return await stores[number % 2].write_all(job, changes)

    for start in (0, 10):
        await asyncio.gather(*(write(start + number) for number in range(6)))

    assert await versions(stores[0], job, *identities) == [12] * 12
    assert await table_faults() == []


async def test_transactions_and_single_writes_of_the_same_resources_all_succeed(
    stores, job, table_faults
):
    identities = [f"p{number}" for number in range(5)]

    await asyncio.gather(
        *(
            stores[n % 2].write_all(job, [put(name, multipleBirthInteger=n) for name in identities])
            for n in range(4)
        ),
        *(
            stores[n % 2].update(job, patient(name, multipleBirthInteger=100 + n))
            for n, name in enumerate(identities * 2)
        ),
    )

    assert await versions(stores[1], job, *identities) == [6] * 5
    assert await table_faults() == []


async def test_a_reference_before_its_target_leads_to_it_once_it_is_stored(
    clinic, store, owner, job, table_faults
):
    await store.update(job, observation("o", "later"))
    rid = "select rid, version from resource where tenant = $1 and id = 'later'"
    stub = await owner.fetchrow(rid, clinic.tenant.number)

    written = await store.update(job, patient("later"))

    stored = await owner.fetchrow(rid, clinic.tenant.number)
    assert (stub["rid"], stub["version"]) == (stored["rid"], 0)
    assert (written.created, stored["version"]) == (True, 1)
    assert await table_faults() == []


async def test_a_reference_between_entries_needs_no_stub(clinic, store, owner, job, table_faults):
    to_target = observation("o", "p")

    await store.write_all(job, [Change("Observation", "o", to_target), put("p")])

    count = "select count(*) from resource where tenant = $1"
    assert await owner.fetchval(count, clinic.tenant.number) == 2
    assert await table_faults() == []


async def test_many_references_to_what_is_not_stored_make_one_stub(
    clinic, stores, owner, job, table_faults
):
    await asyncio.gather(
        *(stores[n % 2].update(job, observation(f"o{n}", "nobody")) for n in range(12))
    )

    count = "select count(*) from resource where tenant = $1 and id = 'nobody'"
    assert await owner.fetchval(count, clinic.tenant.number) == 1
    assert await table_faults() == []


async def test_counters_stay_dense_through_refused_transactions(clinic, database, owner, kek):
    clock, job = SystemClock(), clinic.principal("job")
    ids = TimeOrderedIds(clock)
    async with open_store(database.app_dsn, Settings(), clock=clock, ids=ids) as store:
        await store.open_tenant(clinic.tenant.name, kek)
        counter = store.writes._writer._counter
        await refused_and_repeated(store, job)

    rows = await owner.fetch("select counter from audit where worker = $1", counter.worker)
    numbers = sorted([row["counter"] for row in rows] + counter._returned)
    assert numbers == list(range(1, len(numbers) + 1))


async def refused_and_repeated(store, job):
    """Let transactions of two statements meet single writes, and be refused."""
    await store.write_all(job, [put("a"), put("b")])
    changes = [put(f"n{number}") for number in range(600)] + [put("b", active=True)]

    async def rewrite():
        return await store.write_all(job, changes)

    await asyncio.gather(
        rewrite(), *(store.update(job, patient("b", multipleBirthInteger=n)) for n in range(8))
    )
    with pytest.raises(FhirError):
        await store.write_all(job, [put("x"), put("b", if_match=999)])
    await store.read(job, "Patient", "a")
