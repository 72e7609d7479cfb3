"""What AuditEvents are found by, and what is refused: their rows have no index of search values."""

import pytest
import pytest_asyncio

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.predicate import InCompartment
from polyclinic.kernel.search.query import parse_query
from polyclinic.testing.clinic import Clinic

BASE = "https://clinic.example/fhir"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events(store, kek):
    """Return a function that searches the events of a clinic where p, then q was written, p read.

    It returns the action and the patient of each, oldest first.
    """
    clinic = Clinic(store, await store.open_tenant("audited-conditions", kek))
    doctor = clinic.principal("clinician")
    for identity in ("p", "q"):
        await clinic.put({"resourceType": "Patient", "id": identity, "active": True})
    await store.read(doctor, "Patient", "p")
    admin = clinic.principal("administrator")

    async def found(*given, within=None, sort="date"):
        pairs = [("agent", str(doctor.account)), ("_sort", sort), *given]
        query, ignored = parse_query("AuditEvent", pairs, BASE, within=within)
        assert ignored == ()
        page = await store.search(admin, query)
        return len(page.entries)

    return found


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [
        ("action", "R", 1),
        ("action:not", "R", 0),
        ("action:not", "C,U", 1),
        ("outcome:not", "0", 0),
        ("patient", "p", 1),
        ("patient", "q", 0),
        ("_filter", "patient re Patient/p", 1),
        ("_filter", "not (patient re Patient/p)", 0),
        ("_filter", "not (patient re Patient/q)", 1),
        ("_filter", "not (patient re Patient/p and action eq R)", 0),
        ("_filter", "not (patient re Patient/q and action eq R)", 1),
        ("_filter", "action eq C or patient re Patient/p and action eq R", 1),
        ("_id:missing", "true", 0),
        ("_id:missing", "false", 1),
        ("_asOf", "2000-01-01T00:00:00Z", 0),
        ("_asOf", "2100-01-01T00:00:00Z", 1),
    ],
)
async def test_an_event_is_found_by_what_was_recorded(events, name: str, value: str, count: int):
    assert await events((name, value)) == count


async def test_the_events_of_a_patient_are_in_its_compartment(events):
    assert await events(within=InCompartment("Patient", "p")) == 1
    assert await events(within=InCompartment("Patient", "q")) == 0
    assert await events(within=InCompartment("Patient", "nobody")) == 0


async def test_events_are_in_the_order_of_time_only(events):
    assert await events(sort="-date,_lastUpdated") == 1
    with pytest.raises(BadRequest, match="sorted by date"):
        await events(sort="date,action")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("action:in", "http://v"),
        ("action:missing", "true"),
        ("patient:identifier", "a|b"),
        ("patient.name", "x"),
        ("_has:Provenance:target:recorded", "2020"),
        ("_list", "1"),
        ("entity", "http://elsewhere.example/1"),
        ("_include", "*"),
    ],
)
async def test_what_is_not_recorded_is_refused(events, name: str, value: str):
    with pytest.raises(BadRequest):
        await events((name, value))


async def test_only_patients_have_compartments_of_events(events):
    with pytest.raises(BadRequest, match="compartment"):
        await events(within=InCompartment("Practitioner", "d"))
