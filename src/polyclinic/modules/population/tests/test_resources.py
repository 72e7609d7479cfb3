from collections import Counter

import msgspec
import pytest

from polyclinic.kernel.errors import InvalidResource
from polyclinic.kernel.types.resource import parse
from polyclinic.modules.population.generate import (
    DEMO_DOCTOR_ID,
    DEMO_NURSE_ID,
    DEMO_PATIENT_ID,
    STORY_IDS,
    generate,
)

EXPECTED_TYPES = {
    "AllergyIntolerance",
    "Appointment",
    "CarePlan",
    "CareTeam",
    "Condition",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "FamilyMemberHistory",
    "Goal",
    "ImagingStudy",
    "Immunization",
    "Location",
    "MedicationAdministration",
    "MedicationRequest",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Questionnaire",
    "QuestionnaireResponse",
    "RelatedPerson",
    "Schedule",
    "ServiceRequest",
    "Slot",
}


def references_in(value):
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for inner in value.values():
            yield from references_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references_in(inner)


def name_of(resource):
    return f"{resource['resourceType']}/{resource['id']}"


def test_every_resource_is_valid_r4(population):
    parsed = [parse(msgspec.json.encode(resource)) for resource in population]

    assert [(one.type, one.id) for one in parsed] == [
        (resource["resourceType"], resource["id"]) for resource in population
    ]


def test_a_broken_resource_would_not_pass(population):
    observation = next(row for row in population if row["resourceType"] == "Observation")

    with pytest.raises(InvalidResource, match="observation-status"):
        parse(msgspec.json.encode(observation | {"status": "ready"}))


def test_ids_are_unique(population):
    assert Counter(map(name_of, population)).most_common(1)[0][1] == 1


def test_references_point_backwards_and_resolve(population):
    seen = set()
    dangling = set()
    for resource in population:
        seen.add(name_of(resource))
        dangling |= set(references_in(resource)) - seen

    assert dangling == set()


def test_all_kinds_of_resources_are_there(population):
    assert {resource["resourceType"] for resource in population} == EXPECTED_TYPES


def test_the_size_is_the_number_of_patients(population):
    assert sum(resource["resourceType"] == "Patient" for resource in population) == 100


def test_a_patient_has_a_sensible_amount_of_records(population):
    clinic = sum(row["resourceType"] == "Slot" for row in population)

    assert 100 <= (len(population) - clinic) / 100 <= 220


def test_the_first_patients_are_the_stories(population):
    patients = [row["id"] for row in population if row["resourceType"] == "Patient"]

    assert tuple(patients[: len(STORY_IDS)]) == STORY_IDS


def test_the_people_of_the_demo_accounts_exist_in_the_smallest_population(today):
    names = set(map(name_of, generate(1, 1, today)))

    assert names >= {
        f"Patient/{DEMO_PATIENT_ID}",
        f"Practitioner/{DEMO_DOCTOR_ID}",
        f"Practitioner/{DEMO_NURSE_ID}",
    }
