"""Leaks that are planted into searches: the generated requests find each of them."""

from dataclasses import replace
from datetime import datetime

import msgspec
import pytest

from polyclinic.kernel.rest.interactions import search as search_interaction
from polyclinic.kernel.search.canonicals import by_url
from polyclinic.kernel.search.predicate import Has, InCompartment, InList, Linked
from polyclinic.kernel.search.query.own import own_parameters
from polyclinic.kernel.store import searching, select
from polyclinic.kernel.store.reach import EVERYTHING
from polyclinic.kernel.store.snapshot import Snapshots
from polyclinic.testing.isolation.planted import Leaks, as_job

TIMES = 36

leak = Leaks(("Patient", "Observation", "Encounter", "Provenance"))


async def by_job(original, store, principal, *rest):
    return await original(store, as_job(principal), *rest)


@leak("a search forgets the limit")
def _(plant):
    plant.method("search", by_job)


@leak("the total counts what is hidden")
def _(plant):
    async def search(original, store, principal, query):
        page = await original(store, principal, query)
        if page.total is None:
            return page
        everything = await original(store, as_job(principal), replace(query, after=None))
        return replace(page, total=everything.total)

    plant.method("search", search)


@leak("the order follows how much there is of others")
def _(plant):
    async def search(original, store, principal, query):
        page = await original(store, principal, query)
        counting = replace(query, total=True, count=0, after=None)
        everything = await original(store, as_job(principal), counting)
        return replace(page, entries=page.entries[:: -1 if everything.total > 20 else 1])

    plant.method("search", search)


@leak("a sorted page is cut before what is hidden is left out of it")
def _(plant):
    async def search(original, store, principal, query):
        page = await original(store, principal, query)
        if query.sort[0].param is None or query.after:
            return page
        everything = await original(store, as_job(principal), replace(query, includes=()))
        shown = {(one.type, one.id) for one in everything.entries}
        return replace(page, entries=[one for one in page.entries if (one.type, one.id) in shown])

    plant.method("search", search)


@leak("a search by a parameter that the tenant defined forgets the limit")
def _(plant):
    async def search(original, store, principal, query):
        asker = as_job(principal) if own_parameters(query) else principal
        return await original(store, asker, query)

    plant.method("search", search)


@leak("on how many of others' resources an expression fails is told", types=("Patient",))
def _(plant):
    plant.patch.setattr(search_interaction, "_KEEPERS", frozenset({"reads-own"}))


def wider(plant, widened_types):
    """Let searches look at some types without their limit, given the query and what it may find."""
    original = searching.Searcher._asked

    async def wide(searcher, *given):
        asked = await original(searcher, *given)
        names = set(widened_types(asked.query)) - set(asked.query.types)
        reaches = {name: EVERYTHING for name in names if name in asked.scope.reaches}
        return asked._replace(
            scope=select.Scope(asked.scope.tenant, {**asked.scope.reaches, **reaches})
        )

    plant.patch.setattr(searching.Searcher, "_asked", wide)


def parts(where, kind):
    """Return the parts of a condition that are of a kind, however deep they stand."""
    inner = [*getattr(where, "parts", ())]
    inner += [getattr(where, name) for name in ("part", "where") if hasattr(where, name)]
    below = [found for one in inner for found in parts(one, kind)]
    return [where, *below] if isinstance(where, kind) else below


@leak("a search at a moment forgets the limit")
def _(plant):
    async def search(original, store, principal, query):
        asker = principal if query.as_of is None else as_job(principal)
        return await original(store, asker, query)

    plant.method("search", search)


@leak("a compartment at a moment forgets the limit")
def _(plant):
    async def search(original, store, principal, query):
        is_then = query.as_of is not None and parts(query.where, InCompartment)
        return await original(store, as_job(principal) if is_then else principal, query)

    plant.method("search", search)


@leak("what was replaced since a moment is shown to anybody")
def _(plant):
    original = Snapshots.moved

    async def moved(snapshots, asked, seen):
        if isinstance(seen, datetime):
            reaches = dict.fromkeys(asked.scope.reaches, EVERYTHING)
            asked = asked._replace(scope=select.Scope(asked.scope.tenant, reaches))
        return await original(snapshots, asked, seen)

    plant.patch.setattr(Snapshots, "moved", moved)


@leak("a chain at a moment goes on beyond the limit of what it leads to")
def _(plant):
    def linked(query):
        return [one.target for one in parts(query.where, Linked)] if query.as_of else []

    wider(plant, linked)


@leak("a chain goes on beyond the limit of what it leads to")
def _(plant):
    wider(plant, lambda query: [one.target for one in parts(query.where, Linked)])


@leak("a reverse chain counts what is hidden")
def _(plant):
    wider(plant, lambda query: [one.source for one in parts(query.where, Has)])


DEFINED = ("Questionnaire", "Measure", "PlanDefinition") * 2
"""Types that everybody sees, to which what is somebody's refers by canonical."""


@leak("a reverse chain along canonicals counts what is hidden", types=DEFINED)
def _(plant):
    wider(plant, lambda query: [one.source for one in parts(query.where, Has) if by_url(one.param)])


@leak("what comes along keeps no limit")
def _(plant):
    wider(plant, select.includable)


@leak("what comes along a canonical keeps no limit", types=DEFINED)
def _(plant):
    wider(
        plant,
        lambda query: [
            one.source for one in query.includes if one.reverse and one.param and by_url(one.param)
        ],
    )


@leak("the entries of a hidden list are found by it")
def _(plant):
    wider(plant, lambda query: ["List"] if parts(query.where, InList) else [])


@leak("how a search was run is told to anybody")
def _(plant):
    plant.patch.setattr(searching, "may_explain", lambda _: None)


@leak("a page link is good for anybody")
def _(plant):
    account = plant.clinician.principal(1).account

    def context(principal, query):
        shape = (principal.tenant, account, query.types, query.conditions, query.understood)
        return b"search page" + msgspec.msgpack.encode(shape)

    plant.patch.setattr(searching, "context", context)


@pytest.mark.parametrize("what", leak.found)
async def test_a_planted_leak_is_found(what, shows):
    assert await shows(leak.found[what], TIMES)


def test_there_are_leaks_of_every_way_along_references():
    assert len(leak.found) >= 9
