"""Hospital stays: they are ill at first, get better, and go home with a letter."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.modules.population.generate import generate
from polyclinic.modules.population.hospital import Stay, plan_stay, severity
from polyclinic.modules.population.people import people

TODAY = date(2026, 3, 11)


@pytest.fixture(scope="module")
def stays():
    """The resources of each hospital stay of a population, by its Encounter."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in generate(3, 120, TODAY):
        if row["resourceType"] == "Encounter" and "hospitalization" in row:
            found[f"Encounter/{row['id']}"] = [row]
        place = (row.get("encounter") or row.get("context") or {}).get("reference")
        if place in found:
            found[place].append(row)
    return found


@given(st.floats(0, 300), st.floats(0.1, 100), st.integers(0, 4))
def test_an_illness_only_gets_better(hours, later, intensive):
    stay = Stay("pneumonia", TODAY, 8, intensive)

    assert 0 <= severity(stay, hours + later) <= severity(stay, hours) <= 1


def test_saturation_is_better_at_the_end_than_at_the_beginning(stays):
    courses = [
        [
            row["valueQuantity"]["value"]
            for row in rows
            if row["resourceType"] == "Observation"
            and row["code"]["coding"][0]["code"] == "2708-6"
            and "device" not in row
        ]
        for rows in stays.values()
        if rows[0]["reasonCode"][0]["text"].startswith(("fever, cough", "shortness"))
        and rows[0]["status"] == "finished"
    ]

    assert courses
    assert all(course[-1] > course[0] + 1 for course in courses)


def test_somebody_is_in_hospital_now_and_others_went_home(stays):
    states = {rows[0]["status"] for rows in stays.values()}
    now = next(rows[0] for rows in stays.values() if rows[0]["status"] == "in-progress")

    assert states == {"finished", "in-progress"}
    assert "end" not in now["period"]
    assert now["location"][-1]["status"] == "active"


def test_who_went_home_has_a_discharge_letter(population):
    letters = {
        row["context"]["encounter"][0]["reference"]
        for row in population
        if row["resourceType"] == "DocumentReference"
        and row["type"]["coding"][0]["code"] == "18842-5"
    }
    over = {
        f"Encounter/{row['id']}"
        for row in population
        if row["resourceType"] == "Encounter"
        and "hospitalization" in row
        and row["status"] == "finished"
    }

    assert over
    assert letters == over


def test_drugs_are_given_on_the_days_of_the_stay(stays):
    outside = [
        row["id"]
        for rows in stays.values()
        for row in rows
        if row["resourceType"] == "MedicationAdministration"
        and not rows[0]["period"]["start"]
        < row["effectiveDateTime"]
        <= rows[0]["period"].get("end", TODAY.isoformat())
    ]

    assert outside == []
    assert any(
        row["resourceType"] == "MedicationAdministration" for rows in stays.values() for row in rows
    )


def test_nobody_comes_for_a_visit_while_in_hospital(stays):
    overlapping = []
    visits: dict[str, list[str]] = {}
    for row in generate(3, 120, TODAY):
        if row["resourceType"] == "Encounter" and row["class"]["code"] in {"AMB", "VR"}:
            visits.setdefault(row["subject"]["reference"], []).append(row["period"]["start"])
    for rows in stays.values():
        period = rows[0]["period"]
        overlapping += [
            day
            for day in visits.get(rows[0]["subject"]["reference"], [])
            if period["start"] < day < period.get("end", "9")
        ]

    assert overlapping == []


def test_a_stay_lies_within_the_record():
    planned = [
        (person.registered, stay.day, stay.discharge)
        for person in people(seed=3, size=400, today=TODAY)
        if (stay := plan_stay(person))
    ]

    assert len(planned) > 20
    assert all(registered < first < last for registered, first, last in planned)
    assert all(last - first < timedelta(days=20) for _, first, last in planned)
