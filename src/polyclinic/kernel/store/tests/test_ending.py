"""A transaction whose request is given up: rolled back before its commit, seen through after."""

import asyncio

import asyncpg
import pytest

from polyclinic.kernel.errors import Unavailable
from polyclinic.kernel.store import Change, ending, writing
from polyclinic.kernel.types import from_json


@pytest.fixture
def changes():
    patients = [from_json({"resourceType": "Patient", "id": f"p{number}"}) for number in range(3)]
    return [Change("Patient", one.id, one) for one in patients]


@pytest.fixture
def reached(monkeypatch):
    """Return an event that is set when a commit was made and its answer is awaited."""
    event, commit = asyncio.Event(), asyncpg.transaction.Transaction.commit

    async def slow(self):
        await commit(self)
        event.set()
        await asyncio.sleep(0.05)

    monkeypatch.setattr(asyncpg.transaction.Transaction, "commit", slow)
    return event


async def stored(store, job):
    found = await asyncio.gather(
        *(store.read(job, "Patient", f"p{number}") for number in range(3)), return_exceptions=True
    )
    return sum(not isinstance(one, Exception) for one in found)


async def test_who_is_given_up_in_a_commit_gets_the_answer(
    store, job, changes, reached, table_faults
):
    writing_all = asyncio.create_task(store.write_all(job, changes))
    await reached.wait()

    writing_all.cancel()
    written = await writing_all

    assert [one.stored.version for one in written] == [1, 1, 1]
    assert await stored(store, job) == 3
    assert await table_faults() == []


async def test_the_control_with_a_plain_commit_does_not_know(
    store, job, changes, reached, monkeypatch
):
    async def plain(transaction):
        await transaction.commit()

    monkeypatch.setattr(writing, "commit", plain)
    writing_all = asyncio.create_task(store.write_all(job, changes))
    await reached.wait()

    writing_all.cancel()

    with pytest.raises((asyncio.CancelledError, Unavailable)):
        await writing_all
    assert await stored(store, job) == 3


async def test_who_is_given_up_before_the_commit_has_stored_nothing(
    store, job, changes, monkeypatch, table_faults
):
    before = asyncio.Event()

    async def keep(_self, _connection):
        before.set()
        await asyncio.sleep(10)

    monkeypatch.setattr(ending.Ending, "keep", keep)
    writing_all = asyncio.create_task(store.write_all(job, changes))
    await before.wait()

    writing_all.cancel()

    with pytest.raises(asyncio.CancelledError):
        await writing_all
    assert await stored(store, job) == 0
    assert await table_faults() == []
