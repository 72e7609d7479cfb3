"""Orders: what a physician asks the laboratory or the imaging department for.

http://hl7.org/fhir/R4/servicerequest.html
"""

from typing import Final

from polyclinic.modules.population.chart import Chart, Reference, Resource
from polyclinic.modules.population.coding import SNOMED, Concept, concept
from polyclinic.modules.population.model import Visit

LABORATORY_ORDER: Final = concept(SNOMED, "108252007", "Laboratory procedure")
IMAGING_ORDER: Final = concept(SNOMED, "363679005", "Imaging")


def place(
    chart: Chart, visit: Visit, category: Concept, code: Concept, reason: Reference | None = None
) -> Reference:
    """Add an order that was carried out, and return the reference to it."""
    return chart.add("ServiceRequest", _order(chart, visit, (category, code), reason))


def place_open(
    chart: Chart, visit: Visit, category: Concept, code: Concept, reason: Reference | None = None
) -> None:
    """Add an order that nobody has carried out yet."""
    body = _order(chart, visit, (category, code), reason)
    chart.add("ServiceRequest", body | {"status": "active"})
    visit.plan.append(f"Ordered: {code['text']}.")


def _order(
    chart: Chart, visit: Visit, what: tuple[Concept, Concept], reason: Reference | None
) -> Resource:
    category, code = what
    body: Resource = {
        "status": "completed",
        "intent": "order",
        "category": [category],
        "priority": "urgent" if visit.kind in {"emergency", "inpatient"} else "routine",
        "code": code,
        "subject": chart.subject,
        "encounter": visit.encounter,
        "occurrenceDateTime": visit.start,
        "authoredOn": visit.start,
        "requester": visit.performer,
    }
    if reason:
        body["reasonReference"] = [reason]
    return body
