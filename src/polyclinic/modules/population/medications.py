"""Prescriptions that fit the conditions.

http://hl7.org/fhir/R4/medicationrequest.html
"""

from datetime import timedelta
from functools import cache
from typing import Any, Final

from polyclinic.base.chance import Chance
from polyclinic.modules.population.chart import Chart, Reference, Resource
from polyclinic.modules.population.coding import ATC, RXNORM, SNOMED, Concept, concept
from polyclinic.modules.population.conditions import condition_row
from polyclinic.modules.population.model import Visit
from polyclinic.modules.population.tables import table

# What takes the place of a drug: (drug, problem or allergy on the chart) to the other drug.
_INSTEAD: Final = {
    ("amoxicillin", "penicillin"): "azithromycin",
    ("ibuprofen", "kidney"): "paracetamol",
    ("nitrofurantoin", "kidney"): "amoxicillin_capsule",
    ("amoxicillin_capsule", "penicillin"): "ciprofloxacin",
    ("hydrochlorothiazide", "sulfonamide"): "amlodipine",
    ("hydrochlorothiazide", "kidney"): "amlodipine",
    ("metoprolol", "asthma"): "amlodipine",
    ("ceftriaxone", "penicillin"): "levofloxacin",
    ("naproxen", "kidney"): "paracetamol",
    ("naproxen", "coronary"): "paracetamol",
    ("naproxen", "fibrillation"): "paracetamol",
    ("ibuprofen", "fibrillation"): "paracetamol",
}
# Two drugs of one kind are not given together.
_SAME_KIND: Final = (
    {"losartan", "lisinopril"},
    {"simvastatin", "atorvastatin"},
    {"apixaban", "warfarin"},
    {"sertraline", "escitalopram"},
    {"naproxen", "ibuprofen"},
    {"furosemide", "furosemide_injection"},
)
_CHILD_DAYS: Final = 12 * 365
_WORDS: Final = {1: "once daily", 2: "twice daily", 3: "three times daily", 4: "four times daily"}


def prescribe(
    chart: Chart, visit: Visit, key: str, reason: Reference | None, days: int | None = None
) -> str | None:
    """Add a prescription and return the key of the drug given, or None if it is given already.

    With `days` the treatment is a course that ends, else it goes on. A drug that an allergy or a
    problem forbids is replaced.
    """
    key = suitable(chart, visit, key)
    if key in chart.medications or any(
        key in kind and kind & chart.medications.keys() for kind in _SAME_KIND
    ):
        return None
    row = table("medications")["rows"][key]
    body: Resource = {
        "status": _status(chart, visit, days),
        "intent": "order",
        "medicationCodeableConcept": medication_of(key),
        "subject": chart.subject,
        "encounter": visit.encounter,
        "authoredOn": visit.start,
        "requester": visit.performer,
        "dosageInstruction": [dosage_of(key)],
    }
    if reason:
        body["reasonReference"] = [reason]
    if days:
        body["dispenseRequest"] = {
            "expectedSupplyDuration": {
                "value": days,
                "unit": "days",
                "system": "http://unitsofmeasure.org",
                "code": "d",
            }
        }
    else:
        chart.medications[key] = visit.day
    chart.add("MedicationRequest", body)
    visit.plan.append(f"{row['text']}: {dosage_of(key)['text']}.")
    return key


def treat(chart: Chart, visit: Visit, condition: str, chance: Chance) -> None:
    """Begin the treatment of a long-term condition: a first drug, for some a second."""
    row = condition_row(condition)
    reason = chart.problems[condition]
    if not row["first"] or not chance.happens(row["treated"]):
        return
    prescribe(chart, visit, chance.pick(row["first"]), reason)
    if chance.happens(row["second_chance"]):
        prescribe(chart, visit, chance.pick(row["second"]), reason)


def suitable(chart: Chart, visit: Visit, key: str) -> str:
    """Return the drug itself, or the one that takes its place for a person."""
    for (drug, obstacle), other in _INSTEAD.items():
        if key == drug and (obstacle in chart.problems or obstacle in chart.allergies):
            key = other
    is_child = (visit.day - chart.person.birth).days < _CHILD_DAYS
    if key in {"paracetamol", "ibuprofen"} and is_child:
        return "paracetamol_child"
    return key


def _status(chart: Chart, visit: Visit, days: int | None) -> str:
    if chart.person.death:
        return "completed"
    if days and visit.day + timedelta(days=days) < chart.person.today:
        return "completed"
    return "active"


@cache
def medication_of(key: str) -> Concept:
    """Return the RxNorm and ATC codes of a drug of the table."""
    row = table("medications")["rows"][key]
    codings: list[dict[str, str]] = []
    if row["rxnorm"]:
        codings += concept(RXNORM, *row["rxnorm"])["coding"]
    codings += concept(ATC, *row["atc"])["coding"]
    return {"coding": codings, "text": row["text"]}


@cache
def dosage_of(key: str) -> dict[str, Any]:
    """Return how a drug of the table is taken."""
    row = table("medications")["rows"][key]
    often = _WORDS[row["per_day"]]
    as_needed = bool(row.get("as_needed"))
    dose = row["dose"]
    amount = f"{dose[0]} {dose[1]}{'s' if dose[0] > 1 else ''}" if dose else "Dose by weight"
    dosage: dict[str, Any] = {
        "text": f"{amount} {f'as needed, up to {often}' if as_needed else often}",
        "timing": {"repeat": {"frequency": row["per_day"], "period": 1, "periodUnit": "d"}},
        "asNeededBoolean": as_needed,
        "route": concept(SNOMED, *table("medications")["routes"][row["route"]]),
    }
    if dose:
        dosage["doseAndRate"] = [{"doseQuantity": {"value": dose[0], "unit": dose[1]}}]
    return dosage
