"""The care team of a person with a long-term condition.

http://hl7.org/fhir/R4/careteam.html
"""

from datetime import date
from typing import Any, Final

from polyclinic.modules.population.chart import Chart, Reference
from polyclinic.modules.population.coding import HL7, SNOMED, concept
from polyclinic.modules.population.organizations import ORGANIZATION_ID, practitioner
from polyclinic.modules.population.tables import table

_LEADING: Final = (
    "diabetes",
    "kidney",
    "copd",
    "heart_failure",
    "pregnancy",
    "depression",
    "coronary",
    "hypertension",
)
_DOCTOR: Final = concept(HL7 + "practitioner-role", "doctor", "Doctor")
_NURSE: Final = concept(HL7 + "practitioner-role", "nurse", "Nurse")
_PATIENT: Final = concept(SNOMED, "116154003", "Patient")


def write_care_team(chart: Chart, since: date) -> Reference | None:
    """Add a care team for the conditions that need one, and return the reference to it."""
    person = chart.person
    reasons = [chart.problems[key] for key in _LEADING if key in chart.problems]
    if not reasons:
        return None
    clinic = table("staff")
    members = [
        _member(_PATIENT, chart.subject),
        _member(_DOCTOR, practitioner(person.physician)),
        _member(_NURSE, practitioner(clinic["nurses"][person.index % len(clinic["nurses"])])),
    ]
    if "pregnancy" in chart.problems:
        members.append(_member(_DOCTOR, practitioner(clinic["gynaecologist"])))
    period = {"start": since.isoformat()}
    if person.death:
        period["end"] = person.death.isoformat()
    return chart.add(
        "CareTeam",
        {
            "status": "inactive" if person.death else "active",
            "name": f"Care team of {person.name.text}",
            "subject": chart.subject,
            "period": period,
            "participant": members,
            "reasonReference": reasons,
            "managingOrganization": [{"reference": f"Organization/{ORGANIZATION_ID}"}],
        },
    )


def _member(role: dict[str, Any], member: Reference) -> dict[str, Any]:
    return {"role": [role], "member": member}
