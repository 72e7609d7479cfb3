from collections import defaultdict
from datetime import date
from itertools import pairwise

import pytest

from polyclinic.modules.population.dates import age_in_months
from polyclinic.modules.population.generate import generate
from polyclinic.modules.population.tables import table

FOUR_WEEKS = 28
LIVE = ("03", "21")


@pytest.fixture(scope="module")
def doses():
    """Birth date and the doses by vaccine of everybody in a population."""
    births: dict[str, date] = {}
    given: defaultdict[str, defaultdict[str, list[tuple[date, int]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in generate(5, 150, date(2026, 3, 11)):
        if row["resourceType"] == "Patient":
            births[row["id"]] = date.fromisoformat(row["birthDate"])
        elif row["resourceType"] == "Immunization":
            patient = row["patient"]["reference"].removeprefix("Patient/")
            day = date.fromisoformat(row["occurrenceDateTime"][:10])
            number = row["protocolApplied"][0]["doseNumberPositiveInt"]
            given[patient][row["vaccineCode"]["coding"][0]["code"]].append((day, number))
    return births, given


def test_doses_of_a_vaccine_follow_each_other_four_weeks_apart(doses):
    _, given = doses
    gaps = [
        (later[0] - earlier[0]).days
        for vaccines in given.values()
        for rows in vaccines.values()
        for earlier, later in pairwise(rows)
    ]

    assert min(gaps) >= FOUR_WEEKS


def test_doses_are_numbered_in_order(doses):
    _, given = doses
    numbers = [
        [number for _, number in rows]
        for vaccines in given.values()
        for code, rows in vaccines.items()
        if code not in ("140", "113")
    ]

    assert numbers
    assert all(row == list(range(row[0], row[0] + len(row))) for row in numbers)


def test_live_vaccines_are_given_from_twelve_months(doses):
    births, given = doses
    ages = [
        age_in_months(births[patient], day)
        for patient, vaccines in given.items()
        for code in LIVE
        for day, number in vaccines.get(code, [])
        if number == 1
    ]

    assert len(ages) > 10
    assert min(ages) >= 11.9


def test_no_vaccine_is_given_before_it_was_licensed(doses):
    _, given = doses
    schedule = table("immunizations")
    early = [
        (code, day)
        for vaccine, licensed in schedule["licensed"].items()
        for code in [schedule["vaccines"][vaccine][0]]
        for vaccines in given.values()
        for day, _ in vaccines.get(code, [])
        if day < date.fromisoformat(licensed)
    ]

    assert early == []
