"""Clinical notes: what was found at a visit, in words.

http://hl7.org/fhir/R4/documentreference.html
"""

from base64 import b64encode
from hashlib import sha1
from typing import Final

from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.coding import LOINC, concept
from polyclinic.modules.population.conditions import condition_row
from polyclinic.modules.population.dates import age_in_years
from polyclinic.modules.population.model import Visit
from polyclinic.modules.population.organizations import ORGANIZATION_ID
from polyclinic.modules.population.tables import table

_TYPES: Final = {
    "emergency": concept(LOINC, "34111-5", "Emergency department Note"),
}
_REASONS: Final = {
    "well_child": "well-child visit",
    "checkup": "check-up",
    "followup": "follow-up",
    "acute": "new complaint",
    "video": "follow-up by video, without measurements",
    "emergency": "emergency",
    "prenatal": "prenatal visit",
    "birth": "birth",
    "postnatal": "visit after birth",
}
_PROGRESS: Final = concept(LOINC, "11506-3", "Progress note")
_CATEGORY: Final = [
    concept(
        "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
        "clinical-note",
        "Clinical Note",
    )
]


def write_note(chart: Chart, visit: Visit, story: str = "") -> None:
    """Add the note of a visit: a DocumentReference with the text (UTF-8, base64) inside."""
    content = note_text(chart, visit, story).encode()
    title = _TYPES.get(visit.kind, _PROGRESS)
    chart.add(
        "DocumentReference",
        {
            "status": "current",
            "docStatus": "final",
            "type": title,
            "category": _CATEGORY,
            "subject": chart.subject,
            "date": visit.start,
            "author": [visit.performer],
            "custodian": {"reference": f"Organization/{ORGANIZATION_ID}"},
            "content": [
                {
                    "attachment": {
                        "contentType": "text/plain; charset=utf-8",
                        "language": "en",
                        "data": b64encode(content).decode(),
                        "size": len(content),
                        # Attachment.hash is SHA-1 by the standard; it guards against damage only.
                        "hash": b64encode(sha1(content, usedforsecurity=False).digest()).decode(),
                        "title": f"{title['text']} {visit.day.isoformat()}",
                        "creation": visit.start,
                    }
                }
            ],
            "context": {"encounter": [visit.encounter]},
        },
    )


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
