"""The rates of the generated people are those that the documentation states."""

from collections import Counter, defaultdict
from datetime import date
from math import sqrt

import pytest

from polyclinic.modules.population.allergies import write_allergies
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.people import people
from polyclinic.modules.population.prevalence import rate_of
from polyclinic.modules.population.tables import table

SIZE = 16_000
ALLERGIES = {
    row["key"]: frozenset(allergy["key"] for allergy in table("allergies")["rows"][row["key"]])
    for row in table("prevalence")["allergies"]
    if row["key"] != "environment"  # only for people with rhinitis or asthma
}
ROWS = {
    row["key"]: row
    for group in ("conditions", "complications", "allergies")
    for row in table("prevalence")[group]
    if row["key"] != "environment"
}


@pytest.fixture(scope="module")
def sample():
    """The sex, age, findings (conditions and kinds of allergy) and smoking of a fixed sample."""
    return [
        (person.sex, person.age, frozenset(person.onsets) | allergies(person), person.smoking)
        for person in people(seed=20, size=SIZE, today=date(2026, 3, 11))
    ]


def allergies(person):
    chart = Chart(person)
    write_allergies(chart, person.registered)
    return frozenset(kind for kind, keys in ALLERGIES.items() if keys & set(chart.allergies))


def chi_square(sample, key, factor=1.0):
    """Return the statistic over the cells of a row of rates, and how many cells count.

    The rates are taken times the factor. Of a complication only those are counted who have what
    it comes of. Cells with fewer than five expected are left out.
    """
    row = ROWS[key]
    people_in: Counter[int] = Counter()
    with_it: Counter[int] = Counter()
    for sex, age, findings, _ in sample:
        if row.get("of", key) != key and row["of"] not in findings:
            continue
        for number, (cell_sex, first, last, _) in enumerate(row["cells"]):
            if cell_sex in ("*", sex) and first <= age <= last:
                people_in[number] += 1
                with_it[number] += key in findings
    total, used = 0.0, 0
    for number, (*_, rate) in enumerate(row["cells"]):
        expected = people_in[number] * rate * factor
        if expected >= 5:
            total += (with_it[number] - expected) ** 2 / (expected * (1 - rate * factor))
            used += 1
    return total, used


def critical_value(freedom):
    """Return the chi-square value passed once in a thousand (Wilson and Hilferty 1931)."""
    share = 2 / (9 * freedom)
    return freedom * (1 - share + 3.0902 * sqrt(share)) ** 3


@pytest.mark.parametrize("key", ROWS)
def test_the_rates_are_those_stated(sample, key):
    statistic, freedom = chi_square(sample, key)

    assert freedom >= 1
    assert statistic < critical_value(freedom)


@pytest.mark.parametrize("key", ROWS)
def test_rates_half_as_high_again_would_be_noticed(sample, key):
    statistic, freedom = chi_square(sample, key, 1.5)

    assert statistic > critical_value(freedom)


def test_the_sample_has_power_in_most_cells(sample):
    cells = sum(len(row["cells"]) for row in ROWS.values())

    assert sum(chi_square(sample, key)[1] for key in ROWS) > 0.9 * cells


def test_conditions_appear_at_no_age_without_a_rate(sample):
    misplaced = [
        (key, sex, age)
        for sex, age, findings, _ in sample
        for key in findings
        if rate_of(ROWS[key]["cells"], sex, age) == 0
    ]

    assert misplaced == []


def test_complications_come_to_those_who_have_the_condition(sample):
    causes: defaultdict[str, set[bool]] = defaultdict(set)
    for row in table("prevalence")["complications"]:
        for _, _, findings, _ in sample:
            if row["key"] in findings:
                causes[row["key"]].add(row["of"] in findings)

    assert set(map(frozenset, causes.values())) == {frozenset({True})}


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
