"""What runs in the family.

http://hl7.org/fhir/R4/familymemberhistory.html

A parent has a condition more often when the person has it too; how often is a generator parameter,
not a clinical reference.
"""

from typing import Any, Final

from polyclinic.modules.population.chart import Chart, Resource
from polyclinic.modules.population.coding import SNOMED, concept, hl7
from polyclinic.modules.population.conditions import condition_row

_PARENTS: Final = (
    (hl7("v3-RoleCode", "FTH", "father"), "male"),
    (hl7("v3-RoleCode", "MTH", "mother"), "female"),
)
_SEX: Final = {"male": "Male", "female": "Female"}
# condition: chance when the person has it, else; earliest and latest age at onset
_RUNNING: Final = {
    "diabetes": (0.55, 0.15, 42, 66),
    "hypertension": (0.6, 0.3, 38, 64),
    "coronary": (0.5, 0.14, 48, 74),
    "stroke": (0.3, 0.1, 58, 80),
    "asthma": (0.35, 0.06, 4, 30),
    "depression": (0.35, 0.08, 22, 55),
}
_ASKED: Final = 0.6
_ADULT: Final = 18


def write_family_history(chart: Chart) -> None:
    """Add what a grown person tells of father and mother, if somebody asked."""
    person = chart.person
    chance = chart.chance("family history")
    if person.age < _ADULT or not chance.happens(_ASKED):
        return
    for relationship, sex in _PARENTS:
        conditions = []
        for key, (likely, else_likely, youngest, oldest) in _RUNNING.items():
            if chance.happens(likely if key in person.onsets else else_likely):
                conditions.append(_condition(key, chance.whole(youngest, oldest)))
        add_relative(chart, relationship, sex, conditions)


def write_told_history(chart: Chart, rows: list[list[Any]]) -> None:
    """Add relatives as a story tells of them: code, display, sex, conditions with age at onset."""
    for code, display, sex, conditions in rows:
        told = [_condition(key, age) for key, age in conditions]
        add_relative(chart, hl7("v3-RoleCode", code, display), sex, told)


def add_relative(
    chart: Chart, relationship: dict[str, Any], sex: str, conditions: list[dict[str, Any]]
) -> None:
    """Add a relative with what they had; without conditions as healthy."""
    body: Resource = {
        "status": "completed",
        "patient": chart.subject,
        "date": chart.person.registered.isoformat(),
        "relationship": relationship,
        "sex": {
            "coding": [
                {
                    "system": "http://hl7.org/fhir/administrative-gender",
                    "code": sex,
                    "display": _SEX[sex],
                }
            ]
        },
    }
    if conditions:
        body["condition"] = conditions
    else:
        body["note"] = [{"text": "No illness that runs in families is known."}]
    chart.add("FamilyMemberHistory", body)


def _condition(key: str, age: int) -> dict[str, Any]:
    return {
        "code": concept(SNOMED, *condition_row(key)["snomed"]),
        "onsetAge": {
            "value": age,
            "unit": "years",
            "system": "http://unitsofmeasure.org",
            "code": "a",
        },
    }
