"""Transaction ids do not survive a dump: cursors end with their epoch, and nothing is lost.

The data is put into the state that a dump leaves: the rows have ids of another cluster, which has
counted further than this one.
"""

from contextlib import asynccontextmanager

import pytest

from polyclinic.base.clock import SystemClock
from polyclinic.base.db.connect import connected
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import CursorExpired
from polyclinic.kernel.store import open_store
from polyclinic.kernel.store.consumers import Consumer
from polyclinic.kernel.store.feed import Chosen
from polyclinic.kernel.store.feed_place import Cursor
from polyclinic.kernel.types import from_json

EVERYTHING = Chosen()
ELSEWHERE = 1_000_000_000
COUNTED_FURTHER = [
    "update resource set tx = (tx::text::bigint + $1)::text::xid8 where tx::text::bigint < $1",
    "update version set tx = (tx::text::bigint + $1)::text::xid8 where tx::text::bigint < $1",
    "update feed_consumer set tx = (tx::text::bigint + $1)::text::xid8 where tx::text::bigint < $1",
]


FAILED_OVER = """
    create or replace function feed_here(out system text, out timeline text)
    language sql volatile as $$
      select s.system_identifier || ':' || d.oid, 'another'
      from pg_control_system() s, pg_database d
      where d.datname = current_database()
    $$
"""


@pytest.fixture
def opened(own_database, kek):
    """Return a function that opens the store on the database, with a tenant and a job."""

    @asynccontextmanager
    async def run():
        clock = SystemClock()
        async with open_store(
            own_database.app_dsn, Settings(), clock=clock, ids=TimeOrderedIds(clock)
        ) as store:
            tenant = await store.open_tenant("dumped", kek)
            job = Principal("job", tenant.number, 1, frozenset({"job"}))
            yield store, job

    return run


@pytest.fixture
def dump_and_restore(own_database):
    """Return a function that leaves the tables as a dump from another cluster does."""

    async def run(tenant):
        async with connected(own_database.require_owner()) as owner:
            await owner.fetch(
                "select set_config('polyclinic.tenant', $1, false),"
                " set_config('polyclinic.audience', '*', false)",
                str(tenant),
            )
            for sql in COUNTED_FURTHER:
                await owner.execute(sql, ELSEWHERE)
            await owner.execute("update feed_epoch set system = 'another cluster'")

    return run


async def write(store, job, identity, *numbers):
    for number in numbers:
        content = {"resourceType": "Patient", "id": identity, "multipleBirthInteger": number}
        await store.update(job, from_json(content))


async def follow(store, job, cursor=None):
    feed = store.following.feed
    cursor = cursor or await feed.start(job, EVERYTHING, None)
    seen: list[tuple[str, int]] = []
    while True:
        window = await feed.window(job, EVERYTHING, cursor, 2)
        if not window.lines:
            return seen, cursor
        rows = await feed.batch(job, EVERYTHING, window.start, window)
        seen += [(row.stored.id, row.stored.version) for row in rows]
        cursor = Cursor(window.epoch, window.end)


async def test_after_a_dump_all_is_told_again_and_the_new_after_the_old(opened, dump_and_restore):
    async with opened() as (store, job):
        await write(store, job, "p", 1, 2, 3)
        seen, cursor = await follow(store, job)
        text = store.following.feed.cursor(job, EVERYTHING, *cursor)
    await dump_and_restore(job.tenant)

    async with opened() as (store, job):
        await write(store, job, "p", 4)
        await write(store, job, "q", 1)

        with pytest.raises(CursorExpired):
            await store.following.feed.start(job, EVERYTHING, text)
        again, _ = await follow(store, job)

    assert seen == [("p", 1), ("p", 2), ("p", 3)]
    assert again == [*seen, ("p", 4), ("q", 1)]


async def test_after_two_dumps_the_parts_stay_in_their_order(opened, dump_and_restore):
    async with opened() as (store, job):
        await write(store, job, "p", 1)
    await dump_and_restore(job.tenant)
    async with opened() as (store, job):
        await write(store, job, "p", 2)
    await dump_and_restore(job.tenant)
    async with opened() as (store, job):
        await write(store, job, "p", 3)

        seen, _ = await follow(store, job)

    assert seen == [("p", 1), ("p", 2), ("p", 3)]


async def test_what_a_dump_brings_would_not_be_told_without_a_part_of_its_own(
    opened, dump_and_restore, own_database
):
    async with opened() as (store, job):
        await write(store, job, "p", 1)
    await dump_and_restore(job.tenant)
    async with opened() as (store, job):
        async with connected(own_database.require_owner()) as owner:
            await owner.execute("update feed_epoch set first_seq = 0")
        await store.following.epochs.begin()

        seen, _ = await follow(store, job)

    assert seen == []


async def test_a_consumer_goes_on_where_it_was(opened, dump_and_restore):
    handled: list[tuple[str, int]] = []

    async def note(_, rows):
        handled.extend((row.stored.id, row.stored.version) for row in rows)

    async def step(store, job):
        return await store.following.consumers.step(job, Consumer("notes", note, batch=2))

    async with opened() as (store, job):
        await write(store, job, "p", 1, 2, 3)
        await step(store, job)
    await dump_and_restore(job.tenant)
    async with opened() as (store, job):
        await write(store, job, "p", 4)
        while (await step(store, job)).handled:
            pass

    assert handled == [("p", 1), ("p", 2), ("p", 3), ("p", 4)]


async def test_another_timeline_ends_the_cursors_of_a_running_server(opened, own_database):
    async with opened() as (store, job):
        await write(store, job, "p", 1)
        _, cursor = await follow(store, job)
        async with connected(own_database.require_owner()) as owner:
            await owner.execute(FAILED_OVER)

        with pytest.raises(CursorExpired):
            await store.following.feed.window(job, EVERYTHING, cursor, 10)
        seen, _ = await follow(store, job)
        epochs = await store.following.epochs.current()

    assert seen == [("p", 1)]
    assert epochs.parts == (0,)


async def test_without_a_move_the_cursors_stay_when_the_server_starts_again(opened):
    async with opened() as (store, job):
        await write(store, job, "p", 1)
        _, cursor = await follow(store, job)
        text = store.following.feed.cursor(job, EVERYTHING, *cursor)

    async with opened() as (store, job):
        assert await store.following.feed.start(job, EVERYTHING, text) == cursor
