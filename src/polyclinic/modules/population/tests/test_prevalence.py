from collections import Counter
from datetime import date
from math import sqrt

import pytest

from polyclinic.modules.population.people import people
from polyclinic.modules.population.prevalence import rate_of
from polyclinic.modules.population.tables import table

SIZE = 12_000
KEYS = [row["key"] for row in table("prevalence")["conditions"]]


@pytest.fixture(scope="module")
def sample():
    """The sex, age and conditions of a fixed sample."""
    return [
        (person.sex, person.age, frozenset(person.onsets), person.smoking)
        for person in people(seed=20, size=SIZE, today=date(2026, 3, 11))
    ]


def cells_of(key):
    return next(row["cells"] for row in table("prevalence")["conditions"] if row["key"] == key)


def chi_square(sample, key, cells):
    """Return the chi-square statistic over the cells of a condition, and how many cells count."""
    people_in: Counter[int] = Counter()
    with_it: Counter[int] = Counter()
    for sex, age, conditions, _ in sample:
        for number, (cell_sex, first, last, _) in enumerate(cells):
            if cell_sex in ("*", sex) and first <= age <= last:
                people_in[number] += 1
                with_it[number] += key in conditions
    total, used = 0.0, 0
    for number, (*_, rate) in enumerate(cells):
        expected = people_in[number] * rate
        if expected >= 5:
            spread = expected * (1 - rate)
            total += (with_it[number] - expected) ** 2 / spread
            used += 1
    return total, used


def critical_value(freedom):
    """Return the chi-square value passed once in a thousand (Wilson and Hilferty 1931)."""
    share = 2 / (9 * freedom)
    return freedom * (1 - share + 3.0902 * sqrt(share)) ** 3


@pytest.mark.parametrize("key", KEYS)
def test_the_rates_are_those_stated(sample, key):
    statistic, freedom = chi_square(sample, key, cells_of(key))

    assert freedom >= 1
    assert statistic < critical_value(freedom)


@pytest.mark.parametrize("key", KEYS)
def test_rates_a_third_higher_would_be_noticed(sample, key):
    higher = [(sex, first, last, rate * 4 / 3) for sex, first, last, rate in cells_of(key)]

    statistic, freedom = chi_square(sample, key, higher)

    assert statistic > critical_value(freedom)


def test_conditions_appear_at_no_age_without_a_rate(sample):
    misplaced = [
        (key, sex, age)
        for sex, age, conditions, _ in sample
        for key in conditions
        if rate_of(cells_of(key), sex, age) == 0
    ]

    assert misplaced == []


def test_diabetes_and_hypertension_go_together(sample):
    older = [conditions for _, age, conditions, _ in sample if age >= 60]
    diabetic = [conditions for conditions in older if "diabetes" in conditions]
    others = [conditions for conditions in older if "diabetes" not in conditions]

    share = sum("hypertension" in one for one in diabetic) / len(diabetic)
    share_of_others = sum("hypertension" in one for one in others) / len(others)

    assert share > share_of_others + 0.15


def test_smoking_is_as_common_as_stated(sample):
    cells = table("prevalence")["habits"][0]["cells"]
    expected = sum(rate_of(cells, sex, age) for sex, age, *_ in sample)

    smokers = sum(smoking == "current" for *_, smoking in sample)

    assert abs(smokers - expected) < 3.3 * sqrt(expected)


def test_about_a_fifth_are_children(sample):
    share = sum(age < 18 for _, age, *_ in sample) / SIZE

    assert 0.15 < share < 0.26
