"""A resource is found by its own values, by the public search, in its own tenant only."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from math import inf

import pytest
import pytest_asyncio

from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.index_values import DATE_MAX, DATE_MIN
from polyclinic.kernel.search.query import parse_query, supported_parameters
from polyclinic.kernel.store import Change
from polyclinic.kernel.types import from_json
from polyclinic.modules.population.generate import generate
from polyclinic.testing.clinic import Clinic

PATIENTS = 8
OF_EACH = 3
"""Resources that are looked for by each parameter of each type."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def escaped(text):
    for special in "\\$|,":
        text = text.replace(special, f"\\{special}")
    return text


def moment(micros):
    return (EPOCH + timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def searches(values):
    """Yield the searches (parameter, value) that must find a resource with these values."""
    for token in values.tokens:
        if token.code is not None:
            yield token.param, escaped(token.code)
            yield token.param, f"{escaped(token.system or '')}|{escaped(token.code)}"
    yield from ((one.param, f"{one.target}/{one.id}") for one in values.references)
    yield from ((one.param, escaped(one.uri)) for one in values.uris)
    yield from ((one.param, escaped(one.text)) for one in values.strings)
    for period in values.dates:
        if period.low != DATE_MIN:
            yield period.param, f"ge{moment(period.low)}"
        if period.high != DATE_MAX:
            yield period.param, f"lt{moment(period.high)}"
    yield from searches_by_number(values)


def searches_by_number(values):
    numbers = [*values.numbers, *values.quantities]
    plain = [one for one in numbers if one.text and one.low > -inf and one.high < inf]
    yield from ((one.param, one.text) for one in plain)
    for quantity in plain:
        if unit := escaped(getattr(quantity, "code", None) or ""):
            yield quantity.param, f"{quantity.text}||{unit}"
            yield quantity.param, f"{quantity.text}|{escaped(quantity.system or '')}|{unit}"


@pytest.fixture(scope="module")
def population():
    return [from_json(resource) for resource in generate(5, PATIENTS, date(2026, 1, 15))]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def two_clinics(store, kek, population):
    """Return one clinic with the population, and one where the same ids say nothing."""
    full = Clinic(store, await store.open_tenant("full of people", kek))
    bare = Clinic(store, await store.open_tenant("same ids, no content", kek))
    for clinic, resources in ((full, population), (bare, map(emptied, population))):
        for part in parts(resources):
            changes = [Change(one.type, one.id, one) for one in part if one]
            await store.write_all(clinic.principal("job"), changes)
    return full, bare


def emptied(resource):
    if resource.type not in ("Patient", "Practitioner", "Organization", "Location"):
        return None
    return from_json({"resourceType": resource.type, "id": resource.id})


def parts(resources):
    given = iter(resources)
    while part := list(islice(given, 400)):
        yield part


def chosen(population):
    """Return some searches for each parameter of each type, each with whom it must find."""
    found: defaultdict[tuple[str, str], dict[tuple[str, str], str]] = defaultdict(dict)
    for resource in population:
        usable = {parameter.code for parameter in supported_parameters(resource.type)}
        for param, value in searches(extract(resource)):
            # A patient without the element is not deceased either.
            if param in usable and value and param != "deceased":
                found[resource.type, param].setdefault((resource.id, value[:2]), value)
    return [
        (kind, identity, param, value)
        for (kind, param), values in found.items()
        for (identity, _), value in list(values.items())[:: max(1, len(values) // OF_EACH)][
            :OF_EACH
        ]
    ]


@pytest.mark.timeout(120)
async def test_each_is_found_by_its_own_values_in_its_own_tenant_only(two_clinics, population):
    full, bare = two_clinics
    asked = chosen(population)

    lost = [one for one in asked if not await is_found(full, *one)]
    leaked = [one for one in asked if await is_found(bare, *one)]

    assert len(asked) > 300
    assert lost == []
    assert leaked == []


async def is_found(clinic, resource_type, identity, param, value):
    given = [(param, value), ("_id", identity)]
    query, ignored = parse_query(resource_type, given, "")
    assert ignored == ()
    page = await clinic.store.search(clinic.principal("job"), query)
    return [entry.id for entry in page.entries] == [identity]


async def test_what_refers_to_two_patients_is_on_the_dated_page_of_both(clinic, store, job):
    await store.update(
        job,
        from_json(
            {
                "resourceType": "Observation",
                "id": "o",
                "status": "final",
                "code": {"text": "x"},
                "subject": {"reference": "Patient/a"},
                "performer": [{"reference": "Patient/b"}],
                "effectiveDateTime": "2020-01-01",
            }
        ),
    )
    for given in ([("patient", "a")], [("subject", "Patient/a")], [("performer", "Patient/b")], []):
        query, _ = parse_query("Observation", [*given, ("_sort", "-date")], "")
        page = await clinic.store.search(job, query)
        assert [entry.id for entry in page.entries] == ["o"]


async def test_a_page_by_date_of_what_is_in_no_compartment_is_whole(clinic, store, job):
    device = {"resourceType": "Device", "id": "d", "patient": {"reference": "Patient/a"}}
    risk = {
        "resourceType": "SupplyRequest",
        "id": "s",
        "itemCodeableConcept": {"text": "x"},
        "quantity": {"value": 1},
        "authoredOn": "2020-01-01",
        "deliverTo": {"reference": "Location/l"},
        "requester": {"reference": "Patient/a"},
    }
    await store.update(job, from_json(device))
    await store.update(job, from_json(risk))

    for kind, given in (("Device", "patient"), ("SupplyRequest", "requester")):
        order = "-date" if kind == "SupplyRequest" else "-_lastUpdated"
        query, _ = parse_query(kind, [(given, "Patient/a"), ("_sort", order)], "")
        assert len((await clinic.store.search(job, query)).entries) == 1
