"""Pages in an order of several keys: whole, without repetitions, and in that order."""

from itertools import pairwise, product
from typing import Any

import pytest
import pytest_asyncio

from polyclinic.kernel.errors import TooCostly
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import AllOf, Query, Sort, TokenIs
from polyclinic.kernel.store import select
from polyclinic.testing.clinic import Clinic

DAYS = [None, "2020-01-01", "2020-02-01"]
VALUES = [None, 1.5, 12]
CODES = [None, "x", "y"]
ROWS: list[dict[str, Any]] = [
    {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [{"code": code}]} if code else {"text": "none"},
        **({"effectiveDateTime": day} if day else {}),
        **({"valueQuantity": {"value": value, "unit": "mg"}} if value else {}),
    }
    for number, (day, value, code) in enumerate([*product(DAYS, VALUES, CODES)] * 2)
]


def shown(row):
    coding = row["code"].get("coding")
    return {
        "date": row.get("effectiveDateTime"),
        "value-quantity": row["valueQuantity"]["value"] if "valueQuantity" in row else None,
        "code": coding[0]["code"] if coding else None,
        "_id": row["id"],
    }


BY_ID = {row["id"]: shown(row) for row in ROWS}
ORDERS = [
    "date",
    "-date",
    "value-quantity",
    "-_id",
    "date,-value-quantity",
    "-date,value-quantity,_id",
    "value-quantity,-_lastUpdated",
    "-value-quantity,-date",
    "_lastUpdated,-date",
    "code",
    "-code,date",
    "date,-code,-_id",
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def laboratory(store, kek):
    """Return a clinic with an observation, twice, of each day, value and code, or without."""
    clinic = Clinic(store, await store.open_tenant("ordered", kek))
    for row in ROWS:
        await clinic.put(row)
    return clinic


def sorts(text: str) -> tuple[Sort, ...]:
    known = parameters("Observation")
    names = [(one.removeprefix("-"), one.startswith("-")) for one in text.split(",")]
    return tuple(
        Sort(None if name == "_lastUpdated" else known[name], descending=down)
        for name, down in names
    )


def query(order: str, *parts: Any, count: int = 5, after: str | None = None) -> Query:
    given: dict[str, Any] = {"count": count, "total": False, "after": after, "understood": ()}
    return Query(("Observation",), AllOf(parts), sorts(order), **given)


async def pages(clinic, order):
    """Return the ids of all pages, one after the other."""
    who, after, found = clinic.principal("clinician"), None, []
    while True:
        page = await clinic.store.search(who, query(order, after=after))
        found += [entry.id for entry in page.entries]
        after = page.next
        if after is None:
            return found


def comes_before(order, left, right):
    """Say whether two rows stand in an order."""
    for name in order.split(","):
        key, down = name.removeprefix("-"), name.startswith("-")
        if key == "_lastUpdated":
            return True
        one, other = left[key], right[key]
        if one == other:
            continue
        if one is None or other is None:
            return other is None
        return (one > other) == down
    return True


@pytest.mark.parametrize("order", ORDERS)
async def test_pages_in_an_order_are_whole_and_in_it(laboratory, order):
    found = await pages(laboratory, order)

    assert sorted(found) == sorted(BY_ID)
    wrong = [
        (one, other)
        for one, other in pairwise(found)
        if not comes_before(order, BY_ID[one], BY_ID[other])
    ]
    assert wrong == []


async def test_an_order_in_memory_is_refused_over_many(laboratory, monkeypatch):
    monkeypatch.setattr(select, "MOST_SORTED", 3)
    monkeypatch.setattr(select.pages, "MOST_SORTED", 3)
    who = laboratory.principal("clinician")
    code = parameters("Observation")["code"]

    with pytest.raises(TooCostly, match="_sort by tokens"):
        await laboratory.store.search(who, query("code"))
    few = await laboratory.store.search(who, query("code", TokenIs(code, None, "nothing")))
    assert few.entries == ()
