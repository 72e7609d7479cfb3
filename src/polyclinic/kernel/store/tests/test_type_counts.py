"""How many resources of a type there are, kept beside them."""

import asyncio
import random

import pytest

from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.types import from_json

SUMMARY = [("_summary", "count")]
ROWS = "select count(*) from type_count where tenant = $1"


async def count(store, principal, resource_type):
    query, _ = parse_query(resource_type, SUMMARY, "")
    return (await store.search(principal, query)).total


async def random_writes(stores, principal, chance, number, prefix=""):
    """Write, bring back and delete a few resources; return what is there in the end."""
    present: set[tuple[str, str]] = set()
    for _ in range(number):
        kind = chance.choice(["Patient", "Organization"])
        identity = f"{prefix}{chance.randrange(5)}"
        store = chance.choice(stores)
        if (kind, identity) in present and chance.random() < 0.5:
            await store.delete(principal, kind, identity)
            present.remove((kind, identity))
        else:
            await store.update(principal, from_json({"resourceType": kind, "id": identity}))
            present.add((kind, identity))
    return present


@pytest.mark.parametrize("seed", range(4))
async def test_the_count_is_the_number_that_is_there(stores, job, table_faults, seed):
    chance = random.Random(seed)  # noqa: S311 - repeatable

    present = await random_writes(stores, job, chance, 40)

    for kind in ("Patient", "Organization"):
        expected = sum(of_kind == kind for of_kind, _ in present)
        assert await count(stores[0], job, kind) == expected
    assert await table_faults() == []


async def test_folding_keeps_the_count_and_leaves_one_row_for_a_type(clinic, stores, owner, job):
    await random_writes(stores, job, random.Random(9), 40)  # noqa: S311 - repeatable
    before = [await count(stores[0], job, kind) for kind in ("Patient", "Organization")]

    await stores[0].upkeep(job)

    after = [await count(stores[0], job, kind) for kind in ("Patient", "Organization")]
    assert after == before
    assert await owner.fetchval(ROWS, clinic.tenant.number) <= 2


async def test_folding_while_others_write_loses_no_delta(stores, job, table_faults):
    async def fold():
        for _ in range(10):
            await stores[0].upkeep(job)

    writers = [
        random_writes(stores, job, random.Random(n), 15, f"{n}-")  # noqa: S311 - repeatable
        for n in range(3)
    ]
    await asyncio.gather(fold(), fold(), *writers)

    assert await table_faults() == []
