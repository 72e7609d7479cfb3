"""Care relations from what says so, and how long they last."""

import pytest

from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.index_values import DATE_MAX, DATE_MIN
from polyclinic.kernel.store.care import AFTERWARDS, relations
from polyclinic.kernel.types import from_json, type_number

DOCTOR = (type_number("Practitioner"), "d")
ROLE = (type_number("PractitionerRole"), "r")
DAY = 24 * 3600 * 1_000_000


def encounter(**changes):
    return {
        "resourceType": "Encounter",
        "id": "e",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/p"},
        "participant": [
            {"individual": {"reference": "Practitioner/d"}},
            {"individual": {"reference": "RelatedPerson/mother"}},
        ],
        "period": {"start": "1970-01-02T00:00:00Z", "end": "1970-01-02T12:00:00Z"},
    } | changes


def appointment(**changes):
    return {
        "resourceType": "Appointment",
        "id": "a",
        "status": "booked",
        "start": "1970-01-03T00:00:00Z",
        "end": "1970-01-03T01:00:00Z",
        "participant": [
            {"actor": {"reference": "Patient/p"}, "status": "accepted"},
            {"actor": {"reference": "Practitioner/d"}, "status": "accepted"},
        ],
    } | changes


def team(**changes):
    member = {"member": {"reference": "PractitionerRole/r"}}
    return {
        "resourceType": "CareTeam",
        "id": "t",
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "participant": [member],
    } | changes


def found(resource):
    return [tuple(one) for one in relations(extract(from_json(resource)))]


def test_an_encounter_relates_its_staff_until_a_month_after_it():
    ((staff, patient, low, high),) = found(encounter())

    assert (staff, patient, low) == (DOCTOR, "p", DAY)
    assert DAY + DAY // 2 + AFTERWARDS <= high <= DAY + DAY // 2 + AFTERWARDS + 1_000_000


def test_an_encounter_that_goes_on_has_no_end():
    ((_, _, _, high),) = found(
        encounter(status="in-progress", period={"start": "1970-01-02T00:00:00Z"})
    )

    assert high == DATE_MAX


def test_an_appointment_relates_from_the_moment_it_is_made():
    ((staff, patient, low, high),) = found(appointment())

    assert (staff, patient, low) == (DOCTOR, "p", DATE_MIN)
    assert 2 * DAY + AFTERWARDS < high < 3 * DAY + AFTERWARDS


def test_a_care_team_relates_by_the_role():
    assert found(team()) == [(ROLE, "p", DATE_MIN, DATE_MAX)]


def test_a_patient_s_own_practitioner_is_related():
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "generalPractitioner": [
            {"reference": "Practitioner/d"},
            {"reference": "Organization/o"},
        ],
    }

    assert found(patient) == [(DOCTOR, "p", DATE_MIN, DATE_MAX)]


@pytest.mark.parametrize(
    "resource",
    [
        encounter(status="cancelled"),
        encounter(status="entered-in-error"),
        encounter(participant=[]),
        encounter(subject={"reference": "Group/g"}),
        appointment(status="noshow"),
        team(status="inactive"),
        {"resourceType": "Patient", "id": "p"},
        {
            "resourceType": "Observation",
            "id": "o",
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": "Patient/p"},
            "performer": [{"reference": "Practitioner/d"}],
        },
    ],
)
def test_without_both_or_when_it_never_was_there_is_none(resource):
    resource = {key: value for key, value in resource.items() if value != []}

    assert found(resource) == []
