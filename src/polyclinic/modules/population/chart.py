"""The chart under construction: the resources of one patient, in an order that refers backwards."""

from datetime import date
from typing import Any, Final

from polyclinic.base.chance import Chance
from polyclinic.modules.population.model import Person

Resource = dict[str, Any]
Reference = dict[str, str]

_SHORT: Final = {
    "AllergyIntolerance": "alg",
    "Appointment": "apt",
    "CarePlan": "plan",
    "CareTeam": "team",
    "Condition": "con",
    "Device": "dev",
    "DiagnosticReport": "rep",
    "DocumentReference": "doc",
    "Encounter": "enc",
    "FamilyMemberHistory": "fam",
    "Goal": "goal",
    "ImagingStudy": "img",
    "Immunization": "imm",
    "MedicationAdministration": "adm",
    "MedicationRequest": "med",
    "Observation": "obs",
    "Procedure": "prc",
    "QuestionnaireResponse": "ans",
    "RelatedPerson": "rel",
    "ServiceRequest": "req",
}


class Chart:
    """Collects the resources of a patient and what later ones need to know of earlier ones.

    `problems` maps the key of an active condition to its reference, `medications` the key of a
    current medication to the day it began, `allergies` holds the keys of known allergies, `known`
    what has been asked once and need not be asked again.
    """

    __slots__ = (
        "_counts",
        "allergies",
        "known",
        "medications",
        "person",
        "problems",
        "resources",
        "subject",
    )

    def __init__(self, person: Person) -> None:
        self.person = person
        self.subject: Reference = {"reference": f"Patient/{person.id}", "display": person.name.text}
        self.resources: list[Resource] = []
        self.problems: dict[str, Reference] = {}
        self.medications: dict[str, date] = {}
        self.allergies: list[str] = []
        self.known: set[str] = set()
        self._counts: dict[str, int] = {}

    def add(self, resource_type: str, body: Resource) -> Reference:
        """Add a resource and return the reference to it; its id is the patient's and a count."""
        number = self._counts.get(resource_type, 0) + 1
        self._counts[resource_type] = number
        identifier = f"{self.person.id}-{_SHORT[resource_type]}{number}"
        self.resources.append({"resourceType": resource_type, "id": identifier, **body})
        return {"reference": f"{resource_type}/{identifier}"}

    def chance(self, topic: str) -> Chance:
        """Return the patient's stream of chance for a topic."""
        return Chance(self.person.seed, self.person.index, topic)
