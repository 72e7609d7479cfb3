"""Laboratory results: Observations with range and interpretation, grouped by DiagnosticReport.

http://hl7.org/fhir/R4/diagnosticreport.html; ranges and their sources are in
`data/laboratory.json`.
"""

from functools import cache
from typing import Any, Final

from polyclinic.modules.population.chart import Chart, Reference, Resource
from polyclinic.modules.population.coding import LOINC, concept, hl7, quantity
from polyclinic.modules.population.dates import age_in_years, instant
from polyclinic.modules.population.model import Sex, Visit
from polyclinic.modules.population.orders import LABORATORY_ORDER, place
from polyclinic.modules.population.organizations import LABORATORY
from polyclinic.modules.population.renal import filtration_rate
from polyclinic.modules.population.tables import table

_CATEGORY: Final = [hl7("observation-category", "laboratory", "Laboratory")]
_REPORT_CATEGORY: Final = [hl7("v2-0074", "LAB", "Laboratory")]
_INTERPRETATIONS: Final = {
    "L": [hl7("v3-ObservationInterpretation", "L", "Low")],
    "N": [hl7("v3-ObservationInterpretation", "N", "Normal")],
    "H": [hl7("v3-ObservationInterpretation", "H", "High")],
}
_MINUTES_TO_RESULT: Final = 240
_ADULT: Final = 18


def report(chart: Chart, visit: Visit, panel: str, values: dict[str, float]) -> None:
    """Add the results of a panel and the report over them.

    `values` holds a number for each analyte of the panel in the unit of the table; eGFR is
    computed from creatinine and left out for children, for whom the formula does not hold.
    """
    row = table("laboratory")["panels"][panel]
    issued = instant(visit.day, min(visit.minute + _MINUTES_TO_RESULT, 23 * 60))
    code = concept(LOINC, *row["loinc"], row["text"])
    order = place(chart, visit, LABORATORY_ORDER, code)
    results: list[Reference] = []
    for key in row["analytes"]:
        value = _filtration(chart, visit, values) if key == "egfr" else values[key]
        if value is not None:
            results.append(_result(chart, visit, (key, issued), value))
    chart.add(
        "DiagnosticReport",
        {
            "status": "final",
            "category": _REPORT_CATEGORY,
            "basedOn": [order],
            "code": code,
            "subject": chart.subject,
            "encounter": visit.encounter,
            "effectiveDateTime": visit.start,
            "issued": issued,
            "performer": [LABORATORY],
            "result": results,
        },
    )


def interpretation(value: float, low: float | None, high: float | None) -> str:
    """Return L, N or H: where a value lies in its range; the limits belong to the range."""
    if low is not None and value < low:
        return "L"
    if high is not None and value > high:
        return "H"
    return "N"


def _filtration(chart: Chart, visit: Visit, values: dict[str, float]) -> float | None:
    person = chart.person
    age = age_in_years(person.birth, visit.day)
    if age < _ADULT:
        return None
    return filtration_rate(round(values["creatinine"], 2), age, person.sex)


def _result(chart: Chart, visit: Visit, what: tuple[str, str], value: float) -> Reference:
    key, issued = what
    row = table("laboratory")["analytes"][key]
    decimals, unit = row["decimals"], row.get("shown", row["unit"])
    shown: float = round(value, decimals) if decimals else round(value)
    low, high, reference_range = _range(key, chart.person.sex)
    mark = interpretation(shown, low, high)
    if mark != "N":
        visit.results.append(f"{row['text']} {shown} {unit} ({mark})")
    body: Resource = {
        "status": "final",
        "category": _CATEGORY,
        "code": concept(LOINC, *row["loinc"], row["text"]),
        "subject": chart.subject,
        "encounter": visit.encounter,
        "effectiveDateTime": visit.start,
        "issued": issued,
        "performer": [LABORATORY],
        "valueQuantity": quantity(shown, unit, row["unit"]),
        "interpretation": _INTERPRETATIONS[mark],
        "referenceRange": reference_range,
    }
    return chart.add("Observation", body)


@cache
def _range(key: str, sex: Sex) -> tuple[float | None, float | None, list[dict[str, Any]]]:
    row = table("laboratory")["analytes"][key]
    column = 0 if sex == "male" else 1
    low, high = (
        limit[column] if isinstance(limit, list) else limit for limit in (row["low"], row["high"])
    )
    unit = row.get("shown", row["unit"])
    limits: dict[str, Any] = {}
    if low is not None:
        limits["low"] = quantity(low, unit, row["unit"])
    if high is not None:
        limits["high"] = quantity(high, unit, row["unit"])
    limits["type"] = hl7("referencerange-meaning", "normal", "Normal Range")
    return low, high, [limits]
