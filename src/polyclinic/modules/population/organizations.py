"""The clinic itself: Organization, Location, Practitioner and PractitionerRole.

http://hl7.org/fhir/R4/administration-module.html
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from polyclinic.kernel.module import DEMO_ACCOUNT_SYSTEM
from polyclinic.modules.population.chart import Reference, Resource
from polyclinic.modules.population.coding import (
    HL7,
    SNOMED,
    STAFF_SYSTEM,
    concept,
    hl7,
)
from polyclinic.modules.population.tables import table

ORGANIZATION_ID: Final = "org-polyclinic"
LABORATORY: Final[Reference] = {
    "reference": "Organization/org-laboratory",
    "display": "Clinical Laboratory",
}


def staff() -> Iterator[Resource]:
    """Yield the organizations, locations and people of the clinic, the same for every seed."""
    clinic = table("staff")
    yield _organization(clinic["organization"], None)
    for row in clinic["departments"]:
        yield _organization(row, ORGANIZATION_ID)
    for row in clinic["locations"]:
        yield _location(row)
    for row in clinic["practitioners"]:
        yield _practitioner(row)
        yield _role(row)
    for row in clinic["equipment"]:
        yield _equipment(row)


@cache
def practitioner(identifier: str) -> Reference:
    """Return the reference to a practitioner of the clinic, with the name as display."""
    row = next(row for row in table("staff")["practitioners"] if row["id"] == identifier)
    return {"reference": f"Practitioner/{identifier}", "display": _full_name(row)}


@cache
def practitioner_of_account(account: str) -> str:
    """Return the id of the practitioner who signs in with a demo account (doctor, nurse)."""
    rows = table("staff")["practitioners"]
    found: str = next(row["id"] for row in rows if row.get("account") == account)
    return found


def family_physicians() -> list[str]:
    """Return the ids of the physicians whom patients are registered with."""
    names: list[str] = table("staff")["family_physicians"]
    return names


def _full_name(row: dict[str, Any]) -> str:
    return " ".join(part for part in (row["prefix"], row["given"], row["family"]) if part)


def _organization(row: dict[str, Any], parent: str | None) -> Resource:
    kind = ("dept", "Hospital Department") if parent else ("prov", "Healthcare Provider")
    resource: Resource = {
        "resourceType": "Organization",
        "id": row["id"],
        "active": True,
        "type": [hl7("organization-type", *kind)],
        "name": row["name"],
    }
    if parent:
        resource["partOf"] = {"reference": f"Organization/{parent}"}
    else:
        resource["telecom"] = [{"system": "phone", "value": "+1 555 0100", "use": "work"}]
        resource["address"] = [_clinic_address()]
    return resource


def _clinic_address() -> dict[str, Any]:
    places = table("places")
    town, postcode = places["towns"][0]
    return {
        "use": "work",
        "line": ["1 Clinic Square"],
        "city": town,
        "state": places["state"],
        "postalCode": postcode,
        "country": places["country"],
    }


def _location(row: dict[str, Any]) -> Resource:
    resource: Resource = {
        "resourceType": "Location",
        "id": row["id"],
        "status": "active",
        "name": row["name"],
        "mode": "instance",
        "type": [hl7("v3-RoleCode", *row["type"])],
        "managingOrganization": {"reference": f"Organization/{row['organization']}"},
    }
    if "part_of" in row:
        resource["partOf"] = {"reference": f"Location/{row['part_of']}"}
        resource["physicalType"] = hl7("location-physical-type", *row["physical"])
    return resource


def _equipment(row: dict[str, Any]) -> Resource:
    return {
        "resourceType": "Device",
        "id": row["id"],
        "status": "active",
        "deviceName": [{"name": row["name"], "type": "user-friendly-name"}],
        "type": concept(SNOMED, *row["type"]),
        "owner": {"reference": f"Organization/{ORGANIZATION_ID}"},
        "location": {"reference": f"Location/{row['location']}"},
    }


def _practitioner(row: dict[str, Any]) -> Resource:
    name: dict[str, Any] = {"use": "official", "family": row["family"], "given": [row["given"]]}
    if row["prefix"]:
        name["prefix"] = [row["prefix"]]
    return {
        "resourceType": "Practitioner",
        "id": row["id"],
        "identifier": list(_identifiers(row)),
        "active": True,
        "name": [name | {"text": _full_name(row)}],
        "gender": row["gender"],
    }


def _identifiers(row: dict[str, Any]) -> Iterator[dict[str, str]]:
    yield {"system": STAFF_SYSTEM, "value": row["id"].removeprefix("prac-")}
    if "account" in row:
        yield {"system": DEMO_ACCOUNT_SYSTEM, "value": row["account"]}


def _role(row: dict[str, Any]) -> Resource:
    code, display = row["role"]
    return {
        "resourceType": "PractitionerRole",
        "id": row["id"].replace("prac-", "role-"),
        "active": True,
        "practitioner": practitioner(row["id"]),
        "organization": {"reference": f"Organization/{row['organization']}"},
        "code": [concept(HL7 + "practitioner-role", code, display)],
        "specialty": [concept(SNOMED, *row["specialty"])],
        "telecom": [{"system": "phone", "value": "+1 555 0100", "use": "work"}],
    }
