"""Search parameters that a tenant defines, as clients meet them."""

import pytest

from polyclinic.testing.clinic import Clinic

LEFT = "urn:left-handed"
BASE = "http://clinic.test/fhir"


def definition(code, **changes):
    return {
        "resourceType": "SearchParameter",
        "url": f"urn:parameters:{code}",
        "name": code,
        "status": "active",
        "description": "Of this test",
        "code": code,
        "base": ["Patient"],
        "type": "token",
        "expression": f"Patient.extension.where(url = '{LEFT}').value.ofType(boolean)",
    } | changes


def patient(identity, *, left=True, **more):
    extension = [{"url": LEFT, "valueBoolean": left}]
    return {"resourceType": "Patient", "id": identity, "extension": extension} | more


async def define(client, identity, **changes):
    body = {"id": identity} | definition(identity) | changes
    return await client.put(f"SearchParameter/{identity}", json=body)


async def reindex(clinic, job):
    await (await clinic.store.reindexer(job)).run(lambda _: None)


async def search(client, address):
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(bundle, mode="match"):
    return sorted(
        one["resource"]["id"] for one in bundle.get("entry", []) if one["search"]["mode"] == mode
    )


def said(bundle):
    return [
        (issue["severity"], issue["code"], issue["diagnostics"])
        for one in bundle.get("entry", [])
        if one["search"]["mode"] == "outcome"
        for issue in one["resource"]["issue"]
    ]


@pytest.fixture
def job(principal):
    return principal


async def test_a_search_says_that_a_parameter_is_not_complete_until_it_is(clinic, client, job):
    await client.put("Patient/before", json=patient("before"))
    assert (await define(client, "left")).status_code == 201
    await client.put("Patient/after", json=patient("after"))

    early = await search(client, "Patient?left=true")
    await reindex(clinic, job)
    late = await search(client, "Patient?left=true")

    assert ids(early) == ["after"]
    ((severity, code, text),) = said(early)
    assert (severity, code) == ("warning", "incomplete")
    assert "left of Patient is not complete yet" in text
    assert ids(late) == ["after", "before"]
    assert said(late) == []


async def test_how_many_wait_is_told_to_administrators_alone(clinic, client, job, owner):
    await client.put("Patient/before", json=patient("before"))
    await owner.execute(
        "update resource set body = '\\x00' where tenant = $1 and id = 'before'", job.tenant
    )
    await define(client, "left")
    await reindex(clinic, job)

    async def told(role):
        async with clinic.client(clinic.principal(role)) as asking:
            (found,) = said(await search(asking, "Patient?left=true&_count=0"))
            return found[2]

    assert "index rows (1)" in said(await search(client, "Patient?left=true"))[0][2]
    assert not any(sign.isdigit() for sign in await told("clinician"))


async def test_resources_that_an_expression_fails_on_are_told_to_administrators_alone(
    clinic, client, job
):
    several = "Patient.name.family + Patient.name.given"
    await define(client, "both", type="string", expression=several)
    name = [{"family": "A", "given": ["B", "C"]}]
    answer = await client.put("Patient/two", json=patient("two", name=name))
    await reindex(clinic, job)

    async with clinic.client(clinic.principal("clinician")) as asking:
        theirs = said(await search(asking, "Patient?both=A"))
    ((_, _, mine),) = said(await search(client, "Patient?both=A"))

    assert answer.status_code == 201
    assert "could not be evaluated on 1 resources" in mine
    assert theirs == []


@pytest.mark.parametrize(
    ("changes", "expression", "words"),
    [
        ({"expression": "Patient.nonsense"}, "SearchParameter.expression", "no element nonsense"),
        ({"type": "special"}, "SearchParameter.type", "one of token"),
        ({"code": "gender"}, "SearchParameter.code", "in R4"),
    ],
)
async def test_what_cannot_be_used_is_422_and_says_what_and_where(
    client, changes, expression, words
):
    answer = await define(client, "wrong", **changes)

    assert answer.status_code == 422
    (issue,) = [one for one in answer.json()["issue"] if one["expression"] == [expression]]
    assert words in issue["diagnostics"]
    assert (await client.get("SearchParameter/wrong")).status_code == 404


async def test_the_capability_statement_names_it_for_its_tenant_alone(client, store, kek):
    await define(client, "left")
    await define(
        client,
        "friend",
        type="reference",
        expression="Patient.link.other.where(resolve() is Patient)",
        target=["Patient"],
    )
    other = Clinic(store, await store.open_tenant("capable-elsewhere", kek))

    async def patients(asking):
        (rest,) = (await search(asking, "metadata"))["rest"]
        (found,) = [one for one in rest["resource"] if one["type"] == "Patient"]
        return found

    mine = await patients(client)
    async with other.client(other.principal("job")) as elsewhere:
        theirs = await patients(elsewhere)

    assert {"name": "left", "definition": "urn:parameters:left", "type": "token"} in mine[
        "searchParam"
    ]
    assert "Patient:friend" in mine["searchInclude"]
    assert "Patient:friend" in mine["searchRevInclude"]
    assert not {"left", "friend"} & {one["name"] for one in theirs["searchParam"]}
    assert "Patient:friend" not in theirs["searchInclude"]


async def test_a_search_explained_names_the_parameter_and_its_element(client):
    await define(client, "left")
    await client.put("Patient/one", json=patient("one"))

    found = await search(client, "Patient?left=true&_explain=true")

    texts = [text for _, _, text in said(found)]
    assert [text for text in texts if "matches" in text] == [
        "Patient/one matches left=true by left: |true"
    ]


async def test_strangers_parameters_are_unknown(client, store, kek):
    await define(client, "left")
    other = Clinic(store, await store.open_tenant("unknown-elsewhere", kek))

    async with other.client(other.principal("job")) as elsewhere:
        lenient = await search(elsewhere, "Patient?left=true")
        strict = await elsewhere.get("Patient?left=true", headers={"prefer": "handling=strict"})

    assert any("left" in text and "not known" in text for _, _, text in said(lenient))
    assert strict.status_code == 400


async def test_it_is_chained_included_sorted_and_filtered(client):
    await define(
        client, "friend", type="reference", expression="Patient.link.other", target=["Patient"]
    )
    await define(
        client,
        "weight",
        type="number",
        expression="Patient.extension.where(url='urn:w').value.ofType(decimal)",
    )
    await client.put(
        "Patient/a",
        json=patient("a", extension=[{"url": "urn:w", "valueDecimal": 70}], gender="male"),
    )
    linked = [{"other": {"reference": "Patient/a"}, "type": "seealso"}]
    await client.put(
        "Patient/b",
        json=patient("b", link=linked, extension=[{"url": "urn:w", "valueDecimal": 50}]),
    )

    assert ids(await search(client, "Patient?friend=Patient/a")) == ["b"]
    assert ids(await search(client, "Patient?friend=a")) == ["b"]
    assert ids(await search(client, "Patient?friend:Patient.weight=70")) == ["b"]
    assert ids(await search(client, "Patient?_has:Patient:friend:weight=50")) == ["a"]
    assert ids(await search(client, "Patient?_id=b&_include=Patient:friend"), "include") == ["a"]
    assert ids(await search(client, "Patient?_id=b&_include=Patient:*"), "include") == ["a"]
    assert ids(await search(client, "Patient?_id=a&_revinclude=Patient:friend"), "include") == ["b"]
    assert ids(await search(client, "Patient?weight=gt60")) == ["a"]
    assert ids(await search(client, "Patient?_filter=weight lt 60 and friend pr true")) == ["b"]
    ordered = await search(client, "Patient?_sort=weight")
    assert [
        one["resource"]["id"] for one in ordered["entry"] if one["search"]["mode"] == "match"
    ] == ["b", "a"]
    both = await search(client, "Patient?_sort=-weight,friend")
    assert [one["resource"]["id"] for one in both["entry"] if one["search"]["mode"] == "match"] == [
        "a",
        "b",
    ]


async def test_a_composite_holds_values_of_one_element_together(client):
    component = [
        {
            "definition": "http://hl7.org/fhir/SearchParameter/individual-gender",
            "expression": "gender",
        },
        {
            "definition": "http://hl7.org/fhir/SearchParameter/Patient-organization",
            "expression": "organization",
        },
    ]
    answer = await define(
        client, "contact-of", type="composite", expression="Patient.contact", component=component
    )
    contacts = [
        {"gender": "male", "organization": {"reference": "Organization/1"}},
        {"gender": "female", "organization": {"reference": "Organization/2"}},
    ]
    await client.put("Patient/c", json=patient("c", contact=contacts))

    assert answer.status_code == 201
    assert ids(await search(client, "Patient?contact-of=male$Organization/1")) == ["c"]
    assert ids(await search(client, "Patient?contact-of=male$Organization/2")) == []
    assert ids(await search(client, "Patient?contact-of:missing=false")) == ["c"]


async def test_a_condition_by_what_is_not_complete_is_refused(clinic, client, job):
    await client.put("Patient/before", json=patient("before"))
    await define(client, "left")
    created = {"resourceType": "Patient"}
    headers = {"if-none-exist": "left=true"}

    early = await client.post("Patient", json=created, headers=headers)
    await reindex(clinic, job)
    late = await client.post("Patient", json=created, headers=headers)

    assert early.status_code == 409
    assert late.status_code == 200


async def test_a_moment_before_is_searched_by_it_too(clinic, client, job):
    stored = await client.put("Patient/then", json=patient("then"))
    moment = stored.json()["meta"]["lastUpdated"]
    await client.put("Patient/then", json=patient("then", left=False))
    await define(client, "left")
    await reindex(clinic, job)

    found = await search(client, f"Patient?left=true&_asOf={moment}")

    assert ids(found) == ["then"]
    assert ids(await search(client, "Patient?left=true")) == []


async def test_a_dry_run_says_what_is_refused_and_defines_nothing(client):
    headers = {"prefer": "dry-run"}
    wrong = {"id": "left"} | definition("left", type="special")
    right = {"id": "left"} | definition("left")

    refused = await client.put("SearchParameter/left", json=wrong, headers=headers)
    accepted = await client.put("SearchParameter/left", json=right, headers=headers)
    found = await search(client, "Patient?left=true")

    assert "one of token" in refused.text
    assert accepted.status_code == 200
    assert any("not known" in text for _, _, text in said(found))


async def test_another_process_is_told_within_a_second(client, other):
    await define(client, "left")
    await client.put("Patient/one", json=patient("one"))
    (await other.get("metadata")).raise_for_status()

    assert ids(await search(other, "Patient?left=true")) == ["one"]
