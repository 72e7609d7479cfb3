"""Value sets and hierarchies of codes in searches."""

import pytest

SYSTEM = "urn:diagnoses"
TREE = {
    "resourceType": "CodeSystem",
    "id": "tree",
    "url": SYSTEM,
    "status": "active",
    "content": "complete",
    "concept": [
        {
            "code": "heart",
            "concept": [{"code": "infarct", "concept": [{"code": "stemi"}]}, {"code": "failure"}],
        },
        {"code": "lung", "property": [{"code": "child", "valueCode": "asthma"}]},
        {"code": "asthma"},
        {
            "code": "cor-pulmonale",
            "property": [
                {"code": "parent", "valueCode": "lung"},
                {"code": "parent", "valueCode": "failure"},
            ],
        },
    ],
}
CODES = ["heart", "infarct", "stemi", "failure", "lung", "asthma", "cor-pulmonale"]


def value_set(identity, *include, **more):
    return {
        "resourceType": "ValueSet",
        "id": identity,
        "url": f"urn:sets:{identity}",
        "status": "active",
        "compose": {"include": list(include)} | more,
    }


def of(*codes):
    return {"system": SYSTEM, "concept": [{"code": code} for code in codes]}


def under(op, code):
    return {"system": SYSTEM, "filter": [{"property": "concept", "op": op, "value": code}]}


SETS = [
    value_set("listed", of("stemi"), of("asthma")),
    value_set("whole", {"system": SYSTEM}, exclude=[of("lung")]),
    value_set("is-a", under("is-a", "heart")),
    value_set("below", under("descendent-of", "heart")),
    value_set("nested", {"valueSet": ["urn:sets:is-a", "urn:sets:listed"]}),
    value_set("circle", {"valueSet": ["urn:sets:circle"]}),
    value_set("odd", {"system": SYSTEM, "filter": [{"property": "x", "op": "=", "value": "y"}]}),
    value_set("elsewhere", {"system": "urn:nobody-knows"}),
    {
        "resourceType": "ValueSet",
        "id": "expanded",
        "status": "active",
        "expansion": {
            "timestamp": "2026-01-01",
            "contains": [
                {
                    "system": SYSTEM,
                    "code": "heart",
                    "abstract": True,
                    "contains": [{"system": SYSTEM, "code": "failure"}],
                }
            ],
        },
    },
]


@pytest.fixture(autouse=True)
async def stored(clinic):
    for resource in [TREE, *SETS]:
        await clinic.put(resource)
    for code in CODES:
        await clinic.put(
            {
                "resourceType": "Condition",
                "id": code,
                "subject": {"reference": "Patient/a"},
                "code": {"coding": [{"system": SYSTEM, "code": code}]},
            }
        )
    await clinic.put({"resourceType": "Condition", "id": "none", "subject": {"display": "x"}})
    await clinic.put({"resourceType": "Patient", "id": "a", "gender": "female"})


async def ids(fhir, address):
    answer = await fhir.get(address)
    assert answer.status_code == 200, answer.text
    return {entry["resource"]["id"] for entry in answer.json().get("entry", [])}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("code:in=urn:sets:listed", {"stemi", "asthma"}),
        ("code:in=ValueSet/listed", {"stemi", "asthma"}),
        ("code:in=urn:sets:whole", set(CODES) - {"lung"}),
        ("code:in=urn:sets:is-a", {"heart", "infarct", "stemi", "failure", "cor-pulmonale"}),
        ("code:in=urn:sets:below", {"infarct", "stemi", "failure", "cor-pulmonale"}),
        ("code:in=urn:sets:nested", {"stemi"}),
        ("code:in=ValueSet/expanded", {"failure"}),
        ("code:not-in=urn:sets:whole", {"lung", "none"}),
        (f"code:below={SYSTEM}|infarct", {"infarct", "stemi"}),
        (f"code:below={SYSTEM}|lung", {"lung", "asthma", "cor-pulmonale"}),
        (f"code:above={SYSTEM}|stemi", {"stemi", "infarct", "heart"}),
        (f"code:above={SYSTEM}|asthma,{SYSTEM}|heart", {"asthma", "lung", "heart"}),
        ("_filter=code in urn:sets:listed", {"stemi", "asthma"}),
    ],
)
async def test_codes_are_found_by_what_they_belong_to(fhir, asked, found):
    assert await ids(fhir, f"Condition?{asked}") == found


async def test_value_sets_that_r4_requires_are_known(fhir):
    known = "http://hl7.org/fhir/ValueSet/administrative-gender"

    assert await ids(fhir, f"Patient?gender:in={known}") == {"a"}
    assert await ids(fhir, f"Patient?gender:not-in={known}") == set()


async def test_chains_lead_to_value_sets_too(fhir):
    known = "http://hl7.org/fhir/ValueSet/administrative-gender"

    assert await ids(fhir, f"Condition?patient.gender:in={known}") == set(CODES)
    assert await ids(fhir, "Patient?_has:Condition:patient:code:in=urn:sets:listed") == {"a"}


@pytest.mark.parametrize(
    "asked",
    [
        "code:in=urn:sets:nobody-knows",
        "code:in=ValueSet/nothing",
        "code:in=urn:sets:circle",
        "code:in=urn:sets:odd",
        "code:in=urn:sets:elsewhere",
        "code:below=heart",
        f"code:below={SYSTEM}|nothing",
        "code:above=urn:nobody-knows|x",
    ],
)
async def test_what_is_not_known_is_refused(fhir, asked):
    answer = await fhir.get(f"Condition?{asked}")

    assert answer.status_code == 400
    assert answer.json()["issue"][0]["diagnostics"]
