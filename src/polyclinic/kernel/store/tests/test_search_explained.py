"""What is told of a search: why each resource matches, the statement, its plan and its rows."""

from dataclasses import replace

import msgspec
import pytest
import pytest_asyncio

from polyclinic.kernel.errors import Forbidden
from polyclinic.kernel.search.predicate import View
from polyclinic.kernel.search.query import parse_query
from polyclinic.testing.clinic import Clinic

PATIENT = {
    "resourceType": "Patient",
    "id": "a",
    "name": [{"family": "Abel", "given": ["Ann"]}],
    "gender": "female",
    "birthDate": "1950-05-01",
}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "code": {"coding": [{"system": "urn:c", "code": "pulse"}]},
    "subject": {"reference": "Patient/a"},
    "effectiveDateTime": "2020-01-01",
    "valueQuantity": {
        "value": 72,
        "unit": "/min",
        "system": "http://unitsofmeasure.org",
        "code": "/min",
    },
}
ASKED = {
    "code=urn:c|pulse": ("code", "urn:c|pulse"),
    "code:not=other": ("code", ""),
    "patient=a": ("patient", "Patient/a"),
    "patient.family=abel": ("patient", "Patient/a"),
    "date=ge2019": ("date", "2020-01-01T00:00:00+00:00 to 2020-01-02T00:00:00+00:00"),
    "value-quantity=gt70": ("value-quantity", "72 /min"),
    "_id=o": ("_id", "o"),
    "device:missing=true": ("device", ""),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ward(store, kek):
    """Return a clinic with a patient and a measurement."""
    clinic = Clinic(store, await store.open_tenant("explained", kek))
    await clinic.put(PATIENT)
    await clinic.put(OBSERVATION)
    return clinic


def query(text):
    given = [tuple(one.split("=", 1)) for one in text.split("&") if one]
    found, ignored = parse_query("Observation", given, "")
    assert ignored == ()
    return replace(found, view=View(explain=True))


@pytest.mark.parametrize("asked", ASKED)
async def test_a_match_tells_the_value_that_satisfied_the_condition(ward, asked):
    page = await ward.store.search(ward.principal("job"), query(asked))

    ((reasons,),) = page.explanation.reasons
    param, value = ASKED[asked]
    assert [(one.param, one.value) for one in reasons] == [(param, value)]
    assert all(one.element for one in reasons)


async def test_each_condition_is_told_apart(ward):
    page = await ward.store.search(ward.principal("job"), query("&".join(ASKED)))

    (reasons,) = page.explanation.reasons
    assert [one[0].param for one in reasons] == [param for param, _ in ASKED.values()]


async def test_the_statement_its_plan_and_its_rows_are_told(ward):
    page = await ward.store.search(ward.principal("job"), query("patient=a"))

    (plan,) = msgspec.json.decode(page.explanation.plan)
    assert page.explanation.sql.count("$1") > 0
    assert "'" not in page.explanation.sql.replace("'1 microsecond'", "").replace("'epoch'", "")
    assert plan["Execution Time"] > 0
    assert 1 <= page.explanation.read < 100


async def test_only_who_may_sees_how_a_search_is_run(ward, owner):
    who = ward.principal("clinician")

    with pytest.raises(Forbidden, match="how searches are run"):
        await ward.store.search(who, query("patient=a"))

    noted = await owner.fetchval(
        "select outcome from audit where tenant = $1 and account = $2 and action = 'E'",
        ward.tenant.number,
        who.account,
    )
    assert noted == 8


async def test_a_search_that_is_not_explained_tells_nothing(ward):
    page = await ward.store.search(ward.principal("job"), replace(query("patient=a"), view=View()))

    assert page.explanation is None
