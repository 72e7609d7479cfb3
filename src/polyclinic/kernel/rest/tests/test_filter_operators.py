"""Every operator of ``_filter`` finds what R4's table says, https://hl7.org/fhir/R4/search_filter.html#ops."""

from typing import Any

import pytest
import pytest_asyncio

from polyclinic.testing.clinic import Clinic

UCUM = "http://unitsofmeasure.org"
PATIENTS: list[dict[str, Any]] = [
    {"id": "bob", "name": [{"given": ["Bob", "Jim"]}], "gender": "male", "birthDate": "1970-05-01"},
    {"id": "eve", "name": [{"given": ["Éve"]}], "gender": "female", "birthDate": "1980-05"},
    {"id": "zoe", "name": [{"given": ["Zoe"]}], "birthDate": "1980-06-30"},
    {"id": "nil"},
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def fhir(store, kek):
    """Yield a client of a clinic with a few patients, and what was observed of them."""
    clinic = Clinic(store, await store.open_tenant("filtered", kek))
    for one in PATIENTS:
        await clinic.put({"resourceType": "Patient", **one})
    for identity, value in (("low", 5), ("high", 7.5)):
        quantity = {"value": value, "system": UCUM, "code": "mg", "unit": "mg"}
        await clinic.put(
            {
                "resourceType": "Observation",
                "id": identity,
                "status": "final",
                "code": {"coding": [{"system": "urn:c", "code": identity}]},
                "subject": {"reference": "Patient/bob"},
                "valueQuantity": quantity,
            }
        )
    async with clinic.client(clinic.principal("clinician")) as client:
        yield client


@pytest.mark.parametrize(
    ("resource_type", "text", "found"),
    [
        ("Patient", "given eq bob", {"bob"}),
        ("Patient", "given ne bob", {"bob", "eve", "zoe"}),
        ("Patient", "given ne eve", {"bob", "zoe"}),
        ("Patient", "not (given eq bob)", {"eve", "zoe", "nil"}),
        ("Patient", "given co i", {"bob"}),
        ("Patient", "given sw ev", {"eve"}),
        ("Patient", "given ew e", {"eve", "zoe"}),
        ("Patient", "given gt jim", {"zoe"}),
        ("Patient", "given ge jim", {"bob", "zoe"}),
        ("Patient", "given lt eve", {"bob"}),
        ("Patient", "given le EVE", {"bob", "eve"}),
        ("Patient", "given pr true", {"bob", "eve", "zoe"}),
        ("Patient", "given pr false", {"nil"}),
        ("Patient", "gender eq male", {"bob"}),
        ("Patient", "gender ne male", {"eve"}),
        ("Patient", "gender in http://hl7.org/fhir/ValueSet/administrative-gender", {"bob", "eve"}),
        ("Patient", "gender ni http://hl7.org/fhir/ValueSet/administrative-gender", {"zoe", "nil"}),
        ("Patient", "birthdate eq 1980", {"eve", "zoe"}),
        ("Patient", "birthdate ne 1980-05", {"bob", "zoe"}),
        ("Patient", "birthdate gt 1980-05-15", {"eve", "zoe"}),
        ("Patient", "birthdate lt 1980-05-15", {"bob", "eve"}),
        ("Patient", "birthdate sa 1980-05-15", {"zoe"}),
        ("Patient", "birthdate eb 1980-05-15", {"bob"}),
        ("Patient", "birthdate po 1980-05-15", {"eve"}),
        ("Patient", "birthdate co 1980-05-15", {"eve"}),
        ("Patient", "birthdate ap 1980-06-30", {"zoe"}),
        ("Observation", "value-quantity eq 5|ucum|mg", {"low"}),
        ("Observation", "value-quantity ne 5|ucum|mg", {"high"}),
        ("Observation", "value-quantity gt 0.006|ucum|g", {"high"}),
        ("Observation", "value-quantity le 5|ucum|mg", {"low"}),
        ("Observation", "value-quantity ap 7|ucum|mg", {"high"}),
        ("Observation", "code-value-quantity eq low$5", {"low"}),
        ("Observation", "code-value-quantity ne low$5", {"high"}),
        ("Observation", "subject re Patient/bob", {"low", "high"}),
        ("Observation", "subject re http://clinic.test/fhir/Patient/bob", {"low", "high"}),
        ("Observation", "subject pr false", set()),
    ],
)
async def test_an_operator_finds_what_it_says(fhir, resource_type, text, found):
    answer = await fhir.get(resource_type, params={"_filter": text})

    assert answer.status_code == 200, answer.text
    assert {one["resource"]["id"] for one in answer.json().get("entry", [])} == found
