"""What a process remembers of one tenant never answers for another; a planted leak shows."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from typing_extensions import override

from polyclinic.base.clock import SystemClock
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import HistoryQuery, NotListed, open_store
from polyclinic.kernel.store.coalesce import Coalescer
from polyclinic.kernel.store.handles import Handles
from polyclinic.kernel.types import from_json

ACCOUNT = 7
NUMBERS = count(1)


class Forgetful(Handles):
    """A leak: a resource's place is remembered without its tenant."""

    @override
    def get(self, identity):
        return super().get((0, *identity[1:]))

    @override
    def put(self, identity, handle):
        super().put((0, *identity[1:]), handle)


class OneLane(Coalescer[Any, Any]):
    """A leak: whoever asks at the same moment is answered from the same batch."""

    @override
    async def submit(self, lane, item):
        return await super().submit(min([*self._lanes, lane]), item)


def leak_handles(store):
    store._placement.handles = Forgetful()


def leak_reads(store):
    store._reader._coalescer = OneLane(store._reader._run, largest=64)


def leak_keys(store):
    one, *others = store._tenants.values()
    for other in others:
        store._tenants[other.number] = replace(other, sealer=one.sealer, index_key=one.index_key)


def no_leak(_store):
    return


@pytest.fixture
async def pair(database, kek):
    """Yield a store of its own, two principals of two tenants with the same account number."""
    clock = SystemClock()
    async with open_store(
        database.app_dsn, Settings(), clock=clock, ids=TimeOrderedIds(clock)
    ) as store:
        names = [f"pair-{next(NUMBERS)}" for _ in range(2)]
        tenants = [await store.open_tenant(name, kek) for name in names]
        yield (
            store,
            [Principal("job", one.number, ACCOUNT, frozenset({"job"})) for one in tenants],
        )


def patient(family):
    return from_json({"resourceType": "Patient", "id": "same", "name": [{"family": family}]})


async def families(store, principals):
    """Return what each reads under the id that both use, all at once and many times."""
    asked = [*principals] * 8
    found = await asyncio.gather(
        *(store.read(one, "Patient", "same") for one in asked), return_exceptions=True
    )
    return {
        (one.tenant, None if isinstance(stored, BaseException) else stored.body)
        for one, stored in zip(asked, found, strict=True)
    }


@pytest.mark.parametrize(
    ("leak", "is_leaky"), [(no_leak, False), (leak_handles, True), (leak_reads, True)]
)
async def test_i8_the_same_id_in_two_tenants_is_two_resources(pair, leak, is_leaky):
    store, principals = pair
    leak(store)

    written = []
    for one in principals:
        with suppress(Exception):
            written.append(await store.update(one, patient(f"of {one.tenant}")))

    expected = {(one.tenant, patient(f"of {one.tenant}").body) for one in principals}
    separate = len(written) == len(principals) and await families(store, principals) == expected
    assert separate is not is_leaky


@pytest.mark.parametrize(("leak", "is_leaky"), [(no_leak, False), (leak_keys, True)])
async def test_i8_a_page_link_is_of_its_tenant_also_for_the_same_account(pair, leak, is_leaky):
    store, (one, other) = pair
    leak(store)
    for number in range(3):
        await store.update(one, from_json({"resourceType": "Patient", "id": f"p{number}"}))
    link = (await store.history(one, HistoryQuery("Patient", count=1))).next

    try:
        await store.history(other, HistoryQuery("Patient", count=1, after=link))
        accepted = True
    except BadRequest:
        accepted = False

    assert accepted is is_leaky


async def test_i8_histories_and_counts_are_of_one_tenant(pair):
    store, (one, other) = pair
    await store.update(one, patient("one"))

    query, _ = parse_query("Patient", [("_total", "accurate")], "")
    page = await store.search(other, query)
    versions = await store.history(other, HistoryQuery())

    assert (page.entries, page.total, versions.entries) == ((), 0, ())
    assert len((await store.history(one, HistoryQuery())).entries) == 1


async def test_a_directory_lists_tenants_with_their_hosts(store):
    await store.directory.add("listed-1", ["B.example", "a.example"])
    await store.directory.set_hosts("listed-1", ["a.example", "c.example"])

    (found,) = [one for one in await store.directory.all() if one.name == "listed-1"]

    assert found.hosts == ("a.example", "c.example")


@pytest.mark.parametrize(
    ("name", "hosts", "words"),
    [
        ("Upper", [], "no name of a tenant"),
        ("a" * 41, [], "no name of a tenant"),
        ("a/b", [], "no name of a tenant"),
        ("", [], "no name of a tenant"),
        ("refused-1", ["https://x.example"], "no host name"),
        ("refused-1", ["x.example:80"], "no host name"),
        ("refused-1", ["ok.example", "taken.example"], "another tenant has the host"),
        ("refused-2", [], "there is a tenant"),
    ],
)
async def test_what_cannot_be_listed_is_refused_whole(store, name, hosts, words):
    names = {one.name for one in await store.directory.all()}
    if "refused-2" not in names:
        await store.directory.add("refused-2", ["taken.example"])

    with pytest.raises(NotListed, match=words):
        await store.directory.add(name, hosts)

    assert "refused-1" not in {one.name for one in await store.directory.all()}
