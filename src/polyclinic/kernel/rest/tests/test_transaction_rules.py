"""The rules of a transaction: order, identities, references. R4, http.html#trules."""

import json
from base64 import b64encode

import pytest

SYSTEM = "urn:example:number"
URN = "urn:uuid:3f6a1c1e-0c5f-4c27-9d0e-0d4b1f6f2a11"
OTHER = "urn:uuid:0b9f2c7e-6f5a-4a39-8f16-5d0e6a1b7c22"


def patient(number="1", **more):
    return {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": number}], **more}


def condition(reference, **more):
    return {"resourceType": "Condition", "subject": {"reference": reference}, **more}


def entry(method, url, resource=None, full_url=None, **request):
    found = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        found["resource"] = resource
    return found | ({"fullUrl": full_url} if full_url else {})


def post(resource, full_url=None, **request):
    return entry("POST", resource["resourceType"], resource, full_url, **request)


def patch(url, *operations):
    data = b64encode(json.dumps(operations).encode()).decode()
    binary = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}
    return entry("PATCH", url, binary)


@pytest.fixture
def transact(fhir):
    async def send(*entries, kind="transaction", **headers):
        bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
        return await fhir.post("", json=bundle, headers=headers)

    return send


@pytest.fixture
def transacted(transact):
    async def send(*entries, **more):
        answer = await transact(*entries, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["entry"]

    return send


async def total(fhir, resource_type="Patient"):
    return (await fhir.get(f"{resource_type}?_summary=count")).json()["total"]


def place(row):
    return row["response"]["location"].partition("/_history/")[0]


async def test_each_entry_is_answered_in_its_place_with_its_version(fhir, transacted):
    await fhir.put("Patient/a", json=patient("a", id="a"))
    await fhir.put("Patient/b", json=patient("b", id="b"))
    await fhir.put("Patient/c", json=patient("c", id="c"))

    rows = await transacted(
        entry("GET", "Patient/b"),
        entry("PUT", "Patient/b", patient("b", id="b", active=True)),
        patch("Patient/c", {"op": "add", "path": "/gender", "value": "male"}),
        post(patient("d")),
        entry("DELETE", "Patient/a"),
        entry("GET", "Patient?_summary=count"),
    )

    statuses = [row["response"]["status"][:3] for row in rows]
    assert statuses == ["200", "200", "200", "201", "204", "200"]
    assert [row["response"].get("etag") for row in rows[:5]] == [
        'W/"2"',
        'W/"2"',
        'W/"2"',
        'W/"1"',
        'W/"2"',
    ]
    assert rows[0]["resource"] == rows[1]["resource"]
    assert rows[2]["resource"]["gender"] == "male"
    assert rows[2]["response"]["lastModified"] == rows[2]["resource"]["meta"]["lastUpdated"]
    assert rows[5]["resource"]["total"] == 3


async def test_a_reading_entry_that_finds_nothing_undoes_nothing(fhir, transacted):
    rows = await transacted(post(patient()), entry("GET", "Patient/nobody"))

    assert rows[1]["response"]["outcome"]["issue"][0]["code"] == "not-found"
    assert await total(fhir) == 1


@pytest.mark.parametrize("url", ["$changes", "Patient/a/b/c/d", "", "Patient/a/$nothing"])
async def test_a_reading_entry_that_is_no_read_refuses_all(fhir, transact, url):
    answer = await transact(post(patient()), entry("GET", url))

    assert answer.status_code == 400
    assert await total(fhir) == 0


@pytest.mark.parametrize(
    "entries",
    [
        [entry("PUT", "Patient/a", patient(id="a")), entry("DELETE", "Patient/a")],
        [entry("PUT", "Patient/a", patient(id="a")), entry("PUT", "Patient/a", patient(id="a"))],
        [entry("DELETE", f"Patient?identifier={SYSTEM}|1"), entry("DELETE", "Patient/a")],
        [
            entry("PUT", f"Patient?identifier={SYSTEM}|1", patient()),
            entry("PUT", "Patient/a", patient(id="a")),
        ],
        [
            post(patient("new")),
            entry("PUT", f"Patient?identifier={SYSTEM}|new", patient("new", gender="male")),
        ],
    ],
)
async def test_identities_that_overlap_refuse_all(fhir, transact, entries):
    await fhir.put("Patient/a", json=patient(id="a"))

    answer = await transact(*entries)

    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"][0].startswith("Bundle.entry[1].request")
    assert (await fhir.get("Patient/a")).headers["etag"] == 'W/"1"'


async def test_a_conditional_create_of_what_the_same_transaction_deletes_creates(fhir, transacted):
    await fhir.put("Patient/a", json=patient(id="a"))

    rows = await transacted(
        post(patient(), URN, ifNoneExist=f"identifier={SYSTEM}|1"),
        post(condition(URN)),
        entry("DELETE", "Patient/a"),
    )

    assert [row["response"]["status"][:3] for row in rows] == ["201", "201", "204"]
    assert rows[1]["resource"]["subject"]["reference"] == place(rows[0]) != "Patient/a"


async def test_references_follow_what_a_condition_has_matched(fhir, transacted):
    await fhir.put("Patient/a", json=patient(id="a"))

    rows = await transacted(
        post(condition(URN)),
        post(patient(), URN, ifNoneExist=f"identifier={SYSTEM}|1"),
        post(condition(OTHER)),
        entry("PUT", f"Patient?identifier={SYSTEM}|2", patient("2"), OTHER),
    )

    assert rows[0]["resource"]["subject"]["reference"] == "Patient/a"
    assert rows[1]["response"]["status"] == "200 OK"
    assert rows[2]["resource"]["subject"]["reference"] == place(rows[3])


async def test_two_entries_with_the_same_condition_make_one_resource(fhir, transacted):
    exists = f"identifier={SYSTEM}|1"

    rows = await transacted(
        post(patient(), URN, ifNoneExist=exists),
        post(patient(), OTHER, ifNoneExist=exists),
        post(condition(OTHER)),
    )

    assert [row["response"]["status"][:3] for row in rows] == ["201", "200", "201"]
    assert place(rows[0]) == place(rows[1]) == rows[2]["resource"]["subject"]["reference"]
    assert await total(fhir) == 1


async def test_a_conditional_reference_becomes_a_literal_one(fhir, transacted):
    await fhir.put("Patient/a", json=patient(id="a"))

    rows = await transacted(
        post(condition(f"Patient?identifier={SYSTEM}|1")),
        post(condition("Patient?identifier=urn%3Aexample%3Anumber%7C1")),
    )

    references = {row["resource"]["subject"]["reference"] for row in rows}
    assert references == {"Patient/a"}
    found = await fhir.get("Condition?patient=a")
    assert len(found.json()["entry"]) == 2


async def test_a_conditional_reference_finds_what_the_same_transaction_makes(fhir, transacted):
    rows = await transacted(
        post(condition(f"Patient?identifier={SYSTEM}|new")), post(patient("new"))
    )

    assert rows[0]["resource"]["subject"]["reference"] == place(rows[1])
    assert rows[1]["response"]["etag"] == 'W/"1"'
    assert await total(fhir) == 1


async def test_a_conditional_reference_finds_nothing_that_the_same_transaction_removes(
    fhir, transact
):
    await fhir.put("Patient/a", json=patient(id="a"))

    answer = await transact(
        post(condition(f"Patient?identifier={SYSTEM}|1")), entry("DELETE", "Patient/a")
    )

    assert answer.status_code == 400
    assert (await fhir.get("Patient/a")).status_code == 200


@pytest.mark.parametrize(("matches", "status"), [(0, 400), (2, 412)])
async def test_a_conditional_reference_to_none_or_several_refuses_all(
    fhir, transact, matches, status
):
    for _ in range(matches):
        await fhir.post("Patient", json=patient())
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "performer": [{"display": "x"}, {"reference": f"Patient?identifier={SYSTEM}|1"}],
    }

    answer = await transact(
        post({"resourceType": "Basic", "code": {"text": "x"}}), post(observation)
    )

    assert answer.status_code == status
    (issue,) = answer.json()["issue"]
    assert issue["expression"] == ["Bundle.entry[1].resource.performer[1]"]
    assert await total(fhir, "Basic") == 0


@pytest.mark.parametrize("reference", [OTHER, "urn:oid:1.2.3"])
async def test_a_urn_that_names_no_entry_refuses_all_and_says_where(fhir, transact, reference):
    answer = await transact(post(patient(), URN), post(condition(reference)))

    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.subject"]
    assert await total(fhir) == 0


async def test_relative_references_follow_the_server_of_their_full_url(transacted):
    base = "http://elsewhere.example/fhir"

    rows = await transacted(
        post(patient(), f"{base}/Patient/1"),
        post(condition("Patient/1"), f"{base}/Condition/1"),
        post(condition("Patient/1"), "http://another.example/fhir/Condition/2"),
        post(condition(f"{base}/Patient/1"), URN),
    )

    references = [row["resource"]["subject"]["reference"] for row in rows[1:]]
    assert references == [place(rows[0]), "Patient/1", place(rows[0])]


async def test_version_specific_references_name_the_version_that_is_made(fhir, transacted):
    await fhir.put("Patient/a", json=patient(id="a"))
    base = "http://elsewhere.example/fhir"

    rows = await transacted(
        post(patient("2"), f"{base}/Patient/1"),
        entry("PUT", "Patient/a", patient(id="a"), f"{base}/Patient/a"),
        post(condition(f"{base}/Patient/1/_history/7")),
        post(condition("Patient/a/_history/9"), f"{base}/Condition/2"),
    )

    assert rows[2]["resource"]["subject"]["reference"] == f"{place(rows[0])}/_history/1"
    assert rows[3]["resource"]["subject"]["reference"] == "Patient/a/_history/2"
    assert rows[1]["response"]["etag"] == 'W/"2"'


async def test_links_are_rewritten_by_the_type_of_their_element(transacted):
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": URN}],
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{URN}">{URN}</a></div>',
        },
        "subject": {"reference": URN},
        "content": [{"attachment": {"url": URN, "title": URN}}],
    }
    plan = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": URN},
        "instantiatesUri": [URN],
        "instantiatesCanonical": [URN],
    }

    rows = await transacted(post(patient(), URN), post(document), post(plan))

    where, stored, planned = place(rows[0]), rows[1]["resource"], rows[2]["resource"]
    assert stored["identifier"][0]["value"] == URN
    assert f'href="{where}">{URN}<' in stored["text"]["div"]
    assert stored["content"][0]["attachment"] == {"url": where, "title": URN}
    assert (planned["instantiatesUri"], planned["instantiatesCanonical"]) == ([where], [URN])


async def test_references_with_escaped_slashes_are_read_as_well(fhir):
    body = json.dumps(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                post(patient(), "http://elsewhere.example/fhir/Patient/1"),
                post(condition("http://elsewhere.example/fhir/Patient/1")),
            ],
        }
    ).replace("/", "\\/")

    answer = await fhir.post("", content=body)

    rows = answer.json()["entry"]
    assert rows[1]["resource"]["subject"]["reference"] == place(rows[0])


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"resource": patient()}, "request"),
        (entry("OPTIONS", "Patient"), "request"),
        (entry("POST", "Nothing", patient()), "request"),
        (entry("POST", "Patient/1", patient()), "request"),
        (entry("PUT", "Patient", patient()), "request"),
        (entry("PUT", "Patient/1"), "request"),
        (entry("PUT", "Patient?", patient()), "request"),
        (entry("PUT", "Patient/1", patient(id="1"), ifNoneExist="_id=1"), "request"),
        (entry("PATCH", "Patient/1", patient()), "request"),
        (post(patient(), ifNoneExist="unknown=1"), "request"),
        (post(patient(), ifMatch="x"), "request"),
        (post(patient(), URN), "fullUrl"),
        (post(condition("Patient?unknown=1")), "resource.subject"),
        (post(condition("AuditEvent?_id=1")), "resource.subject"),
    ],
)
async def test_an_entry_that_cannot_be_done_refuses_all_and_says_which(fhir, transact, wrong, part):
    answer = await transact(post(patient("first"), URN), wrong)

    assert answer.status_code == 400, answer.text
    assert answer.json()["issue"][0]["expression"] == [f"Bundle.entry[1].{part}"]
    assert await total(fhir) == 0


async def test_a_batch_takes_conditions_and_patches_too(fhir, transacted):
    rows = await transacted(
        post(patient(), ifNoneExist=f"identifier={SYSTEM}|1"),
        post(patient(), ifNoneExist=f"identifier={SYSTEM}|1"),
        entry("PUT", f"Patient?identifier={SYSTEM}|1", patient(gender="male")),
        patch(f"Patient?identifier={SYSTEM}|1", {"op": "add", "path": "/active", "value": True}),
        entry("DELETE", f"Patient?identifier={SYSTEM}|1"),
        kind="batch",
    )

    assert [row["response"]["status"][:3] for row in rows] == ["201", "200", "200", "200", "204"]
    assert [row["response"].get("etag") for row in rows[2:]] == ['W/"2"', 'W/"3"', 'W/"4"']
    assert await total(fhir) == 0


@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize("prefer", ["minimal", "representation", "OperationOutcome"])
async def test_entries_are_answered_with_what_is_preferred(transacted, kind, prefer):
    (row,) = await transacted(post(patient()), kind=kind, prefer=f"return={prefer}")

    assert ("resource" in row) == (prefer == "representation")
    assert ("outcome" in row["response"]) == (prefer == "OperationOutcome")
    assert row["response"]["location"].startswith("Patient/")
    assert row["response"]["lastModified"].endswith("Z")


async def test_a_transaction_under_a_key_is_answered_again_with_what_it_matched(fhir, transact):
    await fhir.put("Patient/a", json=patient(id="a"))
    entries = [post(patient(), ifNoneExist=f"identifier={SYSTEM}|1"), post(patient("2"))]
    key = {"idempotency-key": '"once"'}

    first, again = [await transact(*entries, **key) for _ in range(2)]
    reading = await transact(*entries, entry("GET", "Patient/a"), **{"idempotency-key": '"two"'})

    assert again.content == first.content
    assert reading.status_code == 400
    assert await total(fhir) == 2


async def test_thousands_of_references_that_lead_nowhere_are_told_of_in_short(transact):
    members = [{"entity": {"reference": f"urn:uuid:{number}"}} for number in range(20_000)]
    group = {"resourceType": "Group", "type": "person", "actual": True, "member": members}

    answer = await transact(post(group))

    assert answer.status_code == 400
    assert len(answer.json()["issue"]) == 10
