"""Vital signs as Observations.

http://hl7.org/fhir/R4/observation-vitalsigns.html

Codes and units are those of the FHIR vital signs profiles: blood pressure is one panel with two
components, body mass index is computed from the height and weight of the same visit.
"""

from functools import cache
from typing import Any, Final

from polyclinic.modules.population.chart import Chart, Resource
from polyclinic.modules.population.coding import LOINC, Concept, concept, hl7, quantity
from polyclinic.modules.population.model import Visit

_CATEGORY: Final = [hl7("observation-category", "vital-signs", "Vital Signs")]

# key: LOINC, display, text, unit shown, UCUM, decimals
_SIGNS: Final[dict[str, tuple[str, str, str, str, str, int]]] = {
    "heart_rate": ("8867-4", "Heart rate", "Heart rate", "/min", "/min", 0),
    "respiratory_rate": ("9279-1", "Respiratory rate", "Respiratory rate", "/min", "/min", 0),
    "temperature": ("8310-5", "Body temperature", "Temperature", "°C", "Cel", 1),
    "oxygen_saturation": (
        "2708-6",
        "Oxygen saturation in Arterial blood",
        "Oxygen saturation",
        "%",
        "%",
        0,
    ),
    "height": ("8302-2", "Body height", "Height", "cm", "cm", 1),
    "weight": ("29463-7", "Body weight", "Weight", "kg", "kg", 1),
    "head": (
        "9843-4",
        "Head Occipital-frontal circumference",
        "Head circumference",
        "cm",
        "cm",
        1,
    ),
    "bmi": ("39156-5", "Body mass index (BMI) [Ratio]", "Body mass index", "kg/m2", "kg/m2", 1),
    "fundal_height": (
        "11881-0",
        "Uterus Fundal height Tape measure",
        "Fundal height",
        "cm",
        "cm",
        0,
    ),
    "coma_scale": (
        "9269-2",
        "Glasgow coma score total",
        "Glasgow coma scale",
        "score",
        "{score}",
        0,
    ),
    "inspired_oxygen": ("3150-6", "Inhaled oxygen concentration", "Inspired oxygen", "%", "%", 0),
    "end_pressure": (
        "20077-4",
        "Positive end expiratory pressure setting Ventilator",
        "PEEP",
        "cmH2O",
        "cm[H2O]",
        0,
    ),
    "urine_output": ("9187-6", "Urine output", "Urine output", "mL", "mL", 0),
    "pain": (
        "72514-3",
        "Pain severity - 0-10 verbal numeric rating [Score] - Reported",
        "Pain",
        "score",
        "{score}",
        0,
    ),
    "fetal_heart_rate": ("55283-6", "Fetal Heart rate", "Fetal heart rate", "/min", "/min", 0),
}
_PRESSURE: Final = concept(
    LOINC, "85354-9", "Blood pressure panel with all children optional", "Blood pressure"
)
_SYSTOLIC: Final = concept(LOINC, "8480-6", "Systolic blood pressure")
_DIASTOLIC: Final = concept(LOINC, "8462-4", "Diastolic blood pressure")
_MEAN: Final = concept(LOINC, "8478-0", "Mean blood pressure")
_BMI_AGE_DAYS: Final = 2 * 365


def record(chart: Chart, visit: Visit, values: dict[str, float]) -> None:
    """Add an Observation for each value measured at a visit, and the blood pressure panel."""
    if "systolic" in values:
        _record_pressure(chart, visit, values)
    for key in _SIGNS:
        if key in values:
            _record_sign(chart, visit, key, values[key])
    old_enough = (visit.day - chart.person.birth).days >= _BMI_AGE_DAYS
    if old_enough and "height" in values and "weight" in values:
        metres = round(values["height"], 1) / 100
        _record_sign(chart, visit, "bmi", round(values["weight"], 1) / metres**2)


def _frame(chart: Chart, visit: Visit, code: Resource) -> Resource:
    body: Resource = {
        "status": "final",
        "category": _CATEGORY,
        "code": code,
        "subject": chart.subject,
        "encounter": visit.encounter,
        "effectiveDateTime": visit.start,
        "performer": [visit.performer],
    }
    if visit.device:
        body["device"] = visit.device
    return body


@cache
def _code(key: str) -> Concept:
    code, display, text, *_ = _SIGNS[key]
    shown = concept(LOINC, code, display, text)
    if key != "oxygen_saturation":
        return shown
    # The vital signs profiles of FHIR R4 ask for the one code, US Core for both.
    other = concept(LOINC, "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry")
    return {"coding": shown["coding"] + other["coding"], "text": text}


def _record_sign(chart: Chart, visit: Visit, key: str, value: float) -> None:
    _, _, text, unit, ucum, decimals = _SIGNS[key]
    shown: float = round(value, decimals) if decimals else round(value)
    body = _frame(chart, visit, _code(key))
    body["valueQuantity"] = quantity(shown, unit, ucum)
    chart.add("Observation", body)
    visit.findings.append(f"{text} {shown} {unit}")


def _record_pressure(chart: Chart, visit: Visit, values: dict[str, float]) -> None:
    systolic, diastolic = round(values["systolic"]), round(values["diastolic"])
    body = _frame(chart, visit, _PRESSURE)
    body["component"] = [_component(_SYSTOLIC, systolic), _component(_DIASTOLIC, diastolic)]
    if visit.device:  # a monitor shows the mean, a cuff at a visit does not
        mean = diastolic + (systolic - diastolic) / 3
        body["component"].append(_component(_MEAN, round(mean)))
    chart.add("Observation", body)
    visit.findings.append(f"Blood pressure {systolic}/{diastolic} mmHg")


def _component(code: Resource, value: int) -> dict[str, Any]:
    return {"code": code, "valueQuantity": quantity(value, "mmHg", "mm[Hg]")}
