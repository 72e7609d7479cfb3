"""Each of the six stories shows what it is there to show."""

from base64 import b64decode
from collections import Counter
from datetime import date

import pytest

from polyclinic.modules.population.generate import STORY_IDS, patient

TODAY = date(2026, 3, 11)


@pytest.fixture(scope="module")
def stories():
    return {name: patient(1, index, TODAY) for index, name in enumerate(STORY_IDS)}


def values(record, code):
    """Return the values measured under a LOINC code, in the order of time."""
    rows = [
        (row["effectiveDateTime"], row["valueQuantity"]["value"])
        for row in record
        if row["resourceType"] == "Observation"
        and any(coding["code"] == code for coding in row["code"]["coding"])
    ]
    return [value for _, value in sorted(rows)]


def problems(record):
    return {row["code"]["text"] for row in record if row["resourceType"] == "Condition"}


def letters(record):
    return [
        b64decode(row["content"][0]["attachment"]["data"])
        for row in record
        if row["resourceType"] == "DocumentReference"
        and row["content"][0]["attachment"]["contentType"] == "application/pdf"
    ]


@pytest.mark.parametrize("name", STORY_IDS)
def test_a_story_has_visits_notes_a_family_and_a_name(stories, name):
    kinds = Counter(row["resourceType"] for row in stories[name])

    assert kinds["Encounter"] >= 2
    assert kinds["DocumentReference"] >= 2
    assert kinds["FamilyMemberHistory"] >= 1
    assert kinds["AllergyIntolerance"] >= 1


@pytest.mark.parametrize("name", STORY_IDS)
def test_what_happened_lies_before_today(stories, name):
    days = [
        row[key][:10]
        for row in stories[name]
        for key in ("effectiveDateTime", "authoredOn", "performedDateTime", "started", "authored")
        if key in row
    ]

    assert max(days) < TODAY.isoformat()


def test_the_diabetes_story_has_its_complications(stories):
    record = stories["story-diabetes"]

    assert {
        "Microalbuminuria due to type 2 diabetes mellitus",
        "Retinopathy due to type 2 diabetes mellitus",
        "Neuropathy due to type 2 diabetes mellitus",
    } <= problems(record)
    assert values(record, "9318-7") == [118, 74, 52, 38]
    assert b"retinopathy" in letters(record)[0]


def test_the_pregnancy_story_counts_her_weeks(stories):
    record = stories["story-pregnancy"]
    fundus = values(record, "11881-0")

    assert fundus == sorted(fundus)
    assert len(values(record, "55283-6")) >= 4
    assert sum(row["resourceType"] == "ImagingStudy" for row in record) == 2
    assert min(values(record, "718-7")) < 10.5


def test_the_child_is_measured_from_the_first_days(stories):
    record = stories["story-child"]
    heights, weights, heads = (values(record, code) for code in ("8302-2", "29463-7", "9843-4"))

    assert heights == sorted(heights)
    assert heights[0] < 52
    assert weights[0] < 4
    assert len(heights) >= 14
    assert heads == sorted(heads)
    assert sum(row["resourceType"] == "Immunization" for row in record) > 25


def test_the_newcomer_has_a_dangerous_allergy_and_answers(stories):
    record = stories["story-newcomer"]
    allergy = next(row for row in record if row["resourceType"] == "AllergyIntolerance")

    assert allergy["criticality"] == "high"
    assert values(record, "44261-6") == [11]
    assert values(record, "70274-6") == [9]
    assert b"Herat" in letters(record)[0]


def test_the_copd_story_goes_through_intensive_care(stories):
    record = stories["story-copd"]
    stay = next(
        row for row in record if row["resourceType"] == "Encounter" and "hospitalization" in row
    )
    places = [place["location"]["reference"] for place in stay["location"]]
    carbon_dioxide = values(record, "2019-8")

    assert places == ["Location/loc-intensive-2", "Location/loc-medicine"]
    assert len(values(record, "8867-4")) > 100
    assert max(values(record, "3150-6")) >= 40
    assert carbon_dioxide[0] > 50 > carbon_dioxide[-1]
    assert b"Discharge summary" in letters(record)[0]


def test_the_kidney_story_reads_the_letter_of_the_kidney_clinic(stories):
    record = stories["story-kidney"]
    creatinine = values(record, "2160-0")

    assert creatinine[0] == 1.48
    assert creatinine[-1] == 2.9
    assert "Chronic kidney disease stage 4" in problems(record)
    assert b"transplant" in letters(record)[0]
