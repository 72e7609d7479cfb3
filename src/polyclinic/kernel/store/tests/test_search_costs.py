"""What would read too much is refused before it runs; what cannot is not even asked about."""

from typing import Any

import pytest
import pytest_asyncio

from polyclinic.base.clock import SystemClock
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.errors import TooCostly, Unavailable
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Has,
    IdIs,
    Linked,
    Missing,
    Not,
    Query,
    RefersTo,
    Sort,
    StringIs,
    TokenIs,
)
from polyclinic.kernel.store import open_store, select

KNOWN = parameters("Observation")
PATIENT = parameters("Patient")
MALE = TokenIs(PATIENT["gender"], None, "male")
MINE = RefersTo(KNOWN["patient"], "Patient", "a")
CODED = TokenIs(KNOWN["code"], None, "x")
DEAR: dict[str, tuple[Any, ...]] = {
    "name:contains": (StringIs(PATIENT["name"], "contains", "x"),),
    "gender:not": (Not(MALE),),
    "patient.gender": (Linked(KNOWN["subject"], "Patient", MALE),),
    "_has": (CODED, Has("Provenance", parameters("Provenance")["target"], AllOf(()))),
    "code:missing": (Missing(KNOWN["code"], missing=True),),
    "either": (AnyOf((CODED, Not(CODED))),),
}
CHEAP: dict[str, tuple[Any, ...]] = {
    "a patient's": (MINE, Not(CODED)),
    "of some ids": (IdIs(("a", "b")), Missing(KNOWN["code"], missing=True)),
    "of one patient's relatives": (Linked(KNOWN["subject"], "Patient", IdIs(("a",))),),
    "a code": (CODED,),
    "everything": (),
}


def query(*parts: Any, named: str = "", **more: Any) -> Query:
    given: dict[str, Any] = {
        "sort": (Sort(None, descending=True),),
        "count": 20,
        "total": False,
        "after": None,
        "understood": (),
        "conditions": tuple((named or "x", "") for _ in parts),
    }
    return Query(("Observation",), AllOf(parts), **given | more)


@pytest.mark.parametrize("name", DEAR)
def test_what_may_be_dear_is_told_by_its_parameter(name):
    assert select.dear(query(*DEAR[name], named=name)) == name


@pytest.mark.parametrize("name", CHEAP)
def test_what_cannot_be_dear_is_not_asked_about(name):
    assert select.dear(query(*CHEAP[name])) is None


def test_an_order_that_no_index_has_may_be_dear():
    several = (Sort(KNOWN["date"], descending=True), Sort(KNOWN["_id"], descending=False))

    assert select.dear(query(CODED, sort=several)) == "_sort"
    assert select.dear(query(sort=(Sort(KNOWN["value-quantity"], descending=True),))) == "_sort"
    assert select.dear(query(MINE, sort=several)) is None


@pytest_asyncio.fixture(loop_scope="session")
async def strict(database, clinic, kek):
    """Yield a store that refuses whatever costs anything, with the clinic's tenant."""
    clock = SystemClock()
    settings = Settings(search_cost=1.0)
    async with open_store(
        database.app_dsn, settings, clock=clock, ids=TimeOrderedIds(clock)
    ) as opened:
        await opened.open_tenant(clinic.tenant.name, kek)
        yield opened


async def test_a_search_over_the_limit_is_refused_by_name(strict, clinic):
    who = clinic.principal("clinician")

    with pytest.raises(TooCostly, match=r"gender:not costs about \d+, and 1 is the most"):
        await strict.search(who, query(Not(CODED), named="gender:not"))
    with pytest.raises(TooCostly, match="_total"):
        await strict.search(who, query(CODED, count=0, total=True))
    assert (await strict.search(who, query(MINE, total=True))).total == 0


async def test_a_search_below_the_limit_is_answered(clinic, store):
    page = await store.search(clinic.principal("clinician"), query(Not(CODED)))

    assert page.entries == ()


@pytest_asyncio.fixture(loop_scope="session")
async def hasty(database, clinic, kek):
    """Yield a store whose statements may take a fifth of a second, with the clinic's tenant."""
    clock = SystemClock()
    settings = Settings(statement_timeout=0.2)
    async with open_store(
        database.app_dsn, settings, clock=clock, ids=TimeOrderedIds(clock)
    ) as opened:
        await opened.open_tenant(clinic.tenant.name, kek)
        yield opened


async def test_a_search_that_takes_too_long_is_given_up(hasty, clinic, owner):
    who = clinic.principal("clinician")
    async with owner.transaction():
        await owner.execute("lock table keys in access exclusive mode")

        with pytest.raises(Unavailable, match="narrow the search"):
            await hasty.search(who, query(CODED))

    assert (await hasty.search(who, query(CODED))).entries == ()
