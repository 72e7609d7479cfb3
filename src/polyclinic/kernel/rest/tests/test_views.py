"""_summary and _elements on every interaction that answers with resources."""

import pytest

PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
    "name": [{"family": "Amani"}],
    "photo": [{"title": "x"}],
    "generalPractitioner": [{"reference": "Organization/o"}],
}


@pytest.fixture(autouse=True)
async def stored(clinic):
    await clinic.put(PATIENT)


async def resource(fhir, address):
    answer = await fhir.get(address)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["entry"][0]["resource"] if "entry" in body else body


PLACES = ["Patient/p?", "Patient/p/_history/1?", "Patient/p/_history?", "Patient?_id=p&"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("_elements=name", {"name"}),
        ("_elements=name,photo", {"name", "photo"}),
        ("_summary=true", {"name"}),
        ("_summary=text", {"text"}),
        ("_summary=data", {"name", "photo", "generalPractitioner"}),
        ("_summary=false", set(PATIENT) - {"resourceType", "id"}),
    ],
)
async def test_a_part_of_a_resource(fhir, place, asked, names):
    found = await resource(fhir, place + asked)

    assert set(found) - {"resourceType", "id", "meta"} == names
    assert ("tag" in found["meta"]) is (asked != "_summary=false")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("asked", ["_summary=much", "_summary="])
async def test_a_summary_that_is_none_is_refused(fhir, place, asked):
    assert (await fhir.get(place + asked)).status_code == 400


@pytest.mark.parametrize("place", PLACES[:3])
async def test_only_a_search_counts(fhir, place):
    assert (await fhir.get(f"{place}_summary=count")).status_code == 400


async def test_links_of_a_history_go_on_with_the_same_part(fhir, clinic):
    await clinic.put({**PATIENT, "active": True})
    answer = (await fhir.get("Patient/p/_history?_elements=name&_count=1")).json()

    (following,) = [one["url"] for one in answer["link"] if one["relation"] == "next"]
    assert "name" in await resource(fhir, following)
    assert "photo" not in await resource(fhir, following)
