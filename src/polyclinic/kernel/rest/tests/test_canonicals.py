"""Chains, ``_has`` and includes along canonical references."""

import msgspec
import pytest

from polyclinic.kernel.access.policy import Withheld, shipped

PARAM = "QuestionnaireResponse:questionnaire"
URL = "http://example.org/Questionnaire/mood"


def questionnaire(identity, version=None, **more):
    found = {"resourceType": "Questionnaire", "id": identity, "status": "active", "url": URL}
    return found | ({"version": version} if version else {}) | more


def response(identity, canonical, **more):
    return {
        "resourceType": "QuestionnaireResponse",
        "id": identity,
        "status": "completed",
        "questionnaire": canonical,
    } | more


async def found(fhir, address, mode="match"):
    answer = await fhir.get(address)
    assert answer.status_code == 200, answer.text
    entries = answer.json().get("entry", [])
    return {one["resource"]["id"] for one in entries if one["search"]["mode"] == mode}


@pytest.fixture
async def mood(clinic):
    """Store a questionnaire in two versions, and answers to each, to the latest and to none."""
    await clinic.put(questionnaire("first", "1", title="Mood"))
    await clinic.put(questionnaire("second", "2", title="Feelings"))
    await clinic.put(response("to-first", f"{URL}|1"))
    await clinic.put(response("to-second", f"{URL}|2#q1"))
    await clinic.put(response("to-latest", URL))
    await clinic.put(response("to-none", f"{URL}|3"))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("QuestionnaireResponse?questionnaire.title=mood", {"to-first"}),
        ("QuestionnaireResponse?questionnaire.title=feelings", {"to-second", "to-latest"}),
        (
            "QuestionnaireResponse?questionnaire:Questionnaire.status=active",
            {"to-first", "to-second", "to-latest"},
        ),
        ("Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=to-first", {"first"}),
        ("Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=to-latest", {"second"}),
        ("Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=to-none", set()),
        ('QuestionnaireResponse?_filter=questionnaire.title eq "Mood"', {"to-first"}),
    ],
)
async def test_a_canonical_names_its_version_or_the_last_one(fhir, mood, address, expected):  # noqa: ARG001 - fixture
    assert await found(fhir, address) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("_id=to-first&_include=QuestionnaireResponse:questionnaire", {"first"}),
        ("_id=to-latest&_include=QuestionnaireResponse:questionnaire", {"second"}),
        ("_id=to-none&_include=QuestionnaireResponse:questionnaire", set()),
        ("_id=to-second&_include=QuestionnaireResponse:*", {"second"}),
        ("_id=to-first,to-latest&_include=*", {"first", "second"}),
        (
            f"_id=to-latest&_include={PARAM}&_revinclude:iterate={PARAM}",
            {"second", "to-second"},
        ),
    ],
)
async def test_what_a_canonical_names_comes_along(fhir, mood, address, expected):  # noqa: ARG001 - fixture
    assert await found(fhir, f"QuestionnaireResponse?{address}", "include") == expected


@pytest.mark.parametrize("value", ["QuestionnaireResponse:questionnaire", "*"])
async def test_what_refers_by_canonical_comes_along(fhir, mood, value):  # noqa: ARG001 - fixture
    first = await found(fhir, f"Questionnaire?_id=first&_revinclude={value}", "include")
    second = await found(fhir, f"Questionnaire?_id=second&_revinclude={value}", "include")

    assert (first, second) == ({"to-first"}, {"to-second", "to-latest"})


async def test_a_definition_does_not_refer_to_the_next_one_of_its_url(fhir, mood):  # noqa: ARG001 - fixture
    assert await found(fhir, "Questionnaire?_id=first&_include=*", "include") == set()


async def test_the_last_version_is_what_was_stored_last_and_is_there(clinic, fhir, mood):  # noqa: ARG001 - fixture
    async with clinic.client(clinic.principal("job")) as job:
        await clinic.put(questionnaire("first", "1", title="Mood, corrected"))
        corrected = await found(fhir, "QuestionnaireResponse?questionnaire.title=mood")
        await job.delete("Questionnaire/first")
        deleted = await found(fhir, "QuestionnaireResponse?questionnaire.title=feelings")

    assert corrected == {"to-first", "to-latest"}
    assert deleted == {"to-second", "to-latest"}


async def test_a_search_of_a_moment_follows_canonicals_of_that_moment(clinic, fhir, mood):  # noqa: ARG001 - fixture
    answer = await fhir.get("Questionnaire/second")
    moment = answer.json()["meta"]["lastUpdated"]
    later = (await fhir.get("QuestionnaireResponse/to-none")).json()["meta"]["lastUpdated"]
    await clinic.put(questionnaire("first", "1", title="Mood, corrected"))
    await clinic.put(questionnaire("second", "2", title="Changed"))

    asked = "QuestionnaireResponse?questionnaire.title={}&_asOf={}"
    has = "Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=to-latest&_asOf={}"
    assert await found(fhir, asked.format("feelings", later)) == {"to-second", "to-latest"}
    assert await found(fhir, asked.format("mood", later)) == {"to-first"}
    assert await found(fhir, asked.format("feelings", moment)) == set()
    assert await found(fhir, has.format(later)) == {"second"}
    assert await found(fhir, asked.format("changed", later)) == set()


async def test_why_a_resource_matches_names_the_canonical(clinic, mood):  # noqa: ARG001 - fixture
    async with clinic.client(clinic.principal("administrator", "clinician")) as client:
        answer = await client.get(
            "QuestionnaireResponse?questionnaire.title=mood&_explain=true&_id=to-first"
        )

    assert answer.status_code == 200, answer.text
    assert f"{URL}|1" in answer.text


async def test_a_page_goes_on_along_canonicals(clinic, fhir, mood):  # noqa: ARG001 - fixture
    first = await fhir.get("QuestionnaireResponse?questionnaire.title=feelings&_count=1")
    (link,) = [one["url"] for one in first.json()["link"] if one["relation"] == "next"]
    (entry,) = first.json()["entry"]
    other = ({"to-second", "to-latest"} - {entry["resource"]["id"]}).pop()
    await clinic.put(response(other, f"{URL}|2", language="en"))

    second = await fhir.get(link)

    assert [one["resource"]["id"] for one in second.json()["entry"]] == [other]


HIDDEN = {"system": "urn:labels", "code": "V"}


async def test_who_may_not_see_the_last_version_is_led_to_the_one_before(clinic):
    document = shipped("organization").document
    withheld = (*document.withheld, Withheld("urn:labels|V", ("administrator", "job")))
    policy = msgspec.json.encode(msgspec.structs.replace(document, withheld=withheld))
    await clinic.store.policies.set(clinic.principal("administrator"), policy)
    await clinic.put(questionnaire("shown", "1", title="Shown"))
    await clinic.put(questionnaire("kept", "2", title="Kept", meta={"security": [HIDDEN]}))
    await clinic.put(response("answer", URL))
    chain = "QuestionnaireResponse?questionnaire.title={}"
    along = "QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire"

    async with clinic.client(clinic.principal("clinician")) as fhir:
        clinician = [await found(fhir, chain.format(one)) for one in ("shown", "kept")]
        clinician.append(await found(fhir, along, "include"))
    async with clinic.client(clinic.principal("job")) as fhir:
        job = [await found(fhir, chain.format(one)) for one in ("shown", "kept")]
        job.append(await found(fhir, along, "include"))

    assert clinician == [{"answer"}, set(), {"shown"}]
    assert job == [set(), {"answer"}, {"kept"}]


async def test_a_parameter_of_ones_own_may_refer_in_both_ways(clinic):
    await clinic.put(
        {
            "resourceType": "SearchParameter",
            "id": "about",
            "url": "http://example.org/SearchParameter/about",
            "name": "about",
            "status": "active",
            "description": "What a task is about",
            "code": "about",
            "base": ["Task"],
            "type": "reference",
            "expression": "Task.instantiatesCanonical | Task.for",
            "target": ["Questionnaire", "Patient"],
        }
    )
    await clinic.put(questionnaire("first", title="Mood"))
    await clinic.put({"resourceType": "Patient", "id": "p", "active": True})
    await clinic.put(
        {
            "resourceType": "Task",
            "id": "t",
            "status": "requested",
            "intent": "order",
            "instantiatesCanonical": URL,
            "for": {"reference": "Patient/p"},
        }
    )

    async with clinic.client(clinic.principal("clinician")) as fhir:
        stored = (await fhir.get("Task/t")).json()["meta"]["lastUpdated"]
        at = f"&_asOf={stored}"
        for more in ("", at):
            assert await found(fhir, f"Task?about:Questionnaire.title=mood{more}") == {"t"}
            assert await found(fhir, f"Task?about:Patient.active=true{more}") == {"t"}
            assert await found(fhir, f"Questionnaire?_has:Task:about:_id=t{more}") == {"first"}
            assert await found(fhir, f"Patient?_has:Task:about:_id=t{more}") == {"p"}
        assert await found(fhir, "Task?_include=Task:about", "include") == {"first", "p"}
