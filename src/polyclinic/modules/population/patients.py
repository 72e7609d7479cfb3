"""Patient and RelatedPerson.

http://hl7.org/fhir/R4/patient.html
"""

from collections.abc import Iterator
from typing import Any, Final

from polyclinic.kernel.module import DEMO_ACCOUNT_SYSTEM
from polyclinic.modules.population.chart import Chart, Resource
from polyclinic.modules.population.coding import HL7, MRN_SYSTEM, hl7
from polyclinic.modules.population.model import Person, Relative
from polyclinic.modules.population.names import human_names
from polyclinic.modules.population.organizations import ORGANIZATION_ID, practitioner

_INTERPRETER: Final = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"
# v3-ActReason HTEST says that the data is test data, so that nobody takes it for a person.
_TEST_DATA: Final = {"tag": [{"system": HL7 + "v3-ActReason", "code": "HTEST"}]}
_US_CORE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_RACE_SYSTEM: Final = "urn:oid:2.16.840.1.113883.6.238"
_HISPANIC: Final = ("2135-2", "Hispanic or Latino")
_NOT_HISPANIC: Final = ("2186-5", "Not Hispanic or Latino")
_OTHER_RACE: Final = "2131-1"
_BIRTH_SEX: Final = {"female": "F", "male": "M"}


def write_patient(chart: Chart) -> None:
    """Add the Patient, and a RelatedPerson for each parent of a child and for a partner."""
    person = chart.person
    chart.resources.append(_patient(person))
    for relative in person.relatives:
        chart.add("RelatedPerson", _related_person(chart, relative))


def _patient(person: Person) -> Resource:
    resource: Resource = {
        "resourceType": "Patient",
        "id": person.id,
        "meta": _TEST_DATA,
        "extension": [*_origin(person), _interpreter(person)],
        "identifier": list(_identifiers(person)),
        "active": person.death is None,
        "name": human_names(person.name),
        "telecom": [{"system": "phone", "value": person.phone, "use": "home"}],
        "gender": person.sex,
        "birthDate": person.birth.isoformat(),
    }
    if person.death:
        resource["deceasedDateTime"] = person.death.isoformat()
    else:
        resource["deceasedBoolean"] = False
    resource["address"] = [person.address]
    if person.marital:
        resource["maritalStatus"] = hl7("v3-MaritalStatus", *person.marital)
    resource["contact"] = [_contact(relative) for relative in person.relatives]
    if not resource["contact"]:
        del resource["contact"]
    resource["communication"] = [_communication(*person.language)]
    resource["generalPractitioner"] = [practitioner(person.physician)]
    resource["managingOrganization"] = {"reference": f"Organization/{ORGANIZATION_ID}"}
    return resource


def _origin(person: Person) -> Iterator[Resource]:
    """Yield race, ethnicity and sex at birth, as US Core asks for them."""
    race = person.race
    category = "detailed" if race.code == _OTHER_RACE else "ombCategory"
    yield _stated("race", category, race.code, race.display)
    yield _stated("ethnicity", "ombCategory", *(_HISPANIC if race.is_hispanic else _NOT_HISPANIC))
    yield {"url": _US_CORE + "birthsex", "valueCode": _BIRTH_SEX[person.sex]}


def _stated(name: str, category: str, code: str, display: str) -> Resource:
    coding = {"system": _RACE_SYSTEM, "code": code, "display": display}
    return {
        "url": _US_CORE + name,
        "extension": [
            {"url": category, "valueCoding": coding},
            {"url": "text", "valueString": display},
        ],
    }


def _interpreter(person: Person) -> Resource:
    return {"url": _INTERPRETER, "valueBoolean": person.language[0] != "en"}


def _identifiers(person: Person) -> Iterator[dict[str, Any]]:
    yield _record_number(person.mrn)
    if person.account:
        yield {"system": DEMO_ACCOUNT_SYSTEM, "value": person.account}


def _record_number(value: str) -> dict[str, Any]:
    return {
        "use": "usual",
        "type": hl7("v2-0203", "MR", "Medical record number"),
        "system": MRN_SYSTEM,
        "value": value,
    }


def _communication(code: str, display: str) -> dict[str, Any]:
    coding = {"system": "urn:ietf:bcp:47", "code": code, "display": display}
    return {"language": {"coding": [coding], "text": display}, "preferred": True}


def _contact(relative: Relative) -> dict[str, Any]:
    return {
        "relationship": [hl7("v2-0131", "N", "Next-of-Kin")],
        "name": human_names(relative.name)[0],
        "gender": relative.sex,
    }


def _related_person(chart: Chart, relative: Relative) -> Resource:
    """Return the relative; the record number says which Patient that is, if any."""
    known = {"identifier": [_record_number(relative.mrn)]} if relative.mrn else {}
    return {
        **known,
        "active": True,
        "patient": chart.subject,
        "relationship": [hl7("v3-RoleCode", relative.code, relative.display)],
        "name": human_names(relative.name),
        "telecom": [{"system": "phone", "value": chart.person.phone, "use": "home"}],
        "gender": relative.sex,
        "address": [chart.person.address],
    }
