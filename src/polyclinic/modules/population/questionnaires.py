"""Questionnaires, and what people answered: PHQ-9 and GAD-7.

http://hl7.org/fhir/R4/questionnaire.html, http://hl7.org/fhir/R4/questionnaireresponse.html;
the items and their source are in `data/questionnaires.json`.
"""

from collections.abc import Iterator
from typing import Any, Final

from polyclinic.base.chance import Chance
from polyclinic.modules.population.chart import Chart, Reference, Resource
from polyclinic.modules.population.coding import LOINC, concept
from polyclinic.modules.population.model import Visit
from polyclinic.modules.population.tables import table

_URL: Final = "https://polyclinic.example/fhir/Questionnaire/"
_ORDINAL: Final = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
_MOST: Final = 3
# The last item of the PHQ-9 is about self-harm: it is answered above zero by the gravely ill only.
_LAST_ITEM_FROM: Final = 20


def questionnaires() -> Iterator[Resource]:
    """Yield the questionnaires that the clinic uses."""
    for key, form in table("questionnaires")["forms"].items():
        code, display = form["code"]
        yield {
            "resourceType": "Questionnaire",
            "id": f"questionnaire-{key}",
            "url": _URL + key,
            "name": key.upper(),
            "title": form["title"],
            "status": "active",
            "subjectType": ["Patient"],
            "copyright": table("questionnaires")["source"],
            "code": [{"system": LOINC, "code": code, "display": display}],
            "item": [_question(*item) for item in form["items"]],
        }


def answer(chart: Chart, visit: Visit, key: str, score: float) -> tuple[Reference, int]:
    """Add the answers that add up to a score; return them and the score in whole points."""
    items = table("questionnaires")["forms"][key]["items"]
    chance = chart.chance(f"answers {key} {visit.start}")
    points = spread(chance, max(0, min(_MOST * len(items), round(score))), len(items))
    reference = chart.add(
        "QuestionnaireResponse",
        {
            "questionnaire": _URL + key,
            "status": "completed",
            "subject": chart.subject,
            "encounter": visit.encounter,
            "authored": visit.start,
            "author": visit.performer,
            "source": chart.subject,
            "item": [
                {
                    "linkId": f"/{code}",
                    "text": text,
                    "answer": [{"valueCoding": _choice(value)}],
                }
                for (code, text), value in zip(items, points, strict=True)
            ],
        },
    )
    return reference, sum(points)


def spread(chance: Chance, score: int, count: int) -> list[int]:
    """Return points of 0 to 3 for so many items that add up to a score."""
    points = [0] * count
    open_items = count - 1 if score < _LAST_ITEM_FROM and count * _MOST > score + _MOST else count
    while score:
        free = [number for number in range(open_items) if points[number] < _MOST]
        points[chance.pick(free)] += 1
        score -= 1
    return points


def _question(code: str, text: str) -> Resource:
    return {
        "linkId": f"/{code}",
        "code": [{"system": LOINC, "code": code}],
        "text": text,
        "type": "choice",
        "required": True,
        "answerOption": [{"valueCoding": _choice(value)} for value in range(_MOST + 1)],
    }


def _choice(value: int) -> dict[str, Any]:
    code, display = table("questionnaires")["answers"][value]
    coding = concept(LOINC, code, display)["coding"][0]
    return {"extension": [{"url": _ORDINAL, "valueDecimal": value}], **coding}
