"""Writes by a condition: one at a time for each condition, whoever else writes."""

import asyncio
from typing import Any

import asyncpg
import pytest

from polyclinic.base.clock import SystemClock
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.errors import MultipleMatches
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import Change, Condition, conditional, open_store
from polyclinic.kernel.store.conditional import Lock, Moved, locks
from polyclinic.kernel.types import from_json

SYSTEM = "urn:example:number"


def condition(number, action=Action.CREATE):
    given = [("identifier", f"{SYSTEM}|{number}")]
    return Condition(parse_query("Patient", given, "http://clinic.test/fhir")[0], action)


def patient(identity, number):
    identifier = {"system": SYSTEM, "value": str(number)}
    return from_json({"resourceType": "Patient", "id": identity, "identifier": [identifier]})


def unless_there(store, numbers):
    """Return what makes one new patient for each number that is not there."""

    async def make(found):
        ids = [store.new_id() for _ in numbers]
        return [
            Change("Patient", identity, patient(identity, number), must_be_new=True)
            for identity, number, matches in zip(ids, numbers, found, strict=True)
            if not matches
        ]

    return make


async def create(store, principal, *numbers):
    asked = [condition(number) for number in numbers]
    return await store.writes.write_where(principal, asked, unless_there(store, numbers))


async def count(owner, clinic):
    found = "select count(*) from resource where tenant = $1 and version > 0"
    return await owner.fetchval(found, clinic.tenant.number)


async def test_transactions_with_the_same_conditions_make_each_resource_once(
    stores, job, owner, clinic, table_faults
):
    orders = [range(12), range(11, -1, -1)]

    done = await asyncio.gather(
        *(create(stores[number % 2], job, *orders[number // 2 % 2]) for number in range(16))
    )

    assert sum(len(one.written) for one in done) == 12
    assert await count(owner, clinic) == 12
    assert await table_faults() == []


async def test_more_conditions_than_are_locked_one_by_one_make_each_resource_once(
    stores, job, owner, clinic
):
    numbers = range(150)

    done = await asyncio.gather(
        *(create(stores[number % 2], job, *numbers) for number in range(4)),
        *(create(stores[number % 2], job, number) for number in range(0, 150, 10)),
    )

    assert sum(len(one.written) for one in done) == 150
    assert await count(owner, clinic) == 150


async def test_they_do_so_too_where_the_database_isolates_more_by_default(
    clinic, owner, kek, database
):
    name = await owner.fetchval("select quote_ident(current_database())")
    await owner.execute(f"alter database {name} set default_transaction_isolation = serializable")
    try:
        async with opened(database) as one, opened(database) as two:
            isolation = await one._hot.fetchval("show default_transaction_isolation")
            for store in (one, two):
                await store.open_tenant(clinic.tenant.name, kek)
            job = clinic.principal("job")
            await asyncio.gather(*(create((one, two)[number % 2], job, 1) for number in range(16)))
    finally:
        await owner.execute(f"alter database {name} reset default_transaction_isolation")

    assert isolation == "serializable"
    assert await count(owner, clinic) == 1


def opened(database):
    clock = SystemClock()
    return open_store(database.app_dsn, Settings(), clock=clock, ids=TimeOrderedIds(clock))


async def test_what_came_between_the_search_and_the_lock_is_seen(
    stores, job, owner, clinic, monkeypatch
):
    store, twin = stores
    hold = conditional.Conditions.hold
    raced: list[Any] = []

    async def late(self, connection, *rest, **more):
        if not raced:
            raced.append(await create(twin, job, 1))
        return await hold(self, connection, *rest, **more)

    monkeypatch.setattr(store.writes._conditions, "hold", late.__get__(store.writes._conditions))
    done = await create(store, job, 1)

    assert (len(raced[0].written), len(done.written)) == (1, 0)
    assert done.found[0][0].id == raced[0].written[0].stored.id
    assert await count(owner, clinic) == 1


async def test_what_never_comes_to_rest_is_given_up(store, job, monkeypatch):
    async def moving(*_rest, **_more):
        raise Moved

    monkeypatch.setattr(store.writes._conditions, "hold", moving)

    with pytest.raises(Moved):
        await create(store, job, 1)


async def test_what_make_refuses_is_not_written_and_has_a_row(store, job, owner, clinic):
    async def refuse(_found):
        raise MultipleMatches

    with pytest.raises(MultipleMatches):
        await store.writes.write_where(job, [condition(1)], refuse)

    rows = await owner.fetch(
        "select action, outcome from audit where tenant = $1", clinic.tenant.number
    )
    assert {(bytes(row[0]), row[1]) for row in rows} == {(b"E", 0), (b"C", 4)}


def test_locks_are_taken_in_one_order_and_few_for_many_conditions(clinic):
    few = locks(clinic.tenant, [condition(number) for number in range(3)])
    turned = locks(clinic.tenant, [condition(number) for number in (2, 0, 1)])
    many = locks(clinic.tenant, [condition(number) for number in range(1000)])

    assert few == turned == sorted(few)
    assert (len(few), sum(lock.is_shared for lock in few)) == (4, 1)
    (whole,) = many
    assert Lock(whole.key, is_shared=True) in few
    assert not whole.is_shared


async def test_a_deadlock_of_two_processes_is_tried_again(stores, job, table_faults, monkeypatch):
    met = asyncio.Barrier(2)
    deadlocks: list[Any] = []
    for store in stores:
        monkeypatch.setattr(store.writes._writer, "_write_rows", crossing(store, met, deadlocks))
    names = ["left", "right"]

    def changes(order):
        return [Change("Patient", name, patient(name, name)) for name in order]

    await asyncio.gather(
        stores[0].write_all(job, changes(names)), stores[1].write_all(job, changes(names[::-1]))
    )

    assert deadlocks == [asyncpg.DeadlockDetectedError]
    assert [(await stores[0].read(job, "Patient", name)).version for name in names] == [1, 1]
    assert await table_faults() == []


def crossing(store, met, deadlocks):
    """Return how to write rows one by one, and in the first try to wait for the other process."""
    write, tries = store.writes._writer._write_rows, []

    async def write_rows(connection, rows, numbers, txgroup=0):
        tries.append(len(rows))
        done = set()
        try:
            for at, (row, number) in enumerate(zip(rows, numbers, strict=True), 1):
                if await write(connection, [row], [number], txgroup):
                    done.add(at)
                if len(tries) == 1 and at == 1:
                    await met.wait()
        except asyncpg.DeadlockDetectedError as error:
            deadlocks.append(type(error))
            raise
        return done

    return write_rows
