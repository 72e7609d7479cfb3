"""Procedures: screening and investigations.

http://hl7.org/fhir/R4/procedure.html

Who is screened when follows the age ranges of the US Preventive Services Task Force for colon and
breast cancer; how many come is a generator parameter, not a clinical reference.
"""

from typing import Final

from polyclinic.base.chance import Chance
from polyclinic.modules.population.chart import Chart, Reference, Resource
from polyclinic.modules.population.coding import SNOMED, concept
from polyclinic.modules.population.dates import age_in_years
from polyclinic.modules.population.model import Visit

_PROCEDURES: Final = {
    "colonoscopy": ("73761001", "Colonoscopy"),
    "mammography": ("71651007", "Mammography"),
    "spirometry": ("127783003", "Spirometry"),
    "electrocardiogram": ("29303009", "Electrocardiographic procedure"),
    "eye_screening": ("134395001", "Diabetic retinopathy screening"),
    "foot_examination": ("401191002", "Diabetic foot examination"),
    "obstetric_ultrasound": ("268445003", "Ultrasound scan - obstetric"),
    "delivery": ("66348005", "Childbirth"),
}
_COLON_AGES: Final = range(45, 76)
_BREAST_AGES: Final = range(40, 75)


def perform(chart: Chart, visit: Visit, key: str, reason: Reference | None = None) -> None:
    """Add a completed procedure done at a visit."""
    code, display = _PROCEDURES[key]
    body: Resource = {
        "status": "completed",
        "code": concept(SNOMED, code, display),
        "subject": chart.subject,
        "encounter": visit.encounter,
        "performedDateTime": visit.start,
        "performer": [{"actor": visit.performer}],
    }
    if reason:
        body["reasonReference"] = [reason]
    chart.add("Procedure", body)
    visit.plan.append(f"Done today: {display}.")


def screen(chart: Chart, visit: Visit, chance: Chance) -> None:
    """Add what the problem list and the age ask for at a check-up."""
    problems = chart.problems
    age = age_in_years(chart.person.birth, visit.day)
    for key, procedure in (
        ("diabetes", "eye_screening"),
        ("diabetes", "foot_examination"),
        ("copd", "spirometry"),
        ("asthma", "spirometry"),
        ("hypertension", "electrocardiogram"),
    ):
        if key in problems and chance.happens(0.35):
            perform(chart, visit, procedure, problems[key])
    if age in _COLON_AGES and chance.happens(0.09):
        perform(chart, visit, "colonoscopy")
    if chart.person.sex == "female" and age in _BREAST_AGES and chance.happens(0.3):
        perform(chart, visit, "mammography")
