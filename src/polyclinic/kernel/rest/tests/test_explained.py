"""Why a search found what it found."""

import json

import pytest

FEMALE = "http://hl7.org/fhir/administrative-gender|female"
PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "name": [{"family": "Amani"}, {"family": "Zuri"}],
    "gender": "female",
}


@pytest.fixture(autouse=True)
async def stored(clinic):
    await clinic.put(PATIENT)
    await clinic.put({"resourceType": "Organization", "id": "o", "name": "Clinic of Amani"})


async def issues(client, address):
    """Return the issues of the last entry, of which there is one in any case."""
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    *matches, last = answer.json()["entry"]
    assert last["search"] == {"mode": "outcome"}
    assert last["resource"]["resourceType"] == "OperationOutcome"
    return matches, last["resource"]["issue"]


async def test_each_condition_is_told_with_its_element_and_value(clinic):
    async with clinic.client(clinic.principal("job")) as job:
        _, found = await issues(job, "Patient?family=ama&gender=female&_explain=true")

    assert [(one["diagnostics"], one["expression"]) for one in found if "expression" in one] == [
        ("Patient/p matches family=ama by family: Amani", ["Patient.name.family"]),
        (
            f"Patient/p matches gender=female by gender: {FEMALE}",
            ["Patient.gender"],
        ),
    ]
    assert {(one["severity"], one["code"]) for one in found} == {("information", "informational")}


async def test_sql_plan_and_rows_are_told(clinic):
    async with clinic.client(clinic.principal("administrator")) as administrator:
        matches, found = await issues(administrator, "Organization?name=clinic&_explain=true")

    sql, rows, plan = (one["diagnostics"] for one in found[-3:])
    assert [one["resource"]["id"] for one in matches] == ["o"]
    assert "join resource" in sql
    assert int(rows.removeprefix("Rows read: ")) > 0
    assert "Plan" in json.loads(plan.removeprefix("Plan: "))[0]


@pytest.mark.parametrize("role", ["clinician", "patient", "researcher"])
async def test_nobody_else_is_told(clinic, role):
    async with clinic.client(clinic.principal(role, patient="p")) as person:
        answer = await person.get("Organization?_explain=true")

    assert answer.status_code == 403


async def test_without_asking_nothing_is_told(clinic):
    async with clinic.client(clinic.principal("job")) as job:
        answer = await job.get("Patient?family=ama&_explain=false")

    assert [one["search"]["mode"] for one in answer.json()["entry"]] == ["match"]
