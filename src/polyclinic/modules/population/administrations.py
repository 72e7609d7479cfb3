"""What is prescribed and given in hospital.

http://hl7.org/fhir/R4/medicationadministration.html
"""

from datetime import date
from typing import Final

from polyclinic.modules.population.chart import Chart, Reference, Resource
from polyclinic.modules.population.coding import HL7, SNOMED, concept
from polyclinic.modules.population.dates import instant
from polyclinic.modules.population.medications import (
    dosage_of,
    medication_of,
    suitable,
)
from polyclinic.modules.population.model import Visit
from polyclinic.modules.population.organizations import practitioner
from polyclinic.modules.population.tables import table

_INPATIENT: Final = [
    concept(HL7 + "medicationrequest-category", "inpatient", "Inpatient"),
]
_IN_HOSPITAL: Final = concept(HL7 + "medication-admin-category", "inpatient", "Inpatient")
_HOURS: Final = {1: (8,), 2: (8, 20), 3: (6, 14, 22), 4: (6, 12, 18, 23)}


def prescribe_on_ward(
    chart: Chart, visit: Visit, drugs: list[str], reason: Reference, *, status: str
) -> dict[str, Reference]:
    """Add the orders for the drugs of a stay; return them by drug."""
    orders = {}
    for key in dict.fromkeys(suitable(chart, visit, drug) for drug in drugs):
        body: Resource = {
            "status": status,
            "intent": "order",
            "category": _INPATIENT,
            "medicationCodeableConcept": medication_of(key),
            "subject": chart.subject,
            "encounter": visit.encounter,
            "authoredOn": visit.start,
            "requester": visit.performer,
            "reasonReference": [reason],
            "dosageInstruction": [dosage_of(key)],
        }
        orders[key] = chart.add("MedicationRequest", body)
    return orders


def administer(chart: Chart, visit: Visit, orders: dict[str, Reference], day: date) -> None:
    """Add what was given on a day of a stay, after admission and before now."""
    nurse = practitioner(table("staff")["ward_nurse"])
    for key, order in orders.items():
        row = table("medications")["rows"][key]
        for hour in _HOURS[row["per_day"]]:
            if day == visit.day and 60 * hour <= visit.minute:
                continue
            body: Resource = {
                "status": "completed",
                "category": _IN_HOSPITAL,
                "medicationCodeableConcept": medication_of(key),
                "subject": chart.subject,
                "context": visit.encounter,
                "effectiveDateTime": instant(day, 60 * hour),
                "performer": [{"actor": nurse}],
                "request": order,
            }
            if row["dose"]:
                amount, unit = row["dose"]
                route = concept(SNOMED, *table("medications")["routes"][row["route"]])
                body["dosage"] = {"route": route, "dose": {"value": amount, "unit": unit}}
            chart.add("MedicationAdministration", body)
