"""``:in``, ``:not-in``, ``:above`` and ``:below`` with stored value sets and code systems."""

import pytest

VALUE_SET = {
    "resourceType": "ValueSet",
    "id": "animals",
    "url": "http://example.org/ValueSet/animals",
    "version": "1",
    "status": "active",
    "compose": {"include": [{"system": "http://example.org/animals"}]},
}
CODE_SYSTEM = {
    "resourceType": "CodeSystem",
    "id": "animals",
    "url": "http://example.org/animals",
    "status": "active",
    "content": "complete",
    "concept": [
        {"code": "mammal", "concept": [{"code": "cat"}, {"code": "dog"}]},
        {"code": "bird"},
    ],
}


def basic(identity: str, system: str, code: str):
    coding = {"system": system, "code": code}
    return {"resourceType": "Basic", "id": identity, "code": {"coding": [coding]}}


@pytest.fixture
async def fhir(clinic):
    """Yield the client of a clinician of a clinic with four codes."""
    await clinic.put(VALUE_SET)
    await clinic.put(CODE_SYSTEM)
    for code in ("mammal", "cat", "bird"):
        await clinic.put(basic(code, "http://example.org/animals", code))
    await clinic.put(basic("stone", "http://example.org/things", "stone"))
    async with clinic.client(clinic.principal("clinician")) as client:
        yield client


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("code:in", "http://example.org/ValueSet/animals", {"mammal", "cat", "bird"}),
        ("code:in", "http://example.org/ValueSet/animals|1", {"mammal", "cat", "bird"}),
        ("code:in", "ValueSet/animals", {"mammal", "cat", "bird"}),
        ("code:not-in", "ValueSet/animals", {"stone"}),
        ("code:below", "http://example.org/animals|mammal", {"mammal", "cat"}),
        ("code:above", "http://example.org/animals|cat", {"mammal", "cat"}),
        ("_filter", "code in ValueSet/animals and not (_id eq cat)", {"mammal", "bird"}),
        ("_filter", "code ss http://example.org/animals|mammal", {"mammal", "cat"}),
    ],
)
async def test_codes_are_found_by_what_they_belong_to(fhir, name: str, value: str, found):
    answer = await fhir.get("Basic", params={name: value})

    assert answer.status_code == 200, answer.text
    assert {entry["resource"]["id"] for entry in answer.json().get("entry", [])} == found


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("code:in", "http://example.org/ValueSet/nothing", "No ValueSet"),
        ("code:in", "http://example.org/ValueSet/animals|2", "No ValueSet"),
        ("code:in", "ValueSet/nothing", "No ValueSet"),
        ("code:below", "http://snomed.info/sct|73211009", "No CodeSystem"),
        ("code:below", "http://example.org/animals|fish", "has no code fish"),
        ("code:below", "cat", "needs the system"),
    ],
)
async def test_what_is_not_stored_is_refused(fhir, name: str, value: str, says: str):
    answer = await fhir.get("Basic", params={name: value})

    assert answer.status_code == 400
    assert says in answer.json()["issue"][0]["diagnostics"]


GENDERS = "http://hl7.org/fhir/ValueSet/administrative-gender"


@pytest.mark.parametrize("url", [GENDERS, f"{GENDERS}|4.0.1"])
async def test_value_sets_that_r4_requires_are_known_without_being_stored(clinic, url: str):
    await clinic.put({"resourceType": "Patient", "id": "told", "gender": "female"})
    await clinic.put({"resourceType": "Patient", "id": "untold"})

    async with clinic.client(clinic.principal("clinician")) as client:
        within = (await client.get("Patient", params={"gender:in": url})).json()
        without = (await client.get("Patient", params={"gender:not-in": url})).json()

    assert [one["resource"]["id"] for one in within["entry"]] == ["told"]
    assert [one["resource"]["id"] for one in without["entry"]] == ["untold"]


async def test_a_stored_value_set_stands_before_the_one_of_r4(clinic):
    await clinic.put({"resourceType": "Patient", "id": "f", "gender": "female"})
    await clinic.put({"resourceType": "Patient", "id": "m", "gender": "male"})
    concepts = [
        {"system": "http://hl7.org/fhir/administrative-gender", "concept": [{"code": "male"}]}
    ]
    stored = {"id": "own", "url": GENDERS, "status": "active", "compose": {"include": concepts}}
    await clinic.put({"resourceType": "ValueSet", **stored})

    async with clinic.client(clinic.principal("clinician")) as client:
        found = (await client.get("Patient", params={"gender:in": GENDERS})).json()

    assert [one["resource"]["id"] for one in found["entry"]] == ["m"]


async def test_another_version_of_a_value_set_of_r4_is_not_known(fhir):
    answer = await fhir.get("Patient", params={"gender:in": f"{GENDERS}|3.0.0"})

    assert answer.status_code == 400
    assert "No ValueSet" in answer.json()["issue"][0]["diagnostics"]
