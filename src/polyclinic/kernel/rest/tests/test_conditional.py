"""Conditional create, update, patch and delete, each alone; R4, http.html#ccreate."""

import asyncio
import json
from dataclasses import replace

import msgspec
import pytest

from polyclinic.kernel.access.policy import shipped
from polyclinic.testing import clinic as clinic_module

SYSTEM = "urn:example:number"
ONE = f"identifier={SYSTEM}|1"
JSON_PATCH = {"content-type": "application/json-patch+json"}


def patient(number="1", **more):
    return {
        "resourceType": "Patient",
        "identifier": [{"system": SYSTEM, "value": number}],
        **more,
    }


async def created(fhir, **more):
    return (await fhir.post("Patient", json=patient(**more))).json()["id"]


async def total(fhir, resource_type="Patient"):
    return (await fhir.get(f"{resource_type}?_summary=count")).json()["total"]


async def test_a_create_where_nothing_matches_makes_the_resource(fhir):
    answer = await fhir.post("Patient", json=patient(), headers={"if-none-exist": ONE})

    assert answer.status_code == 201
    assert answer.headers["location"].endswith(f"/Patient/{answer.json()['id']}/_history/1")
    assert await total(fhir) == 1


async def test_a_create_where_one_matches_answers_with_that(fhir):
    identity = await created(fhir, gender="female")

    answer = await fhir.post("Patient", json=patient(gender="male"), headers={"if-none-exist": ONE})

    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"1"')
    assert answer.headers["location"].endswith(f"/Patient/{identity}/_history/1")
    assert answer.json()["gender"] == "female"
    assert await total(fhir) == 1


async def test_a_condition_of_values_that_have_an_order_is_kept_as_well(fhir):
    identity = await created(fhir, birthDate="1980-02-03", name=[{"family": "Okafor"}])

    answer = await fhir.post(
        "Patient",
        json=patient("2"),
        headers={"if-none-exist": "family=Okafor&birthdate=1980-02-03"},
    )

    assert (answer.status_code, answer.json()["id"]) == (200, identity)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_condition_that_matches_several_is_412_and_nothing_is_done(fhir, method):
    await created(fhir)
    await created(fhir)

    answer = await conditionally(fhir, method)

    assert answer.status_code == 412
    assert answer.json()["issue"][0]["code"] == "multiple-matches"
    assert await total(fhir) == 2


async def conditionally(fhir, method, query=ONE, body=None, **headers):
    content = json.dumps(body or patient())
    if method == "PATCH":
        content = json.dumps(body or [{"op": "add", "path": "/gender", "value": "other"}])
        headers |= JSON_PATCH
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if method == "POST":
        return await fhir.post("Patient", content=content, headers={"if-none-exist": query})
    given = {} if method == "DELETE" else {"content": content}
    return await fhir.request(method, f"Patient?{query}", headers=headers, **given)


async def test_an_update_where_nothing_matches_creates_under_a_new_id(fhir):
    answer = await conditionally(fhir, "PUT")

    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"1"')
    assert await total(fhir) == 1


async def test_an_update_where_nothing_matches_creates_under_the_id_it_brings(fhir):
    answer = await conditionally(fhir, "PUT", body=patient(id="mine"))

    assert answer.status_code == 201
    assert (await fhir.get("Patient/mine")).status_code == 200


async def test_an_update_overwrites_nothing_that_its_condition_does_not_match(fhir):
    await fhir.put("Patient/mine", json=patient("2", id="mine", gender="female"))

    answer = await conditionally(fhir, "PUT", body=patient(id="mine", gender="male"))

    assert answer.status_code == 409
    assert (await fhir.get("Patient/mine")).json()["gender"] == "female"


async def test_an_update_where_one_matches_makes_its_next_version(fhir):
    identity = await created(fhir)

    answer = await conditionally(fhir, "PUT", body=patient(gender="male"))

    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert answer.json()["id"] == identity


async def test_an_update_with_the_same_content_makes_no_version(fhir):
    await created(fhir)

    answer = await conditionally(fhir, "PUT", body=patient())

    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"1"')


async def test_an_update_with_the_id_of_another_resource_is_400(fhir):
    await created(fhir)

    answer = await conditionally(fhir, "PUT", body=patient(id="other"))

    assert answer.status_code == 400
    assert (await fhir.get("Patient/other")).status_code == 404


async def test_an_update_against_another_version_is_412(fhir):
    await created(fhir)

    answer = await conditionally(fhir, "PUT", body=patient(gender="male"), if_match='W/"7"')

    assert answer.status_code == 412


async def test_a_patch_changes_what_matches(fhir):
    identity = await created(fhir)

    answer = await conditionally(fhir, "PATCH")

    assert (answer.status_code, answer.json()["gender"]) == (200, "other")
    assert answer.json()["id"] == identity


async def test_a_patch_where_nothing_matches_is_404(fhir):
    answer = await conditionally(fhir, "PATCH")

    assert answer.status_code == 404


async def test_a_delete_removes_what_matches_and_is_no_error_without(fhir):
    identity = await created(fhir)

    first = await conditionally(fhir, "DELETE")
    second = await conditionally(fhir, "DELETE")

    assert (first.status_code, second.status_code) == (204, 204)
    assert (await fhir.get(f"Patient/{identity}")).status_code == 410


async def test_a_delete_of_several_has_to_be_allowed(clinic, fhir, monkeypatch):
    for number in range(3):
        await created(fhir, active=bool(number))
    monkeypatch.setattr(clinic_module, "_LIMITS", replace(clinic_module._LIMITS, most_deleted=2))

    async with clinic.client(clinic.principal("clinician")) as client:
        refused = await conditionally(client, "DELETE")
        done = await conditionally(client, "DELETE", f"{ONE}&active=true")
        statement = (await client.get("metadata")).json()

    assert (refused.status_code, done.status_code) == (412, 204)
    assert await total(fhir) == 1
    types = {one["type"]: one["conditionalDelete"] for one in statement["rest"][0]["resource"]}
    assert (types["Patient"], types["AuditEvent"]) == ("multiple", "not-supported")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "identifier=",
        "_count=5",
        "unknown=1",
        "identifier=a&_sort=_lastUpdated",
        "name:x=1",
    ],
)
async def test_a_condition_that_chooses_nothing_is_400_and_nothing_is_done(fhir, method, query):
    await created(fhir)

    answer = await conditionally(fhir, method, query)

    assert answer.status_code == 400
    assert await total(fhir) == 1


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_of_sixteen_at_once_one_creates_and_all_name_the_same(fhir, other, method):
    answers = await asyncio.gather(
        *(conditionally((fhir, other)[number % 2], method) for number in range(16))
    )

    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await total(fhir) == 1


async def test_conditions_in_another_order_are_the_same_condition(fhir, other):
    conditions = [f"{ONE}&gender=male", f"gender=male&{ONE}"]
    body = patient(gender="male")

    async def create(number):
        client = (fhir, other)[number % 2]
        headers = {"if-none-exist": conditions[number // 2 % 2]}
        return await client.post("Patient", json=body, headers=headers)

    answers = await asyncio.gather(*(create(number) for number in range(16)))

    assert sum(answer.status_code == 201 for answer in answers) == 1
    assert await total(fhir) == 1


async def test_many_different_conditions_at_once_all_create(fhir, other):
    async def create(number):
        client = (fhir, other)[number % 2]
        headers = {"if-none-exist": f"identifier={SYSTEM}|{number}"}
        return await client.post("Patient", json=patient(str(number)), headers=headers)

    answers = await asyncio.gather(*(create(number) for number in range(60)))

    assert {answer.status_code for answer in answers} == {201}


async def test_a_retry_of_a_conditional_create_gets_its_answer_again(fhir):
    headers = {"if-none-exist": ONE, "idempotency-key": '"once"'}

    first = await fhir.post("Patient", json=patient(), headers=headers)
    again = await fhir.post("Patient", json=patient(), headers=headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content


async def test_what_is_hidden_is_as_if_absent_and_is_not_overwritten(clinic, fhir):
    await fhir.put("Patient/hers", json=patient(id="hers"))
    await fhir.put("Observation/hidden", json=observation("hers"))
    document = msgspec.json.encode(shipped("need-to-know").document)
    await clinic.store.policies.set(clinic.principal("administrator"), document)

    answers = []
    nurse = replace(clinic.principal("nurse"), practitioner="n")
    async with clinic.client(nurse) as client:
        for number in ("1", "none"):
            query = f"Observation?identifier={SYSTEM}|{number}"
            answers += [
                await client.put(query, json=observation(None)),
                await client.delete(query),
                await client.patch(query, content="[]", headers=JSON_PATCH),
            ]

    seen = [(one.status_code, one.headers.get("etag")) for one in answers]
    assert seen[:3] == seen[3:] == [(201, 'W/"1"'), (204, None), (404, None)]
    async with clinic.client(clinic.principal("job")) as job:
        assert (await job.get("Observation/hidden")).headers["etag"] == 'W/"1"'


def observation(subject):
    found = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "identifier": [{"system": SYSTEM, "value": "1" if subject else "made"}],
    }
    if subject:
        return found | {"id": "hidden", "subject": {"reference": f"Patient/{subject}"}}
    return found
