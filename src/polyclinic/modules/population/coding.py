"""Codings and codeable concepts; each one is built once and shared, so do not change them."""

from functools import cache
from typing import Any, Final

LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
ICD10: Final = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC: Final = "http://www.whocc.no/atc"
CVX: Final = "http://hl7.org/fhir/sid/cvx"
UCUM: Final = "http://unitsofmeasure.org"
HL7: Final = "http://terminology.hl7.org/CodeSystem/"
MRN_SYSTEM: Final = "https://polyclinic.example/fhir/sid/mrn"
STAFF_SYSTEM: Final = "https://polyclinic.example/fhir/sid/staff"

Concept = dict[str, Any]


@cache
def concept(system: str, code: str, display: str, text: str | None = None) -> Concept:
    """Return a CodeableConcept with one coding."""
    coding = {"system": system, "code": code, "display": display}
    return {"coding": [coding], "text": text or display}


@cache
def hl7(name: str, code: str, display: str | None = None) -> Concept:
    """Return a CodeableConcept of one of the HL7 terminology code systems."""
    coding = {"system": HL7 + name, "code": code}
    return {"coding": [coding | {"display": display} if display else coding]}


def quantity(value: float, unit: str, code: str | None = None) -> dict[str, Any]:
    """Return a UCUM Quantity; `code` is the UCUM code where it differs from the unit shown."""
    return {"value": value, "unit": unit, "system": UCUM, "code": code or unit}
