"""What people say of themselves: smoking status and the PHQ-9 score.

Smoking status: http://hl7.org/fhir/us/core/StructureDefinition/us-core-smokingstatus; PHQ-9:
Kroenke K, Spitzer RL, Williams JB, J Gen Intern Med 2001;16:606-613 (0 to 27; 10 or more suggests
a major depression).
"""

from typing import Final

from polyclinic.modules.population.chart import Chart, Resource
from polyclinic.modules.population.coding import LOINC, SNOMED, Concept, concept, hl7, quantity
from polyclinic.modules.population.model import Visit

_SOCIAL: Final = [hl7("observation-category", "social-history", "Social History")]
_SURVEY: Final = [hl7("observation-category", "survey", "Survey")]
_SMOKING: Final = concept(LOINC, "72166-2", "Tobacco smoking status", "Smoking status")
_PHQ9: Final = concept(
    LOINC,
    "44261-6",
    "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]",
    "PHQ-9 score",
)
_STATUS: Final = {
    "current": concept(SNOMED, "449868002", "Smokes tobacco daily"),
    "former": concept(SNOMED, "8517006", "Ex-smoker"),
    "never": concept(SNOMED, "266919005", "Never smoked tobacco"),
}
_MOST: Final = 27


def record_smoking(chart: Chart, visit: Visit) -> None:
    """Add the smoking status as told at a visit."""
    body = _frame(chart, visit, _SOCIAL, _SMOKING)
    body["valueCodeableConcept"] = _STATUS[chart.person.smoking]
    chart.add("Observation", body)
    visit.findings.append(_STATUS[chart.person.smoking]["text"])


def record_phq9(chart: Chart, visit: Visit, score: float) -> None:
    """Add a PHQ-9 total; the score is rounded and kept within 0 and 27."""
    total = max(0, min(_MOST, round(score)))
    body = _frame(chart, visit, _SURVEY, _PHQ9)
    body["valueQuantity"] = quantity(total, "{score}")
    chart.add("Observation", body)
    visit.findings.append(f"PHQ-9 score {total}")


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
