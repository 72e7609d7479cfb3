"""The first day of a child who was born here: size, weeks and how it did."""

from typing import Final

from polyclinic.modules.population import vitals
from polyclinic.modules.population.chart import Chart, Resource
from polyclinic.modules.population.coding import LOINC, Concept, concept, hl7, quantity
from polyclinic.modules.population.encounters import open_visit
from polyclinic.modules.population.model import Visit
from polyclinic.modules.population.physiology import Body, size_values

_EXAM: Final = [hl7("observation-category", "exam", "Exam")]
_GESTATIONAL_AGE: Final = concept(LOINC, "76516-4", "Gestational age--at birth")
_APGAR: Final = concept(LOINC, "9274-2", "5 minute Apgar Score")
_MINUTE: Final = 4 * 60


def write_birth(chart: Chart, body: Body) -> None:
    """Add the first examination of a child whose record begins at birth."""
    person = chart.person
    if person.registered != person.birth or person.birth >= person.end:
        return
    visit = Visit(person.birth, _MINUTE, "newborn")
    open_visit(chart, visit)
    vitals.record(chart, visit, size_values(person, body, person.birth))
    record_weeks(chart, visit)
    score = chart.chance("apgar").weighted((8, 9, 10), (2, 6, 3))
    chart.add("Observation", _found(chart, visit, _APGAR, (score, "score", "{score}")))
    visit.findings.append(f"Apgar score {score} at five minutes")


def record_weeks(chart: Chart, visit: Visit) -> None:
    """Add the completed weeks of pregnancy at which a child was born."""
    weeks = chart.person.weeks
    chart.add("Observation", _found(chart, visit, _GESTATIONAL_AGE, (weeks, "weeks", "wk")))
    visit.findings.append(f"Born at {weeks} weeks")


def _found(chart: Chart, visit: Visit, code: Concept, value: tuple[float, str, str]) -> Resource:
    return {
        "status": "final",
        "category": _EXAM,
        "code": code,
        "subject": chart.subject,
        "encounter": visit.encounter,
        "effectiveDateTime": visit.start,
        "performer": [visit.performer],
        "valueQuantity": quantity(*value),
    }
