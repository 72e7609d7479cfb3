"""Searches for resources that stand within others."""

import pytest

from polyclinic.kernel.rest.interactions import contained


def medication(identity, code, **more):
    return {
        "resourceType": "Medication",
        "id": identity,
        "code": {"coding": [{"system": "urn:drugs", "code": code}]},
    } | more


def request(identity, *inner, patient="a"):
    return {
        "resourceType": "MedicationRequest",
        "id": identity,
        "contained": list(inner),
        "status": "active",
        "intent": "order",
        "medicationReference": {"reference": f"#{inner[0]['id']}"},
        "subject": {"reference": f"Patient/{patient}"},
    }


@pytest.fixture(autouse=True)
async def stored(clinic):
    amount = {"numerator": {"value": 1}}
    await clinic.put(medication("alone", "aspirin"))
    await clinic.put(request("one", medication("m", "aspirin", amount=amount)))
    await clinic.put(request("two", medication("m", "ibuprofen"), patient="b"))
    await clinic.put(request("both", medication("x", "ibuprofen"), medication("y", "aspirin")))
    await clinic.put(
        {
            "resourceType": "MedicationStatement",
            "id": "three",
            "contained": [medication("m", "aspirin")],
            "status": "active",
            "medicationReference": {"reference": "#m"},
            "subject": {"reference": "Patient/a"},
        }
    )


async def pages(fhir, address):
    """Return the full URLs of the pages that follow one another, below the base."""
    found = []
    while address:
        answer = await fhir.get(address)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found.append([one["fullUrl"].partition("/fhir/")[2] for one in body.get("entry", [])])
        address = {one["relation"]: one["url"] for one in body["link"]}.get("next")
    return found


INNER = ["MedicationStatement/three#m", "MedicationRequest/both#y", "MedicationRequest/one#m"]
ASKED = "Medication?code=urn:drugs|aspirin&_contained="


async def test_without_asking_for_it_nothing_contained_is_found(fhir):
    assert await pages(fhir, "Medication?code=aspirin") == [["Medication/alone"]]
    assert await pages(fhir, f"{ASKED}false") == [["Medication/alone"]]


async def test_contained_resources_are_found_by_what_they_are_themselves(fhir):
    assert await pages(fhir, f"{ASKED}true&_containedType=contained") == [INNER]


async def test_what_contains_them_is_found_unless_told_otherwise(fhir):
    containers = [url.partition("#")[0] for url in INNER]

    assert await pages(fhir, f"{ASKED}true") == [containers]
    assert await pages(fhir, f"{ASKED}true&_containedType=container") == [containers]


async def test_both_are_found_one_behind_the_other(fhir):
    found = await pages(fhir, f"{ASKED}both&_containedType=contained&_count=2")

    assert [url for page in found for url in page] == ["Medication/alone", *INNER]


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_pages_neither_skip_nor_repeat(fhir, count):
    found = await pages(fhir, f"{ASKED}true&_containedType=contained&_count={count}")

    assert [url for page in found for url in page] == INNER
    assert max(map(len, found)) <= count


@pytest.mark.parametrize(("kind", "total"), [("false", 1), ("true", 3), ("both", 4)])
async def test_the_total_counts_what_is_asked_for(fhir, kind, total):
    answer = (await fhir.get(f"{ASKED}{kind}&_total=accurate")).json()

    assert answer["total"] == total
    assert (await fhir.get(f"{ASKED}{kind}&_summary=count")).json()["total"] == total


async def test_an_entry_is_the_contained_resource(fhir):
    answer = await fhir.get("Medication?_id=x&_contained=true&_containedType=contained")

    (entry,) = answer.json()["entry"]
    assert entry["resource"] == medication("x", "ibuprofen")
    assert entry["search"] == {"mode": "match"}


async def test_a_patient_finds_nothing_within_what_is_not_theirs(clinic):
    async with clinic.client(clinic.principal("patient", patient="b")) as patient:
        found = await pages(patient, "Medication?_contained=true&_containedType=contained")

    assert found == [["MedicationRequest/two#m"]]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("Medication?_contained=true&manufacturer.name=a", 400),
        ("Medication?_contained=true&_include=Medication:manufacturer", 400),
        ("Medication?_contained=true&_sort=_id", 400),
        ("?_contained=true", 400),
        ("?_type=Medication,Substance&_contained=true", 200),
    ],
)
async def test_what_cannot_be_asked_of_contained_resources(fhir, asked, status):
    assert (await fhir.get(asked)).status_code == status


async def test_a_total_that_would_look_into_too_much_is_refused(fhir, monkeypatch):
    monkeypatch.setattr(contained, "_MOST_COUNTED", 2)

    answer = await fhir.get(f"{ASKED}true&_total=accurate")

    assert answer.status_code == 422
    assert answer.json()["issue"][0]["code"] == "too-costly"
