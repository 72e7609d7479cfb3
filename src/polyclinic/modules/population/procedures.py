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
from polyclinic.modules.population.imaging import image, order_image
from polyclinic.modules.population.model import Visit

_PROCEDURES: Final = {
    "colonoscopy": ("73761001", "Colonoscopy"),
    "spirometry": ("127783003", "Spirometry"),
    "electrocardiogram": ("29303009", "Electrocardiographic procedure"),
    "eye_screening": ("134395001", "Diabetic retinopathy screening"),
    "foot_examination": ("401191002", "Diabetic foot examination"),
    "delivery": ("66348005", "Childbirth"),
    "pacemaker": ("307280005", "Implantation of cardiac pacemaker"),
    "ventilation": ("40617009", "Artificial ventilation"),
    "noninvasive_ventilation": ("428311008", "Noninvasive ventilation"),
    "intubation": ("112798008", "Insertion of endotracheal tube"),
    "coronary_intervention": ("415070008", "Percutaneous coronary intervention"),
    "hip_replacement": ("52734007", "Total replacement of hip"),
    "appendectomy": ("80146002", "Appendectomy"),
    "pulmonary_rehabilitation": ("15081005", "Pulmonary rehabilitation"),
}
_COLON_AGES: Final = range(45, 76)
_BREAST_AGES: Final = range(40, 75)
# problem, study, how often it is done at a check-up: generator parameters
_IMAGED: Final = (
    ("copd", "chest", 0.4),
    ("osteoporosis", "bone_density", 0.6),
    ("fibrillation", "echocardiography", 0.5),
    ("coronary", "echocardiography", 0.4),
    ("kidney", "kidneys", 0.5),
)
_LATELY: Final = 120  # days
_OPEN: Final = 0.6


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
    _screen_by_image(chart, visit, chance, age)


def _screen_by_image(chart: Chart, visit: Visit, chance: Chance, age: int) -> None:
    """Add imaging; a part of what is ordered shortly before today has not been done yet."""
    wanted: list[tuple[str, Reference | None]] = []
    if chart.person.sex == "female" and age in _BREAST_AGES and chance.happens(0.3):
        wanted.append(("mammography", None))
    for key, study, share in _IMAGED:
        if key in chart.problems and study not in chart.known and chance.happens(share):
            wanted.append((study, chart.problems[key]))
    for study, reason in wanted:
        if (chart.person.today - visit.day).days < _LATELY and chance.happens(_OPEN):
            order_image(chart, visit, study, reason)
        else:
            image(chart, visit, study, reason)
            chart.known.add(study)
