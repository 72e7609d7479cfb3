"""Allergies, and the statement that there are none.

http://hl7.org/fhir/R4/allergyintolerance.html
"""

from datetime import date, timedelta
from typing import Any, Final

from polyclinic.modules.population.chart import Chart, Resource
from polyclinic.modules.population.coding import SNOMED, concept, hl7
from polyclinic.modules.population.dates import instant
from polyclinic.modules.population.organizations import practitioner
from polyclinic.modules.population.prevalence import rate_of
from polyclinic.modules.population.tables import table

_ACTIVE: Final = hl7("allergyintolerance-clinical", "active", "Active")
_CONFIRMED: Final = hl7("allergyintolerance-verification", "confirmed", "Confirmed")
_AIRWAY: Final = ("rhinitis", "asthma")
_ASKED: Final = 0.75  # generator parameter: how often "none known" is written down
_RECORDED_MINUTE: Final = 9 * 60


def write_allergies(chart: Chart, day: date) -> None:
    """Add what a person is allergic to, by the rates of the prevalence table, as of a day."""
    person = chart.person
    chance = chart.chance("allergies")
    for row in table("prevalence")["allergies"]:
        kind = row["key"]
        if kind == "environment" and not any(key in person.onsets for key in _AIRWAY):
            continue
        if chance.happens(rate_of(row["cells"], person.sex, person.age)):
            rows = table("allergies")["rows"][kind]
            chosen = chance.weighted(rows, [candidate["weight"] for candidate in rows])
            add_allergy(chart, chosen, chance.pick(chosen["reactions"]), day)
    if not chart.allergies and chance.happens(_ASKED):
        add_no_known_allergy(chart, day)


def allergy_row(key: str) -> dict[str, Any]:
    """Return the row of an allergy."""
    groups = table("allergies")["rows"].values()
    found: dict[str, Any] = next(row for rows in groups for row in rows if row["key"] == key)
    return found


def add_allergy(chart: Chart, row: dict[str, Any], reaction: str, day: date) -> None:
    """Add an allergy with one reaction, recorded on a day."""
    code, display, severity = table("allergies")["reactions"][reaction]
    chart.allergies.append(row["key"])
    body = _frame(chart, row["code"], day)
    body |= {
        "type": "allergy",
        "category": [row["category"]],
        "criticality": "high" if severity == "severe" else "low",
        "reaction": [
            {"manifestation": [concept(SNOMED, code, display)], "severity": severity},
        ],
    }
    chart.add("AllergyIntolerance", body)


def add_no_known_allergy(chart: Chart, day: date) -> None:
    """Add the statement that the person was asked and knows of no allergy."""
    chart.add("AllergyIntolerance", _frame(chart, table("allergies")["none"], day))


def _frame(chart: Chart, code: list[str], day: date) -> Resource:
    recorded = min(max(day, chart.person.birth), chart.person.today - timedelta(days=1))
    return {
        "clinicalStatus": _ACTIVE,
        "verificationStatus": _CONFIRMED,
        "code": concept(SNOMED, *code),
        "patient": chart.subject,
        "recordedDate": instant(recorded, _RECORDED_MINUTE),
        "recorder": practitioner(chart.person.physician),
    }
