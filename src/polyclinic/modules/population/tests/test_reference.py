from pathlib import Path

from polyclinic.modules.population.reference import render
from polyclinic.modules.population.tables import table

PAGE = Path(__file__).parents[5] / "docs" / "reference" / "population.md"


def test_the_page_is_fresh():
    assert PAGE.read_text(encoding="utf-8") == render()


def test_every_table_of_rates_names_its_source():
    rates = table("prevalence")
    rows = [*rates["conditions"], *rates["complications"], *rates["births"]]
    rows += [*rates["habits"], *rates["allergies"]]

    assert all(len(row["source"]) > 20 for row in rows)


def test_every_range_names_a_source_that_is_listed():
    laboratory = table("laboratory")
    named = {row["source"] for row in laboratory["analytes"].values()}

    assert named == set(laboratory["sources"])


def test_every_treatment_is_a_medication_of_the_table():
    conditions, medications = table("conditions"), table("medications")["rows"]
    named = {
        drug for row in conditions["chronic"].values() for drug in row["first"] + row["second"]
    }
    named |= {row["treatment"] for row in conditions["acute"].values() if row["treatment"]}

    assert named <= set(medications)
