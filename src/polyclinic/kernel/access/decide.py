"""The one place that decides what a principal may do.

Roles are rows of a table; a decision is either a refusal or the limit within which the store must
stay. https://hl7.org/fhir/R4/security.html#binding
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Forbidden
from polyclinic.kernel.types import RESOURCE_TYPES


class Action(StrEnum):
    """What can be done to resources; the letters are AuditEvent's action codes."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    SEARCH = "E"


@dataclass(frozen=True, slots=True)
class Decision:
    """Leave to go on, within a limit."""

    own_patient: str | None = None
    """Only resources of this patient's compartment."""
    shared: bool = False
    """Of this type, those of no patient too: an organization, a code system."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a role may read and write, as sets of resource types."""

    reads: frozenset[str]
    writes: frozenset[str]
    own_patient_only: bool = False
    shared: frozenset[str] = frozenset()
    """Types of which such a role sees also what belongs to no patient.

    Of any other type that is an error or a person without a record here, and nobody's to see.
    """


_ALL: Final = frozenset(RESOURCE_TYPES)

_DIRECTORY: Final = frozenset(
    [
        "Organization",
        "OrganizationAffiliation",
        "Location",
        "HealthcareService",
        "Practitioner",
        "PractitionerRole",
        "Endpoint",
        "Schedule",
        "Slot",
    ]
)
_DEFINITIONS: Final = frozenset(
    [
        "ActivityDefinition",
        "CapabilityStatement",
        "CodeSystem",
        "CompartmentDefinition",
        "ConceptMap",
        "ImplementationGuide",
        "Library",
        "Measure",
        "MessageDefinition",
        "NamingSystem",
        "OperationDefinition",
        "PlanDefinition",
        "Questionnaire",
        "SearchParameter",
        "StructureDefinition",
        "StructureMap",
        "TerminologyCapabilities",
        "ValueSet",
    ]
)
_RECEPTION: Final = frozenset(
    [
        "Patient",
        "RelatedPerson",
        "Person",
        "Appointment",
        "AppointmentResponse",
        "Coverage",
        "CoverageEligibilityRequest",
        "CoverageEligibilityResponse",
        "Account",
        "Communication",
        "CommunicationRequest",
        "Task",
    ]
)
_PATIENT_RECORD: Final = frozenset(
    [
        "Patient",
        "RelatedPerson",
        "Appointment",
        "AppointmentResponse",
        "AllergyIntolerance",
        "CarePlan",
        "CareTeam",
        "Communication",
        "Condition",
        "Consent",
        "Coverage",
        "Device",
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "ExplanationOfBenefit",
        "Goal",
        "ImagingStudy",
        "Immunization",
        "ImmunizationRecommendation",
        "Medication",
        "MedicationAdministration",
        "MedicationDispense",
        "MedicationRequest",
        "MedicationStatement",
        "Observation",
        "Procedure",
        "Provenance",
        "QuestionnaireResponse",
        "ServiceRequest",
        "Specimen",
    ]
)
_CARE: Final = _ALL - {"AuditEvent"}

ROLES: Final[dict[str, Role]] = {
    "patient": Role(
        reads=_PATIENT_RECORD | _DIRECTORY | _DEFINITIONS,
        writes=frozenset(),
        own_patient_only=True,
        shared=_DIRECTORY | _DEFINITIONS | {"Medication"},
    ),
    "clinician": Role(reads=_CARE, writes=_CARE - _DEFINITIONS),
    "nurse": Role(reads=_CARE, writes=_CARE - _DEFINITIONS - {"MedicationRequest"}),
    "frontdesk": Role(reads=_RECEPTION | _DIRECTORY, writes=_RECEPTION | {"Schedule", "Slot"}),
    "administrator": Role(reads=_DIRECTORY | _DEFINITIONS, writes=_DIRECTORY | _DEFINITIONS),
    "job": Role(reads=_ALL, writes=_ALL - {"AuditEvent"}),
}
"""The roles that ship. An administrator sees no clinical data; nobody writes an AuditEvent."""


def decide(principal: Principal, action: Action, resource_type: str) -> Decision:
    """Return the limit within which a principal may act on a type.

    Raise ``Forbidden`` when none of its roles allows the action.
    """
    reading = action in (Action.READ, Action.SEARCH)
    roles = [
        role
        for name in principal.roles
        if (role := ROLES.get(name)) and resource_type in (role.reads if reading else role.writes)
    ]
    if not roles:
        message = f"Your role does not allow this on {resource_type}."
        raise Forbidden(message)
    if all(role.own_patient_only for role in roles):
        if principal.patient is None:
            message = "Your account is not linked to a patient record; the clinic can link it."
            raise Forbidden(message)
        shared = any(resource_type in role.shared for role in roles)
        return Decision(principal.patient, shared)
    return Decision()


def readable_types(principal: Principal) -> list[str]:
    """Return the types that a principal may read, sorted; the extent of a system-wide history."""
    return [name for name in RESOURCE_TYPES if _may(principal, Action.READ, name)]


def _may(principal: Principal, action: Action, resource_type: str) -> bool:
    try:
        decide(principal, action, resource_type)
    except Forbidden:
        return False
    return True
