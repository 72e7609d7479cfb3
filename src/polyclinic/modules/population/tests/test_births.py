"""Children are born at so many weeks, and are measured from the first day."""

from datetime import date, timedelta
from math import sqrt

import pytest

from polyclinic.modules.population.gestation import (
    missing_months,
    share_before_term,
    weeks_of,
)
from polyclinic.modules.population.people import people
from polyclinic.modules.population.tables import table

TODAY = date(2026, 3, 11)
SIZE = 20_000
PRETERM_RATE = table("prevalence")["births"][0]["cells"][0][-1]


def test_as_many_come_early_as_stated():
    early = sum(weeks_of(4, index) < 37 for index in range(SIZE))
    expected = SIZE * PRETERM_RATE

    assert abs(early - expected) < 3.3 * sqrt(expected * (1 - PRETERM_RATE))


def test_age_is_corrected_for_weeks_missed_until_two_years():
    early = next(person for person in people(4, 400, TODAY) if person.weeks == 35)

    assert missing_months(early, early.birth) == pytest.approx(5 * 7 / 30.4375)
    assert missing_months(early, early.birth + timedelta(days=731)) == 0


def test_a_child_born_early_is_smaller():
    assert share_before_term("weight", -1.0) < share_before_term("height", -1.0) < 1
    assert share_before_term("weight", 0.5) == 1


def test_a_record_from_birth_begins_with_weeks_and_weight(population):
    newborns = {
        row["subject"]["reference"]
        for row in population
        if row["resourceType"] == "Encounter" and row["type"][0]["text"] == "Encounter Inpatient"
    }
    weighed = {
        row["subject"]["reference"]
        for row in population
        if row["resourceType"] == "Observation"
        and row["code"]["coding"][0]["code"] == "76516-4"
        and 34 <= row["valueQuantity"]["value"] <= 41
    }

    assert len(newborns) > 3
    assert newborns <= weighed
