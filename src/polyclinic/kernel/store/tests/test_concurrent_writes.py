"""Writes that meet each other, from one process and from two."""

import asyncio
import random

import pytest

from polyclinic.kernel.errors import VersionConflict
from polyclinic.kernel.store import HistoryQuery
from polyclinic.kernel.types import from_json

PARALLEL = 16


def numbered(number, identity="p"):
    identifier = {"system": "urn:n", "value": str(number)}
    return from_json({"resourceType": "Patient", "id": identity, "identifier": [identifier]})


async def values(store, principal):
    """Return the numbers of all versions, oldest first."""
    page = await store.history(principal, HistoryQuery("Patient", "p", count=1000))
    return [
        int(entry.body.split(b'"value":"')[1].split(b'"')[0]) for entry in reversed(page.entries)
    ]


async def test_updates_from_two_processes_make_dense_versions_and_none_is_lost(
    stores, job, table_faults
):
    await asyncio.gather(*(stores[n % 2].update(job, numbered(n)) for n in range(2 * PARALLEL)))

    assert sorted(await values(stores[0], job)) == list(range(2 * PARALLEL))
    assert (await stores[1].read(job, "Patient", "p")).version == 2 * PARALLEL
    assert await table_faults() == []


async def test_parallel_puts_of_a_new_id_create_one_resource(stores, job, table_faults):
    written = await asyncio.gather(
        *(stores[n % 2].update(job, numbered(n)) for n in range(PARALLEL))
    )

    assert sum(one.created for one in written) == 1
    assert sorted(one.stored.version for one in written) == list(range(1, PARALLEL + 1))
    assert await table_faults() == []


async def test_parallel_puts_of_the_same_content_make_one_version(stores, job, table_faults):
    await asyncio.gather(*(stores[n % 2].update(job, numbered(1)) for n in range(PARALLEL)))

    assert (await stores[0].read(job, "Patient", "p")).version == 1
    assert await table_faults() == []


@pytest.mark.parametrize("used", [1, 2])
async def test_of_those_who_match_the_same_version_exactly_one_wins(
    stores, job, table_faults, used
):
    await stores[0].update(job, numbered(-1))

    answers = await asyncio.gather(
        *(stores[n % used].update(job, numbered(n), if_match=1) for n in range(PARALLEL)),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, VersionConflict) for answer in answers) == PARALLEL - 1
    assert (await stores[0].read(job, "Patient", "p")).version == 2
    assert await table_faults() == []


async def test_deletes_and_updates_from_two_processes_leave_nothing_behind(
    stores, job, table_faults
):
    await stores[0].update(job, numbered(-1))

    await asyncio.gather(
        *(stores[n % 2].update(job, numbered(n)) for n in range(PARALLEL)),
        *(stores[n % 2].delete(job, "Patient", "p") for n in range(PARALLEL)),
        return_exceptions=True,
    )

    assert await table_faults() == []


async def test_what_another_process_changed_is_not_taken_for_unchanged(store, twin, job):
    await store.update(job, numbered(1))
    await twin.update(job, numbered(2))

    written = await store.update(job, numbered(1))

    assert written.stored.version == 3
    assert (await twin.read(job, "Patient", "p")).version == 3


async def test_a_version_that_another_process_made_can_be_matched(store, twin, job):
    await store.update(job, numbered(1))
    await twin.update(job, numbered(2))

    written = await store.update(job, numbered(3), if_match=2)

    assert written.stored.version == 3


async def test_what_another_process_brought_back_can_be_deleted(store, twin, job):
    await store.update(job, numbered(1))
    await store.delete(job, "Patient", "p")
    await twin.update(job, numbered(2))

    deleted = await store.delete(job, "Patient", "p")

    assert deleted.version == 4


async def test_a_whole_clinic_of_random_writes_keeps_its_tables_in_order(stores, job, table_faults):
    chance = random.Random(7)  # noqa: S311 - repeatable

    async def write(n):
        resource = observation(chance)
        if n % 5 == 0:
            return await stores[n % 2].delete(job, "Observation", resource.id)
        return await stores[n % 2].update(job, resource)

    for _ in range(6):
        await asyncio.gather(*(write(n) for n in range(20)), return_exceptions=True)

    assert await table_faults() == []


def observation(chance):
    return from_json(
        {
            "resourceType": "Observation",
            "id": f"o{chance.randrange(6)}",
            "status": "final",
            "code": {"coding": [{"system": "urn:c", "code": str(chance.randrange(3))}]},
            "subject": {"reference": f"Patient/p{chance.randrange(4)}"},
            "effectiveDateTime": f"2020-0{chance.randrange(1, 9)}-01",
            "valueQuantity": {"value": chance.randrange(100), "code": "mg", "system": "urn:u"},
        }
    )
