"""Every page shows what the first one saw, whatever is written meanwhile."""

import asyncio
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Any

import pytest

from polyclinic.base.clock import SystemClock
from polyclinic.base.db.connect import connected
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Gone, PageExpired
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    Has,
    Linked,
    Not,
    Query,
    RefersTo,
    Sort,
    TokenIs,
)
from polyclinic.kernel.store import open_store, snapshot
from polyclinic.kernel.types import from_json
from polyclinic.testing.isolation.chance import Chance

KNOWN = parameters("Observation")
ANY = ""
"""Nobody asks for an order."""
ORDERS = [
    "date",
    "-date",
    "value-quantity",
    "-value-quantity,date",
    "-_id",
    "_lastUpdated",
    "code",
    ANY,
]
COUNT = 24
DAYS = [None, "2020-01-01", "2020-02", "2021"]
VALUES = [None, 1, 2.5, 120]


def observation(chance, identity, patient="a"):
    day, value = chance.choice(DAYS), chance.choice(VALUES)
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": chance.choice(["final", "final", "amended"]),
        "code": {"coding": [{"system": "urn:c", "code": chance.choice("xyz")}]},
        "subject": {"reference": f"Patient/{patient}"},
        **({"effectiveDateTime": day} if day else {}),
        **({"valueQuantity": {"value": value, "unit": "mg"}} if value else {}),
    }


def query(order: str, *parts: Any, count: int, after: str | None = None) -> Query:
    given: dict[str, Any] = {"count": count, "total": False, "after": after, "understood": ()}
    given["any_order"] = order == ANY
    return Query(("Observation",), AllOf(parts), sorts(order or "-_lastUpdated"), **given)


def sorts(text):
    names = [(one.removeprefix("-"), one.startswith("-")) for one in text.split(",")]
    return tuple(
        Sort(None if name == "_lastUpdated" else KNOWN[name], descending=down)
        for name, down in names
    )


FINAL = TokenIs(KNOWN["status"], None, "final")
OF_A = RefersTo(KNOWN["subject"], "Patient", "a")
ACTIVE = Linked(KNOWN["subject"], "Patient", TokenIs(parameters("Patient")["active"], None, "true"))
PROVENANCE = parameters("Provenance")
NOTED = Has("Provenance", PROVENANCE["target"], TokenIs(PROVENANCE["agent-type"], None, "author"))


@pytest.fixture
async def ward(clinic):
    """Return a clinic with observations of an active patient, one in three with a Provenance."""
    chance = Chance(1)
    await clinic.put({"resourceType": "Patient", "id": "a", "active": True})
    await clinic.put({"resourceType": "Patient", "id": "b", "active": False})
    for number in range(COUNT):
        await clinic.put(observation(chance, f"o{number}"))
    for number in range(0, COUNT, 3):
        await clinic.put(provenance(f"Observation/o{number}"))
    return clinic


def provenance(target):
    return {
        "resourceType": "Provenance",
        "id": target.replace("/", "-"),
        "target": [{"reference": target}],
        "recorded": "2020-01-01T00:00:00Z",
        "agent": [
            {"type": {"coding": [{"code": "author"}]}, "who": {"reference": "Practitioner/d"}}
        ],
    }


async def whole(clinic, who, order, *parts):
    page = await clinic.store.search(who, query(order, *parts, count=1000))
    return [(one.id, one.version) for one in page.entries]


async def pages(clinic, who, order, *parts, between):
    """Yield what each page shows; something is done after each."""
    after, found = None, []
    while True:
        page = await clinic.store.search(who, query(order, *parts, count=5, after=after))
        found += [(one.id, one.version) for one in page.entries]
        after = page.next
        if after is None:
            return found
        await between()


class Writers:
    """Change, delete, bring back and add observations at random."""

    def __init__(self, clinic, seed):
        self._clinic = clinic
        self._chance = Chance(seed)
        self._added = 0

    async def some(self):
        """Make a few changes, several at a time."""
        await asyncio.gather(*(self._one() for _ in range(6)))

    async def for_ever(self):
        """Go on until cancelled."""
        while True:
            await self.some()

    async def _one(self):
        chance, job = self._chance, self._clinic.principal("job")
        identity = f"o{chance.randrange(COUNT)}"
        match chance.choice(("change", "change", "delete", "add")):
            case "change":
                patient = chance.choice(("a", "a", "b"))
                content = from_json(observation(chance, identity, patient))
                await self._clinic.store.update(job, content)
            case "delete":
                with suppress(Gone):
                    await self._clinic.store.delete(job, "Observation", identity)
            case _:
                self._added += 1
                content = from_json(observation(chance, f"n{self._added}"))
                await self._clinic.store.update(job, content)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("parts", [(), (FINAL,), (Not(FINAL), OF_A)], ids=["all", "final", "not"])
async def test_pages_show_what_the_first_one_saw(ward, job, order, parts):
    writers = Writers(ward, seed=f"{order} {len(parts)}")
    expected = await whole(ward, job, order, *parts)

    found = await pages(ward, job, order, *parts, between=writers.some)

    assert found == expected
    assert await whole(ward, job, order, *parts) != expected


@pytest.mark.parametrize("order", ORDERS)
async def test_writers_that_do_not_stop_change_nothing(ward, job, order):
    writers = Writers(ward, seed=order)
    expected = await whole(ward, job, order)
    running: list[asyncio.Task[None]] = []

    async def start():
        if not running:
            running.extend(asyncio.create_task(writers.for_ever()) for _ in range(3))
        await asyncio.sleep(0.01)

    found = await pages(ward, job, order, between=start)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)

    assert found == expected


@pytest.mark.parametrize("order", ORDERS)
async def test_a_page_that_begins_among_writers_repeats_nothing(ward, job, order):
    tasks = [asyncio.create_task(Writers(ward, seed).for_ever()) for seed in range(3)]
    for _ in range(3):
        found = await pages(ward, job, order, between=lambda: asyncio.sleep(0.005))
        assert len({identity for identity, _ in found}) == len(found)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_pages_go_on_in_their_order_where_few_become_many(ward, job, monkeypatch):
    monkeypatch.setattr(import_module("polyclinic.kernel.store.select.few"), "_MOST", COUNT)
    expected = await whole(ward, job, ANY, OF_A)

    async def more():
        for number in range(5):
            await ward.put(observation(Chance(number), f"m{len(expected)}-{number}"))

    assert await pages(ward, job, ANY, OF_A, between=more) == expected


@pytest.mark.parametrize("part", [ACTIVE, NOTED], ids=["chain", "has"])
async def test_references_are_followed_as_they_are_now(ward, job, part):
    expected = await whole(ward, job, "date", part)
    changed = expected[-1][0]

    async def change():
        content = {**observation(Chance(3), changed), "status": "cancelled"}
        await ward.store.update(job, from_json(content))

    assert await pages(ward, job, "date", part, between=change) == expected


async def test_what_became_anothers_stays_on_the_pages(ward, job):
    patient = ward.principal("patient", patient="a")
    expected = await whole(ward, patient, "date")
    moved = expected[-1][0]

    async def move():
        await ward.store.update(job, from_json(observation(Chance(3), moved, "b")))

    assert await pages(ward, patient, "date", between=move) == expected
    assert moved not in {identity for identity, _ in await whole(ward, patient, "date")}


async def test_what_was_anothers_is_not_restored(ward, job):
    patient = ward.principal("patient", patient="a")
    for number in range(4):
        await ward.put(observation(Chance(number), f"b{number}", "b"))
    expected = await whole(ward, patient, "date")

    async def change():
        for number in range(4):
            content = {**observation(Chance(number + 9), f"b{number}", "a")}
            await ward.store.update(job, from_json(content))

    assert await pages(ward, patient, "date", between=change) == expected
    assert len(await whole(ward, patient, "date")) == len(expected) + 4


async def test_a_link_expires_when_too_much_was_changed(ward, job, monkeypatch):
    page = await ward.store.search(job, query("date", count=5))
    await Writers(ward, 5).some()

    monkeypatch.setattr(snapshot, "MOST_LOOKED", 2)
    with pytest.raises(PageExpired):
        await ward.store.search(job, query("date", count=5, after=page.next))


async def test_a_link_expires_when_too_many_are_to_be_opened(ward, job, monkeypatch):
    page = await ward.store.search(job, query("date", count=5))
    for number in range(3):
        await ward.put({**observation(Chance(4), f"o{number}"), "status": "cancelled"})

    monkeypatch.setattr(snapshot, "MOST_MOVED", 2)
    with pytest.raises(PageExpired):
        await ward.store.search(job, query("date", count=5, after=page.next))


@asynccontextmanager
async def served(own_database, kek):
    clock = SystemClock()
    async with open_store(
        own_database.app_dsn, Settings(), clock=clock, ids=TimeOrderedIds(clock)
    ) as store:
        tenant = await store.open_tenant("dumped", kek)
        yield store, Principal("job", tenant.number, 1, frozenset({"job"}))


async def test_a_link_ends_with_the_numbers_of_its_transactions(own_database, kek):
    async with served(own_database, kek) as (store, job):
        for number in range(6):
            await store.update(job, from_json(observation(Chance(number), f"o{number}")))
        page = await store.search(job, query("date", count=5))
        async with connected(own_database.require_owner()) as owner:
            await owner.execute("update feed_epoch set system = 'another cluster'")
        await store.following.epochs.begin()

        with pytest.raises(PageExpired):
            await store.search(job, query("date", count=5, after=page.next))


def test_a_snapshot_is_packed_and_unpacked():
    for text in ("5:5:", "731:736:732,735", "18446744073709:18446744073800:18446744073710"):
        assert snapshot.unpacked(snapshot.packed(text)) == text
