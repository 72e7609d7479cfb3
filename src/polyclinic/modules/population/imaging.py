"""Imaging: the order, the study and the report over it.

http://hl7.org/fhir/R4/imagingstudy.html
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import Any, Final

from polyclinic.modules.population.chart import Chart, Reference, Resource
from polyclinic.modules.population.coding import LOINC, SNOMED, Concept, concept
from polyclinic.modules.population.dates import instant
from polyclinic.modules.population.model import Visit
from polyclinic.modules.population.orders import IMAGING_ORDER, place, place_open
from polyclinic.modules.population.organizations import practitioner
from polyclinic.modules.population.tables import table

_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_RADIOLOGY: Final = [concept(LOINC, "LP29684-5", "Radiology")]
_MINUTES_TO_REPORT: Final = 90
_LAST_MINUTE: Final = 23 * 60 + 30


def image(
    chart: Chart,
    visit: Visit,
    key: str,
    reason: Reference | None = None,
    finding: str | None = None,
) -> None:
    """Add an imaging order, its study and its report.

    `finding` names a row of the findings; without it one of those of the study is drawn.
    """
    row = table("imaging")["studies"][key]
    order = place(chart, visit, IMAGING_ORDER, order_code(key), reason)
    study = chart.add("ImagingStudy", _study(chart, visit, row, order))
    rows = table("imaging")["findings"][finding or key]
    chance = chart.chance(f"imaging {key} {visit.start}")
    seen, conclusion, _ = chance.weighted(rows, [weight for *_, weight in rows])
    chart.add("DiagnosticReport", _report(chart, visit, row, (order, study, seen, conclusion)))
    visit.plan.append(f"Done today: {row['text']}. {conclusion}")


def order_image(chart: Chart, visit: Visit, key: str, reason: Reference | None = None) -> None:
    """Add an imaging order that is still open."""
    place_open(chart, visit, IMAGING_ORDER, order_code(key), reason)


@cache
def order_code(key: str) -> Concept:
    """Return what is ordered for a study of the table."""
    row = table("imaging")["studies"][key]
    return concept(SNOMED, *row["order"], row["text"])


def _study(chart: Chart, visit: Visit, row: dict[str, Any], order: Reference) -> Resource:
    root = f"{chart.person.seed}:{order['reference']}"
    modality = {"system": _DICOM, "code": row["modality"][0], "display": row["modality"][1]}
    return {
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{unique_identifier(root)}"}],
        "status": "available",
        "modality": [modality],
        "subject": chart.subject,
        "encounter": visit.encounter,
        "started": visit.start,
        "basedOn": [order],
        "referrer": visit.performer,
        "numberOfSeries": len(row["series"]),
        "numberOfInstances": sum(count for _, count in row["series"]),
        "procedureCode": [concept(SNOMED, *row["order"], row["text"])],
        "description": row["text"],
        "series": [
            {
                "uid": unique_identifier(f"{root}:{number}"),
                "number": number,
                "modality": modality,
                "description": description,
                "numberOfInstances": count,
                "bodySite": _site(*row["site"]),
                "started": visit.start,
                "instance": [
                    {
                        "uid": unique_identifier(f"{root}:{number}:1"),
                        "sopClass": {
                            "system": "urn:ietf:rfc:3986",
                            "code": f"urn:oid:{row['sop']}",
                        },
                        "number": 1,
                    }
                ],
            }
            for number, (description, count) in enumerate(row["series"], 1)
        ],
    }


def _site(code: str, display: str) -> dict[str, str]:
    return {"system": SNOMED, "code": code, "display": display}


def _report(
    chart: Chart, visit: Visit, row: dict[str, Any], what: tuple[Reference, Reference, str, str]
) -> Resource:
    order, study, seen, conclusion = what
    radiologist = practitioner(table("staff")["radiologist"])
    person = chart.person
    text = (
        f"{row['text']} of {visit.start[:10]}\n{person.name.text}, MRN {person.mrn}\n\n"
        f"Findings: {seen}\n\nImpression: {conclusion}\n\n{radiologist['display']}\n"
    )
    return {
        "basedOn": [order],
        "status": "final",
        "category": _RADIOLOGY,
        "code": concept(LOINC, *row["report"], row["text"]),
        "subject": chart.subject,
        "encounter": visit.encounter,
        "effectiveDateTime": visit.start,
        "issued": instant(visit.day, min(visit.minute + _MINUTES_TO_REPORT, _LAST_MINUTE)),
        "performer": [radiologist],
        "resultsInterpreter": [radiologist],
        "imagingStudy": [study],
        "conclusion": conclusion,
        "presentedForm": [
            {
                "contentType": "text/plain; charset=utf-8",
                "language": "en",
                "data": b64encode(text.encode()).decode(),
                "title": f"{row['text']} {visit.start[:10]}",
            }
        ],
    }


def unique_identifier(name: str) -> str:
    """Return a DICOM unique identifier below 2.25 for a name (PS3.5, annex B.2)."""
    return f"2.25.{int.from_bytes(sha256(name.encode()).digest()[:16], 'big')}"
