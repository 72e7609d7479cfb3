"""Data keys: made once, whoever needs them first; remembered for a while; asked for in batches."""

import asyncio
from typing import cast

import pytest

from polyclinic.base.clock import SystemClock
from polyclinic.base.crypto import Sealer, new_key
from polyclinic.base.keys import KeyRing
from polyclinic.base.settings import Settings
from polyclinic.kernel.errors import Erased, Unreadable
from polyclinic.kernel.store.connections import Connections, open_hot
from polyclinic.kernel.store.keys import SHARED, DataKeys, Limits

MANY = range(100_001, 100_041)


class Counted:
    """A pool that counts its statements."""

    def __init__(self, pool):
        self._pool = pool
        self.statements = 0

    def within(self, tenant):
        """Return itself, in the context of a tenant."""
        del tenant
        return self

    async def fetch(self, sql, *arguments):
        self.statements += 1
        return await self._pool.fetch(sql, *arguments)

    async def fetchrow(self, sql, *arguments):
        return await self._pool.fetchrow(sql, *arguments)


@pytest.fixture
async def hot(database):
    pool = await open_hot(database.app_dsn, Settings(pool_max=4))
    yield pool
    await pool.close()


@pytest.fixture
def process(hot, clinic, kek):
    """Return a function that makes the keys of a process, and the pool that counts."""

    def make(ring=kek, limits=Limits()):  # noqa: B008 - immutable
        counted = Counted(hot)
        keys = DataKeys(cast("Connections", counted), SystemClock(), limits)
        keys.add(clinic.tenant.number, ring)
        return keys, counted

    return make


async def test_keys_that_are_missing_are_made_in_one_statement(process, clinic):
    keys, counted = process()

    made = await keys.of(clinic.tenant.number, MANY)

    assert counted.statements == 1
    assert len({key.secret for key in made.values()}) == len(MANY)
    assert {key.subject for key in made.values()} == set(MANY)


async def test_what_arrives_together_asks_together(process, clinic):
    keys, counted = process()

    found = await asyncio.gather(*(keys.of(clinic.tenant.number, [one]) for one in MANY))

    assert counted.statements <= 2
    assert [set(one) for one in found] == [{subject} for subject in MANY]


async def test_no_statement_is_run_for_a_key_that_is_remembered(process, clinic):
    keys, counted = process()
    made = await keys.of(clinic.tenant.number, [*MANY, SHARED])
    before = counted.statements

    again = await keys.of(clinic.tenant.number, [*MANY, SHARED])
    numbered = await keys.numbered(clinic.tenant.number, [key.key_id for key in made.values()])

    assert counted.statements == before
    assert again == made
    assert set(numbered.values()) == set(made.values())


async def test_processes_that_need_a_key_at_the_same_time_have_the_same(process, clinic, owner):
    processes = [process()[0] for _ in range(6)]

    found = await asyncio.gather(
        *(keys.of(clinic.tenant.number, [*MANY, SHARED]) for keys in processes)
    )

    assert all(one == found[0] for one in found)
    assert (
        await owner.fetchval(
            "select count(*) from data_key where tenant = $1", clinic.tenant.number
        )
        == len(MANY) + 2
    )


async def test_a_memory_that_is_too_small_answers_all_the_same(process, clinic):
    keys, _ = process(limits=Limits(keys=3))

    made = await keys.of(clinic.tenant.number, MANY)
    again = await keys.numbered(clinic.tenant.number, [key.key_id for key in made.values()])

    assert {key.subject: key.secret for key in again.values()} == {
        key.subject: key.secret for key in made.values()
    }


async def test_a_key_that_was_destroyed_elsewhere_is_forgotten_with_its_time(
    process, clinic, owner
):
    moment = [0.0]
    keys, _ = process(limits=Limits(seconds=900, now=lambda: moment[0]))
    (key,) = (await keys.of(clinic.tenant.number, [MANY[0]])).values()
    await owner.execute(
        "update data_key set wrapped = null, destroyed = 'epoch' where key_id = $1", key.key_id
    )

    remembered = await keys.of(clinic.tenant.number, [MANY[0]])
    moment[0] = 900.0

    assert remembered == {MANY[0]: key}
    with pytest.raises(Erased):
        await keys.of(clinic.tenant.number, [MANY[0]])
    (found,) = (await keys.numbered(clinic.tenant.number, [key.key_id])).values()
    assert (found.secret, found.fault) == (b"", Erased)


async def test_i8_a_key_of_another_tenant_is_not_found(process, clinic, store, kek):
    keys, _ = process()
    other = await store.open_tenant(f"{clinic.tenant.name}-other", kek)
    keys.add(other.number, kek)
    (key,) = (await keys.of(other.number, [MANY[0]])).values()

    assert await keys.numbered(clinic.tenant.number, [key.key_id]) == {}
    assert await keys.numbered(other.number, [key.key_id]) == {key.key_id: key}


async def test_a_key_whose_wrapping_key_is_not_here_is_told_without_content(
    process, clinic, caplog
):
    made = await process()[0].of(clinic.tenant.number, [MANY[0]])
    keys, _ = process(ring=KeyRing([Sealer(new_key())]))

    with caplog.at_level("ERROR"), pytest.raises(Unreadable):
        await keys.of(clinic.tenant.number, [MANY[0]])

    told = [record.polyclinic_fields for record in caplog.records]
    assert {record.message for record in caplog.records} == {"key.unusable"}
    assert {fields["key"] for fields in told} == {made[MANY[0]].key_id}
    assert set(told[0]) == {"key", "kek"}


async def test_a_wrapped_key_that_was_swapped_with_anothers_does_not_open(process, clinic, owner):
    made = await process()[0].of(clinic.tenant.number, MANY[:3])
    one, two, three = (made[subject].key_id for subject in MANY[:3])
    await owner.execute(
        "update data_key k set wrapped = o.wrapped from data_key o"
        " where (k.key_id, o.key_id) in (($1, $2), ($2, $1))",
        one,
        two,
    )

    found = await process()[0].numbered(clinic.tenant.number, [one, two, three])

    assert [found[key].fault for key in (one, two, three)] == [Unreadable, Unreadable, None]
