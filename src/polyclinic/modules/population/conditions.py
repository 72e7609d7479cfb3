"""Conditions: the problem list and what passes.

http://hl7.org/fhir/R4/condition.html
"""

from datetime import date
from functools import cache
from typing import Any, Final

from polyclinic.modules.population.chart import Chart, Reference, Resource
from polyclinic.modules.population.coding import ICD10, SNOMED, Concept, concept, hl7
from polyclinic.modules.population.model import Visit
from polyclinic.modules.population.tables import table

_ACTIVE: Final = hl7("condition-clinical", "active", "Active")
_RESOLVED: Final = hl7("condition-clinical", "resolved", "Resolved")
_CONFIRMED: Final = hl7("condition-ver-status", "confirmed", "Confirmed")
_PROBLEM: Final = [hl7("condition-category", "problem-list-item", "Problem List Item")]
_DIAGNOSIS: Final = [hl7("condition-category", "encounter-diagnosis", "Encounter Diagnosis")]


@cache
def condition_row(key: str) -> dict[str, Any]:
    """Return the row of a condition, whether long-term, acute or other."""
    groups = table("conditions")
    for group in ("chronic", "acute", "other"):
        if key in groups[group]:
            row: dict[str, Any] = groups[group][key]
            return row
    raise KeyError(key)


def diagnose(chart: Chart, visit: Visit, key: str, onset: date) -> Reference:
    """Add a long-term condition found, or taken over from before, at a visit."""
    body = _frame(chart, visit, key, onset)
    reference = chart.add("Condition", body)
    chart.problems[key] = reference
    visit.plan.append(f"New on the problem list: {condition_row(key)['snomed'][1]}.")
    return reference


def diagnose_passing(
    chart: Chart, visit: Visit, key: str, course: tuple[date, date | None]
) -> Reference:
    """Add a condition with its first and last day; without a last day it is still there."""
    onset, end = course
    body = _frame(chart, visit, key, onset)
    if key not in table("conditions")["chronic"]:
        body["category"] = _DIAGNOSIS
    body["clinicalStatus"] = _RESOLVED if end else _ACTIVE
    if end:
        body["abatementDateTime"] = end.isoformat()
        return chart.add("Condition", body)
    chart.problems[key] = chart.add("Condition", body)
    return chart.problems[key]


def _frame(chart: Chart, visit: Visit, key: str, onset: date) -> Resource:
    return {
        "clinicalStatus": _ACTIVE,
        "verificationStatus": _CONFIRMED,
        "category": _PROBLEM,
        "code": _code(key),
        "subject": chart.subject,
        "encounter": visit.encounter,
        "onsetDateTime": onset.isoformat(),
        "recordedDate": visit.start,
        "recorder": visit.performer,
    }


@cache
def _code(key: str) -> Concept:
    row = condition_row(key)
    snomed = concept(SNOMED, *row["snomed"])
    icd10 = concept(ICD10, *row["icd10"])
    return {"coding": snomed["coding"] + icd10["coding"], "text": row["snomed"][1]}
