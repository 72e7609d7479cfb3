"""A quantity is found in PostgreSQL by every unit of its kind, as precisely as it was asked for."""

from fractions import Fraction
from random import Random

import pytest
import pytest_asyncio

from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.search.ranges import exact_range
from polyclinic.kernel.store import Change
from polyclinic.kernel.types import from_json
from polyclinic.kernel.ucum import SYSTEM, parse
from polyclinic.testing.clinic import Clinic

UNITS = ["g", "mg", "ug", "kg", "[lb_av]", "mL", "L", "dL", "[foz_us]", "mmol/L", "umol/mL"]
STORED = 150
ASKED = 60


def numbers(chance):
    """Return a decimal of one to four digits, near 1 in its logarithm."""
    return f"{chance.randint(1, 30) * 10 ** chance.randint(0, 2)}e{chance.randint(-4, 3)}"


def observation(at, value, code):
    """Return an Observation of a quantity."""
    return from_json(
        {
            "resourceType": "Observation",
            "id": at,
            "status": "final",
            "code": {"text": "x"},
            "valueQuantity": {"value": float(value), "system": SYSTEM, "code": code},
        }
    )


def extent(text, code):
    """Return the range of a quantity in base units, exactly, and what kind it is of."""
    unit = parse(code)
    low, high = exact_range(text)
    return low * unit.magnitude, high * unit.magnitude, unit.dimension


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stored(store, kek):
    """Return a clinic with Observations, and what each of them is a range of."""
    clinic = Clinic(store, await store.open_tenant("quantities", kek))
    chance = Random(4)  # noqa: S311 - a sample of values
    values = {
        f"o{at}": (repr(float(numbers(chance))), chance.choice(UNITS)) for at in range(STORED)
    }
    changes = [Change("Observation", at, observation(at, *one)) for at, one in values.items()]
    await store.write_all(clinic.principal("job"), changes)
    return clinic, values


async def found(clinic, value):
    """Return the ids of what a search by value-quantity finds."""
    given = [("value-quantity", value), ("_count", "1000")]
    query, _ = parse_query("Observation", given, "")
    page = await clinic.store.search(clinic.principal("job"), query)
    return {entry.id for entry in page.entries}


def within(values, text, code):
    """Return the ids of those whose range lies in another."""
    low, high, kind = extent(text, code)
    return {
        at
        for at, (bottom, top, of) in ((at, extent(*one)) for at, one in values.items())
        if of == kind and low <= bottom and top <= high
    }


@pytest.mark.timeout(120)
async def test_a_quantity_is_found_where_its_range_lies_in_the_asked_one(stored):
    clinic, values = stored
    chance = Random(5)  # noqa: S311 - a sample of values
    asked = [(numbers(chance), chance.choice(UNITS)) for _ in range(ASKED)]
    asked += values.values()

    expected = {one: within(values, *one) for one in asked}
    answered = {one: await found(clinic, f"{one[0]}|{SYSTEM}|{one[1]}") for one in asked}

    assert answered == expected
    assert [at for at, one in values.items() if at not in answered[one]] == []
    assert any(len(ids) > 1 for ids in expected.values())


async def test_a_quantity_is_compared_in_every_unit_of_its_kind(stored):
    clinic, values = stored
    limit, mass = Fraction(5, 2), parse("g").dimension
    extents = {at: extent(*one) for at, one in values.items()}

    greater = await found(clinic, f"gt2500|{SYSTEM}|mg")
    less = await found(clinic, f"lt2500|{SYSTEM}|mg")

    assert greater == {at for at, (_, high, of) in extents.items() if of == mass and high > limit}
    assert less == {at for at, (low, _, of) in extents.items() if of == mass and low < limit}
    assert greater
    assert less
