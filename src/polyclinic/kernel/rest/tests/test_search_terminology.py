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
