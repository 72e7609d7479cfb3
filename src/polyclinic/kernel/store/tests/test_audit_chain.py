"""A8: the audit record is sealed after the fact; whatever is done to it later is found."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyclinic.base.clock import SystemClock
from polyclinic.base.db.connect import connected
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.errors import Forbidden
from polyclinic.kernel.store import open_store
from polyclinic.kernel.store.audit_chain import (
    Keys,
    Place,
    chain_hash,
    pack_members,
    unpack_members,
)
from polyclinic.kernel.store.audit_checkpoint import (
    NoCheckpoint,
    read_checkpoints,
    write_checkpoint,
)
from polyclinic.kernel.store.audit_sealing import AuditSealer, segment_of
from polyclinic.kernel.types import from_json
from polyclinic.testing.audit import AuditBench

PATIENT = from_json({"resourceType": "Patient", "id": "p"})
CHANGES = [
    "at = at + interval '1 second'",
    "account = account + 1",
    "action = 'D'",
    "outcome = 8",
    "type = type + 1",
    "rid = rid + 1",
    "version = version + 1",
    "patients = patients || 7::bigint",
    "detail = '\\x00'",
    "request = '00000000-0000-4000-8000-000000000000'",
    "interaction = 3",
    "tx = '1'",
    "counter = counter + 1000",
    "worker = worker + 1000000",
    "tenant = tenant + 1000000",
]


@pytest.fixture
async def bench(clinic, store, owner, job):
    """Return a record of twelve sealed rows in three segments, and two that are not sealed."""
    await store.update(job, PATIENT)
    for _ in range(11):
        await store.read(job, "Patient", "p")
    bench = AuditBench(clinic.tenant, owner, await store.audit_record(job), store._hot)
    assert await bench.seal() == 12
    await store.read(job, "Patient", "p")
    await store.read(job, "Patient", "p")
    return bench


async def test_a8_what_was_left_alone_is_in_order(bench):
    walk = bench.record.verification(bench.tenant)

    assert [fault async for fault in walk.faults()] == []
    assert (walk.segments, walk.rows, walk.unsealed) == (3, 12, 2)


async def test_sealing_goes_on_where_it_ended(bench):
    assert await bench.seal() == 2
    assert await bench.seal() == 0
    assert await bench.kinds() == []


async def test_sealing_waits_for_what_is_under_way(bench, store, job, database):
    async with connected(database.app_dsn) as connection, connection.transaction():
        await connection.fetchval("select pg_current_xact_id()")
        await store.read(job, "Patient", "p")
        under_way = await bench.seal()
    await store.read(job, "Patient", "p")

    # What was committed before the transaction began could be sealed, nothing after it.
    assert under_way == 2
    assert await bench.seal() == 2


async def test_two_processes_that_seal_together_make_one_chain(bench, twin):
    other = AuditSealer(twin._hot, SystemClock())

    await asyncio.gather(bench.seal(1), other.seal(bench.tenant, 1))
    await bench.seal()

    assert await bench.kinds() == []


@pytest.mark.parametrize("change", CHANGES)
async def test_a8_a_changed_row_is_found(bench, change):
    await bench.change(change, (await bench.places())[6])

    assert set(await bench.kinds()) & {"changed", "missing"}


async def test_a8_a_removed_row_is_found_and_named(bench):
    worker, counter = (await bench.places())[3]

    await bench.on_row("delete from audit", (worker, counter))

    (fault,) = await bench.faults()
    assert fault.kind == "missing"
    assert f"{worker}.{counter}" in fault.what
    assert "segment 1" in fault.what


@pytest.mark.parametrize("at", [0, 4, 11])
async def test_a8_an_added_row_is_found(bench, at):
    await bench.copy("worker", "counter + 500", (await bench.places())[at])

    # Behind the last row of the last segment it is one that was not sealed yet.
    assert await bench.kinds() == (["added"] if at < 11 else [])


async def test_a8_a_copy_of_a_row_is_found(bench):
    await bench.on_row("insert into audit select * from audit", (await bench.places())[4])

    assert await bench.kinds() == ["added"]


@pytest.mark.parametrize("column", ["counter", "tx"])
async def test_a8_rows_that_changed_places_are_found(bench, column):
    (worker, one), (_, other) = (await bench.places())[2:4]

    exchange = (
        "update audit a set {0} = b.{0} from audit b"
        " where a.tenant = $1 and a.worker = $2 and a.counter in ($3, $4)"
        " and b.tenant = $1 and b.worker = $2 and b.counter = $3 + $4 - a.counter"
    )
    await bench.run(exchange.format(column), worker, one, other)

    assert await bench.kinds() == ["missing", "added"]


async def test_a8_a_row_of_a_process_that_never_was_is_found(bench):
    await bench.copy("987654321", "counter", (await bench.places())[11])

    (fault,) = await bench.faults()
    assert "987654321" in fault.what


@pytest.mark.parametrize("number", [1, 2])
async def test_a8_a_removed_segment_is_found(bench, number):
    await bench.run("delete from audit_seal where tenant = $1 and number = $2", number)

    assert await bench.kinds() == ["segment"]


@pytest.mark.parametrize(
    "change",
    [
        "macs = set_byte(macs, 3, (get_byte(macs, 3) + 1) % 256)",
        "members = set_byte(members, 9, (get_byte(members, 9) + 1) % 256)",
        "chain = set_byte(chain, 3, (get_byte(chain, 3) + 1) % 256)",
        "previous = set_byte(previous, 3, (get_byte(previous, 3) + 1) % 256)",
        "signature = set_byte(signature, 3, (get_byte(signature, 3) + 1) % 256)",
        "row_count = row_count + 1",
        "total = total + 1",
        "last_counter = last_counter + 1",
        "first_counter = first_counter + 1",
        "at = at + interval '1 second'",
        "cluster = cluster + 1",
    ],
)
async def test_a8_a_forged_segment_is_found(bench, change):
    statement = "update audit_seal set {} where tenant = $1 and number = 2"
    await bench.run(statement.format(change))

    assert "segment" in await bench.kinds()


async def test_a8_segments_that_changed_places_are_found(bench):
    await bench.run("update audit_seal set number = number + 10 where tenant = $1")
    await bench.run("update audit_seal set number = 2 where tenant = $1 and number = 11")
    await bench.run("update audit_seal set number = 1 where tenant = $1 and number = 12")
    await bench.run("update audit_seal set number = 3 where tenant = $1 and number = 13")

    assert "segment" in await bench.kinds()


async def test_a8_a_segment_of_another_key_is_found(bench):
    row = await bench.owner.fetchrow(
        "select * from audit_seal where tenant = $1 and number = 3", bench.number
    )
    forged = segment_of(row)
    assert chain_hash(forged.previous, forged.members, forged.macs) == forged.chain
    signature = Keys(bytes(32)).sign(forged.message)

    await bench.run(
        "update audit_seal set signature = $2 where tenant = $1 and number = 3", signature
    )

    assert await bench.kinds() == ["segment"]


async def test_a8_a_cut_off_end_is_found_by_a_checkpoint_only(bench):
    checkpoint = await bench.record.checkpoint(bench.tenant)
    (worker, counter), *_ = (await bench.places())[10:]
    await bench.run("delete from audit_seal where tenant = $1 and number = 3")
    await bench.run(
        "delete from audit where tenant = $1 and worker = $2 and counter >= $3", worker, counter
    )

    assert await bench.kinds() == []
    assert await bench.kinds(checkpoint) == ["checkpoint"]


async def test_a8_an_end_that_was_sealed_anew_is_found_by_a_checkpoint(bench):
    checkpoint = await bench.record.checkpoint(bench.tenant)
    worker, counter = (await bench.places())[11]
    await bench.run("delete from audit_seal where tenant = $1 and number = 3")
    await bench.on_row("delete from audit", (worker, counter))
    await bench.seal()

    assert await bench.kinds() == []
    assert await bench.kinds(checkpoint) == ["checkpoint"]


async def test_a_checkpoint_of_what_was_left_alone_is_met(bench):
    checkpoint = await bench.record.checkpoint(bench.tenant)
    await bench.seal()

    (again,) = read_checkpoints(f"{write_checkpoint(checkpoint)}\n".encode())

    assert again == checkpoint
    assert again.is_whole
    assert await bench.kinds(again) == []


async def test_a_changed_checkpoint_is_no_checkpoint(bench):
    line = write_checkpoint(await bench.record.checkpoint(bench.tenant))

    with pytest.raises(NoCheckpoint, match="changed"):
        read_checkpoints(line.replace('"total":12', '"total":13').encode())
    with pytest.raises(NoCheckpoint):
        read_checkpoints(b"no checkpoint\n")
    with pytest.raises(NoCheckpoint):
        read_checkpoints(b"")


@pytest.fixture
async def moved(bench):
    """Let every process so far have run on another server, from which a dump was restored."""
    await bench.owner.execute("update audit_worker set cluster = 77 - cluster")
    yield
    await bench.owner.execute("update audit_worker set cluster = 77 - cluster where cluster < 77")


@pytest.mark.usefixtures("moved")
async def test_a8_rows_of_an_older_server_stay_in_order_after_a_dump(bench, job, kek, database):
    await bench.run("delete from audit_seal where tenant = $1")
    before = await bench.seal()
    clock = SystemClock()
    ids = TimeOrderedIds(clock)
    async with open_store(database.app_dsn, Settings(), clock=clock, ids=ids) as later:
        await later.open_tenant(bench.tenant.name, kek)
        await later.read(job, "Patient", "p")
    # The new server counts its transactions anew.
    await bench.run("update audit set tx = '3' where tenant = $1 and interaction = 100")
    after = await bench.seal()

    assert (before, after) == (14, 2)
    assert await bench.kinds() == []


async def test_only_who_may_read_audit_events_gets_the_record(clinic, store):
    with pytest.raises(Forbidden):
        await store.audit_record(clinic.principal("clinician"))


@pytest.mark.parametrize("table", ["audit_seal", "audit_worker"])
@pytest.mark.parametrize("statement", ["update {} set worker = 0", "delete from {}", "truncate {}"])
async def test_a8_the_role_that_serves_cannot_change_the_chain(pool, table, statement):
    column = "number" if table == "audit_seal" else "worker"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with pool.acquire() as connection:
            await connection.execute(statement.format(table).replace("worker =", f"{column} ="))


@given(
    st.lists(st.tuples(*[st.integers(0, 2**62)] * 3).map(lambda each: Place(*each)), max_size=50)
)
def test_members_are_read_as_they_were_packed(places):
    assert unpack_members(pack_members(places)) == places


@given(st.binary(max_size=200))
def test_members_that_are_none_raise_nothing_else(data):
    with suppress(ValueError):
        unpack_members(data)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 11), change=st.sampled_from([None, *CHANGES]))
async def test_a8_random_tampering_is_always_found(bench, at, change):
    """Each example is rolled back, so that the next finds the record as it was sealed."""
    place = (await bench.places())[at]
    walk = bench.record.verification(bench.tenant)
    walk._executor = bench.owner
    transaction = bench.owner.transaction()
    await transaction.start()
    try:
        tamper = bench.change(change, place) if change else bench.on_row("delete from audit", place)
        await tamper
        found = [fault async for fault in walk.faults()]
    finally:
        await transaction.rollback()

    assert found
    assert await bench.kinds() == []
