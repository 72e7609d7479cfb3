"""A FHIRPath Patch alone, by condition, and in a Bundle, beside a JSON Patch."""

import pytest

SYSTEM = "urn:example:number"
URN = "urn:uuid:3f6a1c1e-0c5f-4c27-9d0e-0d4b1f6f2a11"
PATIENT = {"resourceType": "Patient", "id": "p", "identifier": [{"system": SYSTEM, "value": "1"}]}
JSON_PATCH = {"content-type": "application/json-patch+json"}


def added(path, name, **value):
    """Return the patch of one ``add``."""
    part = [
        {"name": "type", "valueCode": "add"},
        {"name": "path", "valueString": path},
        {"name": "name", "valueString": name},
        {"name": "value", **value},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}


ACTIVE = added("Patient", "active", valueBoolean=True)
WRONG = added("Patient", "nothing", valueBoolean=True)


@pytest.fixture
async def client(clinic):
    await clinic.put(PATIENT)
    async with clinic.client(clinic.principal("job")) as client:
        yield client


@pytest.mark.parametrize("address", ["Patient/p", f"Patient?identifier={SYSTEM}|1"])
@pytest.mark.parametrize("media", ["application/fhir+json", "application/json; charset=utf-8"])
async def test_parameters_patch_a_resource_by_id_and_by_condition(client, address, media):
    answer = await client.patch(address, json=ACTIVE, headers={"content-type": media})

    assert answer.status_code == 200, answer.text
    assert answer.json()["active"] is True
    assert answer.json()["meta"]["versionId"] == "2"


@pytest.mark.parametrize("address", ["Patient/p", f"Patient?identifier={SYSTEM}|1"])
async def test_a_wrong_operation_is_named_and_changes_nothing(client, address):
    two = {**ACTIVE, "parameter": ACTIVE["parameter"] + WRONG["parameter"]}

    answer = await client.patch(address, json=two)

    assert answer.status_code == 400
    (issue,) = answer.json()["issue"]
    assert issue["diagnostics"].startswith("Operation 1 of the patch cannot be applied")
    assert issue["expression"] == ["Parameters.parameter[1]"]
    assert "active" not in (await client.get("Patient/p")).json()


async def test_what_a_patch_makes_has_to_be_a_valid_resource_with_its_id(client):
    wrong = added("Patient", "gender", valueCode="nothing")
    renamed = added("Patient", "id", valueId="other")
    renamed["parameter"][0]["part"] = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Patient.id"},
        {"name": "value", "valueId": "other"},
    ]

    assert (await client.patch("Patient/p", json=wrong)).status_code == 422
    assert (await client.patch("Patient/p", json=renamed)).status_code == 400


async def test_the_media_type_says_which_form_it_is(client):
    listed = await client.patch("Patient/p", json=[])
    named = await client.patch("Patient/p", json=ACTIVE, headers=JSON_PATCH)
    other = await client.patch("Patient/p", json=ACTIVE, headers={"content-type": "text/plain"})

    assert (listed.status_code, named.status_code, other.status_code) == (400, 400, 415)


@pytest.mark.parametrize("kind", ["transaction", "batch"])
@pytest.mark.parametrize("address", ["Patient/p", f"Patient?identifier={SYSTEM}|1"])
async def test_an_entry_may_be_a_patch_in_parameters(client, kind, address):
    entry = {"resource": ACTIVE, "request": {"method": "PATCH", "url": address}}

    answer = await client.post("", json={"resourceType": "Bundle", "type": kind, "entry": [entry]})

    assert answer.status_code == 200, answer.text
    assert answer.json()["entry"][0]["response"]["status"] == "200 OK"
    assert (await client.get("Patient/p")).json()["active"] is True


async def test_a_wrong_operation_in_a_transaction_is_told_with_its_place(client):
    entries = [
        {"resource": ACTIVE, "request": {"method": "PATCH", "url": "Patient/p"}},
        {"resource": WRONG, "request": {"method": "PATCH", "url": "Organization/o"}},
    ]
    await client.put(
        "Organization/o", json={"resourceType": "Organization", "id": "o", "name": "O"}
    )
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    answer = await client.post("", json=bundle)

    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.parameter[0]"]
    assert "active" not in (await client.get("Patient/p")).json()


async def test_references_in_a_patch_are_those_of_the_transaction(client):
    organization = {"resourceType": "Organization", "name": "O"}
    linked = added("Patient", "managingOrganization", valueReference={"reference": URN})
    linked["parameter"] += added("Patient", "link", part=[
        {"name": "other", "valueReference": {"reference": f"Patient?identifier={SYSTEM}|1"}},
        {"name": "type", "valueCode": "seealso"},
    ])["parameter"]  # fmt: skip
    entries = [
        {
            "fullUrl": URN,
            "resource": organization,
            "request": {"method": "POST", "url": "Organization"},
        },
        {"resource": linked, "request": {"method": "PATCH", "url": "Patient/p"}},
    ]

    answer = await client.post(
        "", json={"resourceType": "Bundle", "type": "transaction", "entry": entries}
    )

    assert answer.status_code == 200, answer.text
    made, patched = (one["resource"] for one in answer.json()["entry"])
    assert patched["managingOrganization"]["reference"] == f"Organization/{made['id']}"
    assert patched["link"][0]["other"]["reference"] == "Patient/p"


async def test_both_forms_are_in_the_capability_statement(client):
    statement = (await client.get("metadata")).json()

    assert statement["patchFormat"] == ["application/json-patch+json", "application/fhir+json"]
