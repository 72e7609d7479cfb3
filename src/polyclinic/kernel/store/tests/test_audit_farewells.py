"""A process says at its end how many audit rows it wrote, so that one that is gone shows."""

import asyncpg
import pytest

from polyclinic.base.clock import SystemClock
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.store import open_store
from polyclinic.kernel.store.audit import Counter, Farewell
from polyclinic.testing.audit import AuditBench


@pytest.fixture
async def ended(clinic, owner, store, kek, database):
    """Return the record of a process that wrote three rows and ended."""
    clock = SystemClock()
    ids = TimeOrderedIds(clock)
    job = clinic.principal("job")
    async with open_store(database.app_dsn, Settings(), clock=clock, ids=ids) as ending:
        await ending.open_tenant(clinic.tenant.name, kek)
        for _ in range(3):
            with pytest.raises(NotFound):
                await ending.read(job, "Patient", "nobody")
    return AuditBench(clinic.tenant, owner, await store.audit_record(job), store._hot)


async def test_a_process_that_ends_counts_its_rows(ended):
    before = await ended.kinds()
    await ended.on_row("delete from audit", (await ended.places())[1])

    (fault,) = await ended.faults()

    assert before == []
    assert "wrote 3 rows, and 2 are there" in fault.what


async def test_what_a_process_said_at_its_end_cannot_be_made_up(ended):
    await ended.run("update audit set detail = '\\x01' where tenant = $1 and interaction = 100")

    (fault,) = await ended.faults()

    assert (fault.kind, "said when it ended" in fault.what) == ("count", True)


def test_numbers_are_used_again_only_when_the_database_refused():
    counter = Counter(1)
    refused = counter.take(2)
    counter.failed(9, refused, asyncpg.UniqueViolationError("no"))
    again = counter.take(2)
    counter.failed(9, again, ConnectionResetError())

    assert again == refused
    assert counter.take(1) == [3]
    assert counter.farewell(9) == Farewell(1, 0, 2)
