"""``$simulate``: who may see this and why; why not."""

from typing import Any

import msgspec
import pytest

from polyclinic.kernel.access.policy import shipped
from polyclinic.kernel.types import parse

OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "code": {"text": "HIV"},
    "subject": {"reference": "Patient/p"},
}


@pytest.fixture
async def boss(clinic):
    await clinic.put({"resourceType": "Patient", "id": "p"})
    await clinic.put(OBSERVATION)
    async with clinic.client(clinic.principal("administrator")) as client:
        yield client


async def ask(client, **given):
    answer = await client.get("$simulate", params=given)
    assert answer.status_code == 200, answer.text
    parse(answer.content, resource_id="x")
    found: dict[str, Any] = {"rule": []}
    for one in answer.json()["parameter"]:
        value = next((one[key] for key in one if key.startswith("value")), None)
        if "part" in one:
            parts = {p["name"]: next(p[k] for k in p if k.startswith("value")) for p in one["part"]}
            found.setdefault(one["name"], []).append(parts)
        else:
            found[one["name"]] = value
    return found


async def test_the_patient_may_by_the_rule_of_the_own_record(boss):
    found = await ask(boss, resource="Observation/o", role="patient", patient="p")

    assert found["allowed"] is True
    assert {"role": "patient", "number": 1, "whose": "own", "holds": True} in found["rule"]
    assert (found["policy"], found["version"]) == ("organization", 0)


async def test_another_patient_may_not_and_is_told_why(boss):
    found = await ask(boss, resource="Observation/o", role="patient", patient="q")

    assert found["allowed"] is False
    assert [one["why"] for one in found["rule"]] == ["it belongs to another patient"]


async def test_an_administrator_is_told_that_no_rule_speaks_of_it(boss):
    found = await ask(boss, resource="Observation/o", role="administrator")

    assert found["allowed"] is False
    assert found["rule"][0]["why"] == "none of its rules allows this"


async def test_an_app_is_told_that_its_scopes_do_not_reach_it(boss):
    given = {"resource": "Observation", "role": "clinician", "scope": "user/Condition.rs"}
    found = await ask(boss, **given)

    assert found["allowed"] is False
    assert found["rule"][0]["why"] == "the app's scopes do not reach it"


async def test_without_a_role_every_role_answers(boss):
    found = await ask(boss, resource="Observation/o")

    roles = {one["role"] for one in found["rule"]}
    assert {"patient", "clinician", "nurse", "laboratory", "epidemiologist"} <= roles
    assert "frontdesk" not in roles


async def test_what_does_not_exist_is_not_found(boss):
    answer = await boss.get("$simulate", params={"resource": "Observation/none", "role": "nurse"})

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"resource": "Thing"},
        {"resource": "Observation/a b"},
        {"resource": "Observation", "action": "dance"},
        {"resource": "Observation", "colour": "red"},
        {"resource": "Observation", "patient": ["a", "b"]},
    ],
)
async def test_what_cannot_be_understood_is_refused(boss, given):
    answer = await boss.get("$simulate", params=given)

    assert answer.status_code == 400


@pytest.mark.parametrize("role", ["clinician", "patient", "app"])
async def test_only_an_administrator_may_ask(clinic, role):
    async with clinic.client(clinic.principal(role, patient="p")) as client:
        answer = await client.get("$simulate", params={"resource": "Observation"})

    assert answer.status_code == 403


async def test_the_policy_that_was_set_is_the_one_that_is_tried(clinic, boss):
    need = msgspec.json.encode(shipped("need-to-know").document)
    version = await clinic.store.policies.set(clinic.principal("administrator"), need)

    found = await ask(boss, resource="Observation/o", role="nurse", practitioner="d")

    assert (found["allowed"], found["policy"], found["version"]) == (False, "need-to-know", version)
    assert "there is no care relation with its patient now" in [r.get("why") for r in found["rule"]]
