"""Where a search looks: one type, several, all, or a compartment; by every route that says so."""

from urllib.parse import urlsplit

import pytest

FORM = {"content-type": "application/x-www-form-urlencoded"}


def observation(identity, patient, **more):
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": {"text": "height"},
        "subject": {"reference": f"Patient/{patient}"},
    } | more


@pytest.fixture(autouse=True)
async def stored(clinic):
    """Store what two patients have, and what is nobody's."""
    for patient in ("a", "b"):
        await clinic.put({"resourceType": "Patient", "id": patient, "birthDate": "1980"})
        await clinic.put(observation(f"o-{patient}", patient, meta={"tag": [{"code": "seen"}]}))
        await clinic.put(
            observation(f"p-{patient}", patient, performer=[{"reference": "Patient/a"}])
        )
    await clinic.put({"resourceType": "Organization", "id": "clinic", "name": "Clinic"})
    await clinic.put(
        {
            "resourceType": "Encounter",
            "id": "e",
            "status": "planned",
            "class": {"code": "AMB"},
            "subject": {"reference": "Patient/a"},
        }
    )
    await clinic.put(observation("in-e", "a", encounter={"reference": "Encounter/e"}))


def found(answer):
    assert answer.status_code == 200, answer.text
    return {
        f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in answer.json().get("entry", [])
        if entry["search"]["mode"] == "match"
    }


def link(answer, relation):
    return next(one["url"] for one in answer.json()["link"] if one["relation"] == relation)


@pytest.mark.parametrize("address", ["?_type=Patient,Organization", "?_type=Organization,Patient"])
async def test_a_search_of_the_system_looks_at_the_types_it_names(fhir, address):
    assert found(await fhir.get(address)) == {"Patient/a", "Patient/b", "Organization/clinic"}


async def test_a_search_of_the_system_without_types_looks_at_all(fhir):
    assert len(found(await fhir.get("?_count=100"))) == 9
    assert found(await fhir.get("?_tag=seen")) == {"Observation/o-a", "Observation/o-b"}


async def test_a_search_of_the_system_by_post_has_its_parameters_in_both_places(fhir):
    answer = await fhir.post("_search?_type=Observation,Patient", content="_tag=seen", headers=FORM)

    assert found(answer) == {"Observation/o-a", "Observation/o-b"}
    assert link(answer, "self").endswith("/fhir?_type=Observation%2CPatient&_tag=seen")
    assert found(await fhir.get(link(answer, "self"))) == found(answer)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("?_type=Patient,Hospital", 400),
        ("?_type=Patient&_type=Observation", 400),
        ("Patient/a/Organization", 404),
        ("Patient/a/Hospital", 404),
        ("Patient/a/Observation/o-a", 404),
        ("Organization/clinic/Observation", 404),
        ("Patient/a/*?_type=Organization", 400),
    ],
)
async def test_what_is_no_place_is_refused(fhir, address, status):
    assert (await fhir.get(address)).status_code == status


async def test_a_compartment_has_what_refers_to_its_owner_by_any_of_its_parameters(fhir):
    answer = await fhir.get("Patient/a/Observation")

    assert found(answer) == {
        "Observation/o-a",
        "Observation/p-a",
        "Observation/p-b",
        "Observation/in-e",
    }
    assert urlsplit(link(answer, "self")).path == "/fhir/Patient/a/Observation"


async def test_a_compartment_is_searched_by_parameters_too(fhir):
    by_get = await fhir.get("Patient/a/Observation?_tag=seen")
    by_post = await fhir.post("Patient/a/Observation/_search", content="_tag=seen", headers=FORM)

    assert found(by_get) == {"Observation/o-a"}
    assert by_post.content == by_get.content


async def test_the_whole_of_a_compartment(fhir):
    assert found(await fhir.get("Patient/b/*")) == {
        *("Patient/b", "Observation/o-b", "Observation/p-b"),
    }
    assert found(await fhir.get("Patient/b/*?_type=Observation")) == {
        *("Observation/o-b", "Observation/p-b"),
    }


async def test_other_compartments_than_a_patients(fhir):
    assert found(await fhir.get("Encounter/e/Observation")) == {"Observation/in-e"}


async def test_the_compartment_of_nobody_is_empty(fhir):
    assert found(await fhir.get("Patient/nobody/*")) == set()


async def test_a_page_of_one_compartment_does_not_go_on_in_another(fhir):
    first = await fhir.get("Patient/a/Observation?_count=1")
    there = link(first, "next").replace("/Patient/a/", "/Patient/b/")

    assert (await fhir.get(link(first, "next"))).status_code == 200
    assert (await fhir.get(there)).status_code == 400


async def test_pages_of_several_types_neither_skip_nor_repeat(fhir):
    address: str | None = "?_type=Patient,Observation&_count=2"
    seen: list[str] = []
    while address:
        answer = await fhir.get(address)
        page = found(answer)
        seen += page
        links = {one["relation"]: one["url"] for one in answer.json()["link"]}
        assert links["first"].endswith("?_type=Patient%2CObservation&_count=2")
        address = links.get("next")

    assert len(seen) == len(set(seen)) == 7


async def test_head_has_the_headers_of_get(fhir):
    for address in ("?_type=Patient", "Patient/a/Observation", "Patient/a/*"):
        head, get = await fhir.head(address), await fhir.get(address)

        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]


async def test_a_form_that_is_not_utf_8_is_refused(fhir):
    answer = await fhir.post("Patient/_search", content=b"family=\xff", headers=FORM)

    assert answer.status_code == 400
