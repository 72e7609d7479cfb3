from base64 import b64decode
from collections import defaultdict
from datetime import date

import pytest

DAY_FIELDS = (
    "effectiveDateTime",
    "performedDateTime",
    "occurrenceDateTime",
    "onsetDateTime",
    "abatementDateTime",
    "authoredOn",
    "recordedDate",
    "issued",
    "created",
    "date",
)


def days_of(resource):
    days = [resource[key][:10] for key in DAY_FIELDS if key in resource]
    if resource["resourceType"] != "Appointment":
        days += [day[:10] for day in resource.get("period", {}).values()]
    return [date.fromisoformat(day) for day in days]


def subject_of(resource):
    subject = resource.get("subject") or resource.get("patient")
    return subject["reference"].removeprefix("Patient/") if subject else None


def observations(population, code):
    return [
        row
        for row in population
        if row["resourceType"] == "Observation" and row["code"]["coding"][0]["code"] == code
    ]


@pytest.fixture(scope="module")
def lives(population, today):
    return {
        row["id"]: (
            date.fromisoformat(row["birthDate"]),
            date.fromisoformat(row["deceasedDateTime"]) if "deceasedDateTime" in row else today,
        )
        for row in population
        if row["resourceType"] == "Patient"
    }


def test_nothing_happens_before_birth_after_death_or_after_today(population, lives):
    outside = []
    for resource in population:
        birth, end = lives.get(subject_of(resource), (date.min, date.max))
        outside += [(resource["id"], day) for day in days_of(resource) if not birth <= day <= end]

    assert outside == []


def test_some_have_died_and_the_dead_have_no_appointments(population, lives, today):
    dead = {name for name, (_, end) in lives.items() if end != today}
    booked = {
        row["participant"][0]["actor"]["reference"].removeprefix("Patient/")
        for row in population
        if row["resourceType"] == "Appointment"
    }

    assert dead
    assert not dead & booked


def test_appointments_lie_before_on_and_after_today(population, today):
    starts = [
        date.fromisoformat(row["start"][:10])
        for row in population
        if row["resourceType"] == "Appointment"
    ]

    assert min(starts) < today < max(starts)
    assert starts.count(today) >= 8


def test_no_physician_is_booked_twice(population):
    places = [
        (row["participant"][1]["actor"]["reference"], row["start"])
        for row in population
        if row["resourceType"] == "Appointment"
    ]

    assert len(places) == len(set(places))


def test_children_grow(population):
    heights = [
        row["valueQuantity"]["value"]
        for row in observations(population, "8302-2")
        if subject_of(row) == "story-child"
    ]

    assert heights == sorted(heights)
    assert heights[0] < 60
    assert heights[-1] > 100


def test_systolic_pressure_is_above_diastolic(population):
    pairs = [
        [component["valueQuantity"]["value"] for component in row["component"][:2]]
        for row in observations(population, "85354-9")
    ]

    assert pairs
    assert all(50 <= diastolic + 20 <= systolic + 5 <= 225 for systolic, diastolic in pairs)


def test_total_cholesterol_is_what_its_parts_add_up_to(population):
    sums: defaultdict[tuple[str | None, str], dict[str, float]] = defaultdict(dict)
    for code in ("2093-3", "13457-7", "2085-9", "2571-8"):
        for row in observations(population, code):
            place = (subject_of(row), row["effectiveDateTime"])
            sums[place][code] = row["valueQuantity"]["value"]

    assert sums
    assert all(
        abs(parts["2093-3"] - parts["13457-7"] - parts["2085-9"] - parts["2571-8"] / 5) <= 2
        for parts in sums.values()
    )


def test_the_interpretation_agrees_with_the_range(population):
    wrong = []
    for row in population:
        if "referenceRange" in row:
            limits, value = row["referenceRange"][0], row["valueQuantity"]["value"]
            low = limits.get("low", {}).get("value", float("-inf"))
            high = limits.get("high", {}).get("value", float("inf"))
            expected = "L" if value < low else "H" if value > high else "N"
            if row["interpretation"][0]["coding"][0]["code"] != expected:
                wrong.append(row["id"])

    assert wrong == []


def test_the_demo_patient_gets_her_sugar_under_control(population):
    course = [
        row["valueQuantity"]["value"]
        for row in observations(population, "4548-4")
        if subject_of(row) == "story-diabetes"
    ]

    assert (course[0], course[-1]) == (9.8, 6.6)


def test_the_kidney_story_ends_in_stage_four(population):
    rates = [
        row["valueQuantity"]["value"]
        for row in observations(population, "98979-8")
        if subject_of(row) == "story-kidney"
    ]

    assert rates == sorted(rates, reverse=True)
    assert 15 <= rates[-1] < 30


def test_insulin_and_tablets_for_diabetes_go_to_people_with_diabetes(population):
    problems = {row["id"]: row for row in population if row["resourceType"] == "Condition"}
    reasons = [
        problems[row["reasonReference"][0]["reference"].removeprefix("Condition/")]
        for row in population
        if row["resourceType"] == "MedicationRequest"
        and row["medicationCodeableConcept"]["coding"][-1]["code"].startswith("A10")
    ]

    assert reasons
    assert {row["code"]["coding"][0]["code"] for row in reasons} == {"44054006"}


def test_nobody_allergic_to_penicillin_gets_amoxicillin(population):
    allergic = {
        subject_of(row)
        for row in population
        if row["resourceType"] == "AllergyIntolerance"
        and row["code"]["coding"][0]["code"] == "91936005"
    }
    treated = {
        subject_of(row)
        for row in population
        if row["resourceType"] == "MedicationRequest"
        and row["medicationCodeableConcept"]["coding"][-1]["code"] == "J01CA04"
    }

    assert allergic
    assert treated
    assert not allergic & treated


def test_a_note_says_what_was_found(population):
    notes = [
        b64decode(row["content"][0]["attachment"]["data"]).decode()
        for row in population
        if row["resourceType"] == "DocumentReference"
        and subject_of(row) == "story-diabetes"
        and row["content"][0]["attachment"]["contentType"].startswith("text/")
    ]

    assert "Blood pressure 127/78 mmHg" in notes[-1]
    assert "Hemoglobin A1c 6.6 % (H)" in notes[-1]
    assert "Elena Vásquez, female, 58 years" in notes[-1]


def test_names_come_in_their_own_script(population):
    texts = " ".join(
        name["text"]
        for row in population
        if row["resourceType"] == "Patient"
        for name in row["name"]
    )

    assert "田中健二" in texts
    assert "Григорий Петров" in texts
    assert "فاطمة السيد" in texts


def test_a_plan_begins_when_its_problem_was_written_down(population):
    recorded = {
        f"Condition/{row['id']}": row["recordedDate"][:10]
        for row in population
        if row["resourceType"] == "Condition"
    }
    plans = [row for row in population if row["resourceType"] == "CarePlan"]

    assert plans
    assert all(
        row["period"]["start"] == recorded[row["addresses"][0]["reference"]] for row in plans
    )
