"""What people say of themselves: smoking, occupation, and the scores of questionnaires.

Smoking status: http://hl7.org/fhir/us/core/StructureDefinition/us-core-smokingstatus; occupation:
http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-occupation. A PHQ-9 score of 10
or more suggests a major depression (Kroenke 2001), a GAD-7 score of 10 or more an anxiety disorder
(Spitzer 2006).
"""

from typing import Final

from polyclinic.modules.population.chart import Chart, Resource
from polyclinic.modules.population.coding import LOINC, SNOMED, Concept, concept, hl7, quantity
from polyclinic.modules.population.dates import add_months
from polyclinic.modules.population.model import Visit
from polyclinic.modules.population.questionnaires import answer
from polyclinic.modules.population.tables import table

_SOCIAL: Final = [hl7("observation-category", "social-history", "Social History")]
_SURVEY: Final = [hl7("observation-category", "survey", "Survey")]
_SMOKING: Final = concept(LOINC, "72166-2", "Tobacco smoking status", "Smoking status")
_OCCUPATION: Final = concept(LOINC, "11341-5", "History of Occupation", "Occupation")
_STATUS: Final = {
    "current": concept(SNOMED, "449868002", "Smokes tobacco daily"),
    "former": concept(SNOMED, "8517006", "Ex-smoker"),
    "never": concept(SNOMED, "266919005", "Never smoked tobacco"),
}
_OCCUPATIONS: Final = (
    "Teacher",
    "Bus driver",
    "Carpenter",
    "Shop assistant",
    "Accountant",
    "Cook",
    "Software developer",
    "Warehouse worker",
    "Electrician",
    "Cleaner",
    "Office clerk",
    "Farmer",
)
_SCHOOL_LEAVING_MONTHS: Final = 19 * 12


def record_smoking(chart: Chart, visit: Visit) -> None:
    """Add the smoking status as told at a visit."""
    body = _frame(chart, visit, _SOCIAL, _SMOKING)
    body["valueCodeableConcept"] = _STATUS[chart.person.smoking]
    chart.add("Observation", body)
    visit.findings.append(_STATUS[chart.person.smoking]["text"])


def record_occupation(chart: Chart, visit: Visit, occupation: str | None = None) -> None:
    """Add the occupation of a grown person as told at a visit."""
    started = add_months(chart.person.birth, _SCHOOL_LEAVING_MONTHS)
    if visit.day <= started:
        return
    body = _frame(chart, visit, _SOCIAL, _OCCUPATION)
    del body["effectiveDateTime"]
    body["effectivePeriod"] = {"start": started.isoformat()}
    body["valueCodeableConcept"] = {
        "text": occupation or chart.chance("occupation").pick(_OCCUPATIONS)
    }
    chart.add("Observation", body)


def record_questionnaire(chart: Chart, visit: Visit, key: str, score: float) -> None:
    """Add the answers to a questionnaire (phq9, gad7) and its total score."""
    form = table("questionnaires")["forms"][key]
    answers, total = answer(chart, visit, key, score)
    body = _frame(chart, visit, _SURVEY, concept(LOINC, *form["total"], form["score"]))
    body["valueQuantity"] = quantity(total, "{score}")
    body["derivedFrom"] = [answers]
    chart.add("Observation", body)
    visit.findings.append(f"{form['score']} {total}")


def _frame(chart: Chart, visit: Visit, category: list[Concept], code: Concept) -> Resource:
    return {
        "status": "final",
        "category": category,
        "code": code,
        "subject": chart.subject,
        "encounter": visit.encounter,
        "effectiveDateTime": visit.start,
        "performer": [visit.performer],
    }
