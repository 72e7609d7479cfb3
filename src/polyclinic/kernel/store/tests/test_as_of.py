"""A search of a moment finds what a search found at that moment."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, note, settings
from hypothesis import strategies as st

from polyclinic.kernel.errors import BadRequest, Gone, TooCostly
from polyclinic.kernel.search.facts import Facts
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    CanonicalIs,
    CompositeIs,
    DateIs,
    Has,
    IdentifierIs,
    IdIs,
    Include,
    InCompartment,
    InList,
    Linked,
    Missing,
    Not,
    NumberIs,
    Query,
    RefersTo,
    Sort,
    StringIs,
    TokenIs,
    TokenText,
    UriIs,
    Words,
)
from polyclinic.kernel.store import Change, as_of, snapshot
from polyclinic.kernel.types import from_json
from polyclinic.testing.clinic import Clinic
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.matching.resources import resource, resources
from polyclinic.testing.matching.trees import Trees, described

TYPES = (
    *("Patient", "Observation", "Encounter", "Organization", "Provenance"),
    *("Questionnaire", "QuestionnaireResponse"),
)
ASKED = (
    *(
        CanonicalIs,
        TokenIs,
        TokenText,
        RefersTo,
        IdentifierIs,
        UriIs,
        StringIs,
        DateIs,
        NumberIs,
        CompositeIs,
    ),
    *(IdIs, InCompartment, Missing, Words, Not, Linked, Has),
)
EACH = 8
ROUNDS = 4
TREES = 40
PROVENANCE = parameters("Provenance")
OBSERVATION = parameters("Observation")


def query(kind: str, where: AllOf, **more: Any) -> Query:
    given: dict[str, Any] = {"count": 100, "total": True, "after": None, "understood": ()} | more
    return Query((kind,), where, (Sort(None, descending=True),), **given)


class Archive:
    """A clinic with a past: at some moments, what some searches found."""

    def __init__(self, clinic, job, moments):
        self.clinic = clinic
        self.job = job
        self.moments = moments

    async def found(self, asked):
        page = await self.clinic.store.search(self.job, asked)
        assert page.total == len(page.entries)
        return [(one.id, one.version) for one in page.entries]


def trees(facts, seed):
    """Return searches of the resources of a moment."""
    chance, made = Chance(seed), Trees(facts, ASKED)
    for _ in range(TREES):
        kind = chance.choice(TYPES)
        yield kind, made.tree(chance, kind)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def archive(store, kek):
    """Return a clinic that was changed in rounds, searched between them."""
    clinic = Clinic(store, await store.open_tenant("with a past", kek))
    job, chance = clinic.principal("job"), Chance(11)
    there: dict[tuple[str, str], Facts] = {}
    past = Archive(clinic, job, [])
    for number in range(ROUNDS):
        changed = list(resources(chance, TYPES, EACH)) if number == 0 else again(chance, there)
        parsed = [from_json(one) for one in changed]
        changes = {(one.type, one.id): Change(one.type, one.id, one) for one in parsed}
        gone = [place for place in there if place not in changes and chance.happens(0.15)]
        changes |= {(kind, identity): Change(kind, identity, None) for kind, identity in gone}
        written = await store.write_all(job, list(changes.values()))
        at = max(one.stored.last_updated for one in written if one)
        there |= {(one.type, one.id): Facts(one, at) for one in parsed}
        for place in gone:
            del there[place]
        asked = [query(*one) for one in trees(list(there.values()), number)]
        past.moments.append((at, [(one, await past.found(one)) for one in asked]))
        await asyncio.sleep(0.005)
    return past


def again(chance, there):
    """Yield other content for some of what is there, and some that is new."""
    for kind, identity in list(there):
        if chance.happens(0.3):
            yield resource(chance, kind, identity)
    for kind in TYPES:
        yield resource(chance, kind, f"new-{len(there)}")


@settings(max_examples=60)
@given(seed=st.integers(0, ROUNDS * TREES - 1))
async def test_a_search_of_a_moment_finds_what_it_found_then(archive, seed):
    at, searches = archive.moments[seed % ROUNDS]
    asked, expected = searches[seed // ROUNDS]
    note(f"{at} {asked.types} {described(asked.where)}")

    assert sorted(await archive.found(replace(asked, as_of=at))) == sorted(expected)


async def test_the_searches_find_something_and_change_their_answers(archive):
    answers = [[found for _, found in searches] for _, searches in archive.moments]

    assert sum(bool(found) for one in answers for found in one) > ROUNDS * TREES / 4
    for (_, searches), later in zip(archive.moments, archive.moments[1:], strict=False):
        differing = [found for (asked, found) in searches if await archive.found(asked) != found]
        assert differing
        assert later


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_pages_of_a_moment_are_whole_and_in_order(archive, number):
    at = archive.moments[number][0]
    asked = replace(query("Observation", AllOf(())), as_of=at, total=False)
    everything = await archive.clinic.store.search(archive.job, asked)
    found, after = [], None
    while True:
        part = replace(asked, count=3, after=after)
        page = await archive.clinic.store.search(archive.job, part)
        found += [(one.id, one.version) for one in page.entries]
        after = page.next
        if after is None:
            break

    assert found == [(one.id, one.version) for one in everything.entries]
    assert len(found) > EACH / 2


@pytest.fixture
async def ward(clinic, job):
    """Return a clinic with a List, an Observation and a moment at which both were otherwise."""
    await clinic.put(listed("o1"))
    for identity in ("o1", "o2"):
        await clinic.put(observation(identity, "a"))
    at = (await clinic.store.read(job, "Observation", "o2")).last_updated
    await asyncio.sleep(0.005)
    await clinic.put(listed("o2"))
    await clinic.put(observation("o1", "b"))
    with suppress(Gone):
        await clinic.store.delete(job, "Observation", "o2")
    return clinic, at


def observation(identity, patient):
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient}"},
    }


def listed(identity):
    return {
        "resourceType": "List",
        "id": "l",
        "status": "current",
        "mode": "working",
        "entry": [{"item": {"reference": f"Observation/{identity}"}}],
    }


async def test_a_list_is_that_of_the_moment(ward, job):
    clinic, at = ward
    page = await clinic.store.search(
        job, query("Observation", AllOf((InList("l"),)), as_of=at, total=False)
    )

    assert [one.id for one in page.entries] == ["o1"]


async def test_the_policy_is_asked_about_the_version(ward):
    clinic, at = ward
    patient = clinic.principal("patient", patient="a")
    other = clinic.principal("patient", patient="b")
    asked = query("Observation", AllOf(()), as_of=at)

    assert len((await clinic.store.search(patient, asked)).entries) == 2
    assert (await clinic.store.search(other, asked)).entries == ()
    assert (await clinic.store.search(patient, replace(asked, as_of=None))).entries == ()


async def test_versions_with_keys_of_an_older_index_are_found(ward, job, owner):
    clinic, at = ward
    asked = query("Observation", AllOf((RefersTo(OBSERVATION["subject"], "Patient", "a"),)))
    await owner.execute(
        "update version set keys = '{}', index_version = index_version - 1 where tenant = $1",
        clinic.tenant.number,
    )

    page = await clinic.store.search(job, replace(asked, as_of=at))

    assert sorted(one.id for one in page.entries) == ["o1", "o2"]


async def test_includes_of_a_moment_are_refused(ward, job):
    clinic, at = ward
    include = Include("Observation", OBSERVATION["subject"], None, reverse=False, iterate=False)
    asked = query("Observation", AllOf(()), as_of=at, includes=(include,))

    with pytest.raises(BadRequest, match="_include"):
        await clinic.store.search(job, asked)


async def test_what_costs_too_much_is_refused(ward, job, monkeypatch):
    clinic, at = ward
    asked = query("Observation", AllOf(()), as_of=at)
    chained = query("Provenance", AllOf((Linked(PROVENANCE["target"], "Observation", AllOf(())),)))

    monkeypatch.setattr(as_of, "MOST_LINKED", 1)
    with pytest.raises(TooCostly, match="Observation"):
        await clinic.store.search(job, replace(chained, as_of=at))
    monkeypatch.setattr(snapshot, "MOST_AFTER", 1)
    with pytest.raises(TooCostly, match="moment"):
        await clinic.store.search(job, asked)
