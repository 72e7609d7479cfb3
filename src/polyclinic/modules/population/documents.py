"""Clinical notes: what was found at a visit, in words.

http://hl7.org/fhir/R4/documentreference.html
"""

from base64 import b64encode
from hashlib import sha1
from typing import Final

from polyclinic.modules.population.chart import Chart, Resource
from polyclinic.modules.population.coding import LOINC, Concept, concept
from polyclinic.modules.population.conditions import condition_row
from polyclinic.modules.population.dates import age_in_years
from polyclinic.modules.population.electrocardiogram import strip
from polyclinic.modules.population.model import Visit
from polyclinic.modules.population.organizations import ORGANIZATION_ID
from polyclinic.modules.population.pdf import letter
from polyclinic.modules.population.procedures import perform
from polyclinic.modules.population.tables import table

_HISTORY: Final = concept(LOINC, "34117-2", "History and physical note")
_TYPES: Final = {
    "emergency": concept(LOINC, "34111-5", "Emergency department Note"),
    "inpatient": _HISTORY,
}
_REASONS: Final = {
    "well_child": "well-child visit",
    "checkup": "check-up",
    "followup": "follow-up",
    "acute": "new complaint",
    "video": "follow-up by video, without measurements",
    "emergency": "emergency",
    "prenatal": "prenatal visit",
    "newborn": "first examination",
    "birth": "birth",
    "postnatal": "visit after birth",
    "day_surgery": "day surgery",
    "inpatient": "hospital stay",
}
_LETTERS: Final = {
    "discharge": concept(LOINC, "18842-5", "Discharge summary"),
    "consultation": concept(LOINC, "11488-4", "Consult note"),
    "history": _HISTORY,
}
_STRIP: Final = concept(LOINC, "11524-6", "EKG study")
_TEXT: Final = "text/plain; charset=utf-8"
_UNSIGNED_DAYS: Final = 4
_UNSIGNED: Final = 0.5
_PROGRESS: Final = concept(LOINC, "11506-3", "Progress note")
_CATEGORY: Final = [
    concept(
        "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
        "clinical-note",
        "Clinical Note",
    )
]


def write_note(chart: Chart, visit: Visit, story: str = "") -> None:
    """Add the note of a visit: a DocumentReference with the text (UTF-8, base64) inside.

    The last notes before today may still wait for their author: docStatus is preliminary.
    """
    content = note_text(chart, visit, story).encode()
    body = _frame(chart, visit, _TYPES.get(visit.kind, _PROGRESS))
    recent = (chart.person.today - visit.day).days <= _UNSIGNED_DAYS
    if recent and chart.chance(f"unsigned {visit.start}").happens(_UNSIGNED):
        body["docStatus"] = "preliminary"
    _attach(body, visit, _TEXT, content)
    chart.add("DocumentReference", body)


def write_letter(chart: Chart, visit: Visit, kind: str, text: str) -> None:
    """Add a letter as PDF: a discharge summary, or a letter of another clinic (`kind`)."""
    person = chart.person
    title = _LETTERS[kind]
    heading = f"{title['text']}\n{'=' * len(title['text'])}\n\n"
    who = f"{person.name.text}, born {person.birth.isoformat()}, MRN {person.mrn}\n"
    shown = f"{heading}{who}{visit.start[:10]}\n\n{text}\n\n{visit.performer['display']}\n"
    body = _frame(chart, visit, title)
    _attach(body, visit, "application/pdf", letter(title["text"], shown))
    chart.add("DocumentReference", body)


def write_electrocardiogram(
    chart: Chart, visit: Visit, rate: float, *, is_regular: bool = True
) -> None:
    """Add the procedure and the strip of an electrocardiogram as an image."""
    perform(chart, visit, "electrocardiogram")
    body = _frame(chart, visit, _STRIP)
    image = strip(rate, chart.chance(f"strip {visit.start}"), is_regular=is_regular)
    _attach(body, visit, "image/png", image)
    chart.add("DocumentReference", body)


def _frame(chart: Chart, visit: Visit, title: Concept) -> Resource:
    return {
        "status": "current",
        "docStatus": "final",
        "type": title,
        "category": _CATEGORY,
        "subject": chart.subject,
        "date": visit.start,
        "author": [visit.performer],
        "custodian": {"reference": f"Organization/{ORGANIZATION_ID}"},
        "content": [],
        "context": {"encounter": [visit.encounter]},
    }


def _attach(body: Resource, visit: Visit, content_type: str, content: bytes) -> None:
    attachment = {
        "contentType": content_type,
        "language": "en",
        "data": b64encode(content).decode(),
        "size": len(content),
        # Attachment.hash is SHA-1 by the standard; it guards against damage only.
        "hash": b64encode(sha1(content, usedforsecurity=False).digest()).decode(),
        "title": f"{body['type']['text']} {visit.start[:10]}",
        "creation": visit.start,
    }
    body["content"].append({"attachment": attachment})


def note_text(chart: Chart, visit: Visit, story: str = "") -> str:
    """Return the words of a visit's note, from the facts of the visit and the chart."""
    person = chart.person
    age = age_in_years(person.birth, visit.day)
    problems = [condition_row(key)["snomed"][1] for key in chart.problems]
    drugs = [table("medications")["rows"][key]["text"] for key in chart.medications]
    lines = [
        f"{person.name.text}, {person.sex}, {age} years. MRN {person.mrn}.",
        f"Visit of {visit.day.isoformat()} with {visit.performer['display']}.",
        f"Reason: {visit.complaint or _REASONS[visit.kind]}.",
        *([story] if story else []),
        f"Problems: {'; '.join(problems) or 'none on the list'}.",
        f"Findings: {'; '.join(visit.findings) or 'none recorded'}.",
        f"Results outside their range: {'; '.join(visit.results) or 'none'}.",
        f"Medication: {'; '.join(drugs) or 'none'}.",
        f"Plan: {' '.join(visit.plan) or 'No change; next visit as planned.'}",
    ]
    return "\n".join(lines) + "\n"
