"""The change feed: every version once, in an order that stays, whoever writes meanwhile."""

import asyncio
import json
import random

import msgspec
import pytest

from polyclinic.kernel.access.policy import shipped
from polyclinic.kernel.errors import BadRequest, CursorExpired, Forbidden
from polyclinic.kernel.store.feed import NOW, Changed, Chosen
from polyclinic.kernel.store.feed_place import Cursor
from polyclinic.kernel.types import from_json

EVERYTHING = Chosen()
Version = tuple[str, str, int]


def patient(identity, **content):
    return from_json({"resourceType": "Patient", "id": identity, **content})


async def page(store, principal, cursor, count=1000, chosen=EVERYTHING):
    """Return the changes of one window and the cursor behind it."""
    feed = store.following.feed
    window = await feed.window(principal, chosen, cursor, count)
    rows: list[Changed] = []
    after = window.start
    while len(rows) < window.lines:
        rows += await feed.batch(principal, chosen, after, window)
        after = rows[-1].place
    return rows, Cursor(window.epoch, window.end)


async def everything(store, principal, cursor=None, count=1000, chosen=EVERYTHING):
    """Return all changes that can be given out, page by page."""
    cursor = cursor or await store.following.feed.start(principal, chosen, None)
    found, last = [], None
    while last != cursor:
        last = cursor
        rows, cursor = await page(store, principal, cursor, count, chosen)
        found += rows
    return found, cursor


def versions(rows):
    return [(row.stored.type, row.stored.id, row.stored.version) for row in rows]


async def test_a_change_is_told_with_what_it_made(store, job):
    written = await store.update(job, patient("p", gender="female"))
    await store.update(job, patient("p", gender="male"))
    await store.delete(job, "Patient", "p")

    rows, _ = await everything(store, job)

    assert [row.method for row in rows] == ["create", "update", "delete"]
    assert rows[0].stored.json() == written.stored.json()
    assert b'"male"' in rows[1].stored.json()
    assert versions(rows) == [("Patient", "p", 1), ("Patient", "p", 2), ("Patient", "p", 3)]


async def test_what_was_read_once_is_the_same_again(store, job):
    for number in range(30):
        await store.update(job, patient(f"p{number % 7}", multipleBirthInteger=number))
    feed = store.following.feed
    start = await feed.start(job, EVERYTHING, None)
    first = await page(store, job, start, 11)

    await asyncio.gather(*(store.delete(job, "Patient", f"p{number}") for number in range(7)))
    again = await page(store, job, start, 11)

    assert again == first
    assert len(first[0]) == 11


@pytest.mark.parametrize("count", [1, 3, 7, 1000])
async def test_pages_of_any_size_hold_the_same_changes(store, job, count):
    for number in range(20):
        await store.update(job, patient(f"p{number % 6}", multipleBirthInteger=number))

    rows, _ = await everything(store, job, count=count)

    assert len(rows) == 20
    assert rows == (await everything(store, job))[0]


async def test_only_the_chosen_types_are_told_and_the_cursor_passes_the_others(store, job):
    for number in range(5):
        await store.update(job, patient(f"p{number}"))
        await store.update(job, from_json({"resourceType": "Organization", "id": f"o{number}"}))
    chosen = Chosen(("Organization",), bodies=False)

    rows, cursor = await everything(store, job, chosen=chosen, count=2)
    await store.update(job, patient("later"))
    beyond, passed = await page(store, job, cursor, chosen=chosen)

    assert versions(rows) == [("Organization", f"o{number}", 1) for number in range(5)]
    assert {row.stored.body for row in rows} == {b""}
    assert beyond == []
    assert passed.place > cursor.place


async def test_now_is_behind_all_that_was_and_before_all_that_comes(store, job):
    await store.update(job, patient("before"))
    now = await store.following.feed.start(job, EVERYTHING, NOW)
    await store.update(job, patient("after"))

    rows, _ = await everything(store, job, now)

    assert versions(rows) == [("Patient", "after", 1)]


async def naive(store, tenant, last):
    """Read as one would without care: what has a greater sequence number than the last seen."""
    sql = """
        select c.seq, r.id, c.version from (
          select tenant, rid, version, seq from resource where version > 0
          union all select tenant, rid, version, seq from version
        ) c join resource r on r.rid = c.rid
        where c.tenant = $1 and c.seq > $2 order by c.seq
    """
    async with store._hot.within(tenant).acquire() as connection:
        return [tuple(row) for row in await connection.fetch(sql, tenant, last)]


async def slow_transaction(store, tenant, begun, end):
    """Hold a transaction that has written before the others, and commit it at last."""
    async with store._hot.within(tenant).acquire() as connection, connection.transaction():
        await connection.execute(
            "insert into resource (rid, tenant, type, version, id, last_updated, dict_id, body)"
            " select -rid, tenant, type, 1, 'slow', last_updated, dict_id, body from resource"
            " where tenant = $1 and version > 0 limit 1",
            tenant,
        )
        begun.set()
        await end.wait()


async def write(stores, job, writer, acknowledged):
    """Create, update, delete and bring back; note every version that was acknowledged."""
    chance = random.Random(writer)  # noqa: S311 - repeatable
    for number in range(25):
        store, identity = chance.choice(stores), f"w{writer}-{chance.randrange(4)}"
        if acknowledged.get(identity, (0, False))[1] and chance.random() < 0.3:
            stored = await store.delete(job, "Patient", identity)
        else:
            content = patient(identity, multipleBirthInteger=number)
            stored = (await store.update(job, content)).stored
        acknowledged[identity] = (stored.version, not stored.deleted)


async def follow(store, job, seen, done):
    """Read what can be given out until the writers are done and nothing more comes."""
    cursor = await store.following.feed.start(job, EVERYTHING, None)
    while True:
        ending = done.is_set()
        rows, cursor = await everything(store, job, cursor, count=40)
        seen += versions(rows)
        if ending:
            return
        await asyncio.sleep(0.01)


async def follow_naively(store, tenant, seen, done):
    """Read by sequence number until the writers are done and nothing more comes."""
    last = 0
    while True:
        ending = done.is_set()
        rows = await naive(store, tenant, last)
        seen += [("Patient", identity, version) for _, identity, version in rows]
        last = max([last, *(seq for seq, _, _ in rows)])
        if ending:
            return
        await asyncio.sleep(0.01)


async def test_16_writers_and_a_slow_transaction_skip_nothing(clinic, stores, job):
    await stores[0].update(job, patient("first"))
    acknowledged: dict[str, tuple[int, bool]] = {}
    seen: list[Version] = []
    other: list[Version] = []
    seen_naively: list[Version] = []
    begun, end, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    slow = asyncio.create_task(slow_transaction(stores[0], clinic.tenant.number, begun, end))
    await begun.wait()
    followers = [
        asyncio.create_task(follow(stores[0], job, seen, done)),
        asyncio.create_task(follow(stores[1], job, other, done)),
        asyncio.create_task(follow_naively(stores[0], clinic.tenant.number, seen_naively, done)),
    ]

    await asyncio.gather(*(write(stores, job, writer, acknowledged) for writer in range(16)))
    await asyncio.sleep(2)
    held_back = len(seen)
    end.set()
    await slow
    done.set()
    await asyncio.gather(*followers)

    expected = {
        ("Patient", identity, version)
        for identity, (last, _) in acknowledged.items()
        for version in range(1, last + 1)
    } | {("Patient", "first", 1), ("Patient", "slow", 1)}
    assert held_back == 1
    assert len(expected) > 300
    assert sorted(seen) == sorted(expected)
    assert other == seen
    for identity, (last, _) in acknowledged.items():
        own = [version for _, name, version in seen if name == identity]
        assert own == list(range(1, last + 1))
    # The control: without care, what commits late is skipped.
    assert ("Patient", "slow", 1) not in seen_naively


async def test_a_reader_meets_each_version_once_while_it_is_superseded(stores, job):
    async def change():
        for number in range(60):
            await stores[0].update(job, patient("same", multipleBirthInteger=number))
        done.set()

    done = asyncio.Event()
    seen: list[Version] = []
    await asyncio.gather(change(), follow(stores[1], job, seen, done))

    assert seen == [("Patient", "same", version) for version in range(1, 61)]


async def test_a_patient_follows_no_changes(store, clinic):
    person = clinic.principal("patient", patient="p")

    with pytest.raises(Forbidden):
        await store.following.feed.start(person, EVERYTHING, None)


async def test_a_role_follows_only_the_types_it_may_read(store, clinic, job):
    await store.update(job, patient("p"))
    await store.update(job, from_json({"resourceType": "Organization", "id": "o"}))
    administrator = clinic.principal("administrator")

    rows, _ = await everything(store, administrator)

    assert versions(rows) == [("Organization", "o", 1)]
    with pytest.raises(Forbidden):
        await store.following.feed.start(administrator, Chosen(("Patient",)), None)


async def test_what_was_granted_ends_with_the_policy_that_granted_it(store, clinic, job):
    await store.update(job, patient("p"))
    reader, administrator = clinic.principal("nurse"), clinic.principal("administrator")
    start = await store.following.feed.start(reader, EVERYTHING, None)
    await page(store, reader, start)
    document = json.loads(msgspec.json.encode(shipped("organization").document))
    document["roles"]["nurse"]["rules"] = [{"may": ["read"], "on": ["Organization"]}]

    await store.policies.set(administrator, json.dumps(document).encode())

    assert versions((await page(store, reader, start))[0]) == []
    with pytest.raises(Forbidden):
        await store.following.feed.start(reader, Chosen(("Patient",)), None)


async def test_every_batch_has_its_audit_row(store, clinic, owner, job):
    await store.update(job, patient("p"))
    reader = clinic.principal("clinician")

    changes, _ = await everything(store, reader)

    rows = await owner.fetch(
        "select action, patients from audit where tenant = $1 and account = $2",
        clinic.tenant.number,
        reader.account,
    )
    assert [(row["action"], row["patients"]) for row in rows] == [(b"E", list(changes[0].patients))]
    assert len(changes[0].patients) == 1


async def test_i8_a_cursor_is_of_one_person_one_filter_and_one_tenant(store, clinic, kek, job):
    feed = store.following.feed
    await store.update(job, patient("p"))
    owner, other = clinic.principal("clinician"), clinic.principal("clinician")
    start = await feed.start(owner, EVERYTHING, None)
    _, end = await page(store, owner, start)
    text = feed.cursor(owner, EVERYTHING, *end)
    elsewhere = await store.open_tenant(f"{clinic.tenant.name}-elsewhere", kek)
    moved = type(owner)(
        name=owner.name, tenant=elsewhere.number, account=owner.account, roles=owner.roles
    )

    assert await feed.start(owner, Chosen(bodies=False), text) == end
    for principal, chosen in [
        (other, EVERYTHING),
        (moved, EVERYTHING),
        (owner, Chosen(("Patient",))),
    ]:
        with pytest.raises(BadRequest):
            await feed.start(principal, chosen, text)
    for broken in ("x", text[:-2], "A" * 64, "ü" * 64):
        with pytest.raises(BadRequest):
            await feed.start(owner, EVERYTHING, broken)


async def test_i8_the_control_with_cursors_bound_to_nothing_takes_a_foreign_one(
    store, clinic, job, monkeypatch
):
    monkeypatch.setattr("polyclinic.kernel.store.feed._context", lambda *_: b"")
    feed = store.following.feed
    await store.update(job, patient("p"))
    owner, other = clinic.principal("clinician"), clinic.principal("clinician")
    _, end = await page(store, owner, await feed.start(owner, EVERYTHING, None))

    assert await feed.start(other, EVERYTHING, feed.cursor(owner, EVERYTHING, *end)) == end


async def test_i8_a_tenant_follows_its_own_changes_only(store, job, stranger):
    assert versions((await everything(store, job))[0]) == [("Patient", "ours", 1)]
    assert versions((await everything(store, stranger))[0]) == [("Patient", "theirs", 1)]


async def test_the_same_place_has_the_same_cursor_each_time(store, job):
    feed = store.following.feed
    await store.update(job, patient("p"))
    _, end = await page(store, job, await feed.start(job, EVERYTHING, None))

    texts = {feed.cursor(job, EVERYTHING, *end) for _ in range(3)}

    assert len(texts) == 1
    assert len(texts.pop()) == 64


async def test_a_cursor_of_what_has_not_happened_is_refused(store, job):
    feed = store.following.feed
    now = await feed.start(job, EVERYTHING, NOW)
    ahead = Cursor(now.epoch, now.place._replace(tx=now.place.tx + 1_000_000))

    with pytest.raises(CursorExpired):
        await feed.window(job, EVERYTHING, ahead, 10)


class Planted:
    """Connections whose statements have lost what keeps tenants apart."""

    def __init__(self, pool, seen):
        self._pool = pool
        self._seen = seen

    def within(self, tenant):
        """Return what runs statements in a context that holds, or in another tenant's."""
        return Leaking(self._pool.within(self._seen or tenant))


class Leaking:
    def __init__(self, executor):
        self._executor = executor

    async def fetch(self, sql, *arguments):
        return await self._executor.fetch(sql.replace("c.tenant = $1", "$1 > 0"), *arguments)

    async def fetchrow(self, sql, *arguments):
        return await self._executor.fetchrow(sql.replace("c.tenant = $1", "$1 > 0"), *arguments)


@pytest.fixture
async def stranger(store, clinic, kek, job):
    """Return a job of another tenant, in which a patient was stored, as one was in this one."""
    elsewhere = await store.open_tenant(f"{clinic.tenant.name}-elsewhere", kek)
    other = type(job)(name="job", tenant=elsewhere.number, account=job.account, roles=job.roles)
    await store.update(other, patient("theirs"))
    await store.update(job, patient("ours"))
    return other


@pytest.mark.parametrize("is_context_broken", [False, True])
async def test_i8_with_its_statements_broken_the_context_still_keeps_tenants_apart(
    store, job, stranger, is_context_broken, monkeypatch
):
    feed = store.following.feed
    seen = stranger.tenant if is_context_broken else None
    monkeypatch.setattr(feed, "_pool", Planted(feed._pool, seen))

    rows, _ = await page(store, job, await feed.start(job, EVERYTHING, None))

    # The control: where neither net holds, the leak shows.
    assert versions(rows) == [("Patient", "theirs" if is_context_broken else "ours", 1)]
