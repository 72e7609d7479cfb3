"""AuditEvents over HTTP: rendered by IHE's patterns, found by patient, agent and time."""

import json
from base64 import b64decode
from urllib.parse import parse_qs, urlsplit

import pytest

from polyclinic.kernel.access.policy import SHIPPED, shipped
from polyclinic.kernel.store.audit import Interaction
from polyclinic.kernel.store.audit_rendering import _SUBTYPES
from polyclinic.kernel.types import parse

REQUEST = "5f0c2f4e-2d2e-4b58-9f6d-0b1a54c1b3aa"
VALUE_SET = {"resourceType": "ValueSet", "id": "v", "status": "draft"}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "code": {"text": "x"},
    "subject": {"reference": "Patient/p"},
}


@pytest.fixture
async def admin(clinic):
    """Yield a client of somebody who reads the audit record and no patient's."""
    async with clinic.client(clinic.principal("administrator")) as client:
        yield client


@pytest.fixture
async def clinician(clinic):
    """Return who works here."""
    return clinic.principal("clinician")


@pytest.fixture
async def work(clinic, clinician):
    """Yield the client of a clinician who has two patients, one with an Observation."""
    for identity in ("p", "q"):
        await clinic.put({"resourceType": "Patient", "id": identity, "active": True})
    await clinic.put(OBSERVATION)
    async with clinic.client(clinician) as client:
        yield client


@pytest.fixture
def by(admin, clinician):
    """Return a function that reads the events of the clinician, newest first."""

    async def found(**given):
        answer = await admin.get("AuditEvent", params={"agent": str(clinician.account)} | given)
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in answer.json().get("entry", [])]

    return found


def subtype(event):
    return event["subtype"][0]["code"]


def entities(event):
    """Return what an event names, by the codes of its entities' types and roles."""
    return {
        (entity["type"]["code"], entity.get("role", {}).get("code")): entity
        for entity in event.get("entity", [])
    }


async def test_a_read_follows_the_pattern_of_patient_reads(work, by, clinician):
    await work.get("Observation/o")

    (event,) = await by()
    named = entities(event)
    assert (event["type"]["code"], subtype(event), event["action"]) == ("rest", "read", "R")
    assert event["outcome"] == "0"
    user, server = event["agent"]
    assert user["requestor"] is True
    assert user["who"]["identifier"]["value"] == str(clinician.account)
    assert user["type"]["coding"][0]["code"] == "IRCP"
    assert (server["requestor"], server["type"]["coding"][0]["code"]) == (False, "110153")
    assert named["2", "4"]["what"]["reference"] == "Observation/o/_history/1"
    assert named["1", "1"]["what"]["reference"] == "Patient/p"
    assert event["source"]["observer"]["display"].startswith("Polyclinic")


async def test_a_search_is_one_event_for_each_patient_with_the_query(work, by):
    await work.get("Patient?active=true&_count=5")

    events = await by()
    asked = {b64decode(entities(event)["2", "24"]["query"]) for event in events}
    assert {entities(event)["1", "1"]["what"]["reference"] for event in events} == {
        "Patient/p",
        "Patient/q",
    }
    assert asked == {b"Patient?active=true&_count=5"}
    assert len({event["id"] for event in events}) == 2


async def test_a_search_that_finds_nobody_is_an_event_too(work, by):
    await work.get("Patient?family=Nobody")

    (event,) = await by()
    assert list(entities(event)) == [("2", "24")]


async def test_the_request_id_is_an_entity_of_what_is_not_hot(work, by):
    await work.get("Patient?family=Nobody", headers={"x-request-id": REQUEST})
    await work.get("Patient?family=Nobody", headers={"x-request-id": "no UUID"})
    await work.get("Patient?family=Nobody")

    ids = [entities(event).get(("XrequestId", None)) for event in await by()]
    assert ids[:2] == [None, None]
    assert ids[2]["what"]["identifier"]["value"] == REQUEST


KINDS = [
    ("GET", "Patient/p", None, "read", "0"),
    ("GET", "Patient/nobody", None, "read", "4"),
    ("GET", "Patient/p/_history/1", None, "vread", "0"),
    ("GET", "Patient/p/_history/7", None, "vread", "4"),
    ("GET", "Patient/p/_history", None, "history-instance", "0"),
    ("GET", "Patient/_history", None, "history-type", "0"),
    ("GET", "Patient", None, "search-type", "0"),
    ("POST", "Patient", {"resourceType": "Patient"}, "create", "0"),
    ("PUT", "Patient/p", {"resourceType": "Patient", "id": "p", "gender": "male"}, "update", "0"),
    ("PUT", "Patient/new", {"resourceType": "Patient", "id": "new"}, "create", "0"),
    ("DELETE", "Observation/o", None, "delete", "0"),
    ("DELETE", "Observation/nothing", None, "delete", "4"),
    (
        "PUT",
        "ValueSet/v",
        {"resourceType": "ValueSet", "id": "v", "status": "draft"},
        "update",
        "8",
    ),
    ("GET", "AuditEvent", None, "search-type", "8"),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[3]}-{kind[4]}")
async def test_every_kind_of_row_is_valid_r4(work, by, admin, kind):
    method, path, body, interaction, outcome = kind
    await work.request(method, path, json=body)

    event, *_ = await by()
    answer = await admin.get(f"AuditEvent/{event['id']}")
    parsed = parse(answer.content, resource_type="AuditEvent")
    assert (subtype(event), event["outcome"]) == (interaction, outcome)
    # In the order of the definition, as every stored resource is.
    assert answer.content.endswith(parsed.body[parsed.body.index(b',"type"') :])


async def test_a_failed_transaction_is_valid_r4(work, by):
    entry = {"request": {"method": "DELETE", "url": "Observation/nothing"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}

    await work.post("", json=bundle)

    event, *_ = await by()
    assert (subtype(event), event["outcome"]) == ("transaction", "4")
    assert parse(json.dumps(event).encode()).id == event["id"]


async def test_the_end_of_a_process_is_an_application_stop(clinic, admin):
    await clinic.put({"resourceType": "Patient", "id": "p"})
    auditor = clinic.store._auditor
    await auditor.farewell(clinic.tenant)

    answer = await admin.get("AuditEvent?_count=1")

    event = answer.json()["entry"][0]["resource"]
    assert (event["type"]["code"], subtype(event)) == ("110100", "110121")
    assert parse(json.dumps(event).encode()).id == event["id"]


async def test_ids_are_stable_and_of_one_version(work, by, admin):
    await work.get("Patient/p")
    (event,) = await by()

    first = await admin.get(f"AuditEvent/{event['id']}")
    again = await admin.get(f"AuditEvent/{event['id']}/_history/1")
    history = await admin.get(f"AuditEvent/{event['id']}/_history")

    assert first.json() == again.json() == event
    assert [entry["resource"] for entry in history.json()["entry"]] == [event]
    assert first.headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    "identity", ["nothing", "0-0-0-0", "ffffffffffffffff-1-1-1", "5-1-1", "a-b"]
)
async def test_an_id_that_was_never_given_is_404(admin, identity):
    assert (await admin.get(f"AuditEvent/{identity}")).status_code == 404


async def test_a_read_of_the_audit_record_is_in_it(clinic, work):
    reader = clinic.principal("administrator")
    async with clinic.client(reader) as admin:
        await work.get("Patient/p")
        (event, *_) = (await admin.get("AuditEvent?patient=p")).json()["entry"]
        await admin.get(f"AuditEvent/{event['resource']['id']}")

        answer = await admin.get(f"AuditEvent?agent={reader.account}")

    read, search = [entry["resource"] for entry in answer.json()["entry"]][:2]
    assert entities(read)["2", "4"]["what"]["reference"] == f"AuditEvent/{event['resource']['id']}"
    assert b64decode(entities(search)["2", "24"]["query"]) == b"AuditEvent?patient=p"
    assert entities(search)["1", "1"]["what"]["reference"] == "Patient/p"


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"patient": "p"}, 2),
        ({"patient": "Patient/p"}, 2),
        ({"patient": "p,q"}, 3),
        ({"patient": "nobody"}, 0),
        ({"entity": "Observation/o"}, 1),
        ({"entity": "Patient/q"}, 1),
        ({"entity": "Patient/p"}, 2),
        ({"action": "R"}, 4),
        ({"action": "R,E"}, 4),
        ({"action": "http://hl7.org/fhir/audit-event-action|R"}, 4),
        ({"action": "http://elsewhere.example|R"}, 0),
        ({"action": "X"}, 0),
        ({"outcome": "4"}, 1),
        ({"outcome": "0"}, 3),
        ({"outcome": "12"}, 0),
        ({"outcome": "no number"}, 0),
        ({"date": "gt2020-01-01"}, 4),
        ({"date": "lt2020-01-01"}, 0),
        ({"date": ["ge2020", "le2120"]}, 4),
        ({"date": "ne2020"}, 4),
        ({"date": "sa2020"}, 4),
        ({"date": "eb2020"}, 0),
        ({"_lastUpdated": "gt2020-01-01"}, 4),
        ({"agent": "Practitioner/unknown"}, 0),
        ({"_id": "nothing"}, 0),
        ({"patient": "p", "action": "R", "outcome": "0"}, 2),
    ],
)
async def test_events_are_found(work, by, given, count):
    for path in ("Patient/p", "Patient/q", "Observation/o", "Patient/nobody"):
        await work.get(path)

    assert len(await by(**given)) == count


async def test_an_event_is_found_by_its_id_and_its_exact_date(work, by):
    await work.get("Patient/p")
    (event,) = await by()

    assert await by(_id=event["id"]) == [event]
    assert await by(date=event["recorded"]) == [event]


@pytest.mark.parametrize(
    "query",
    [
        "patient:missing=true",
        "action=http://hl7.org/fhir/audit-event-action|",
        "_sort=patient",
        "date=yesterday",
    ],
)
async def test_what_events_cannot_be_searched_by_is_refused(admin, query):
    answer = await admin.get(f"AuditEvent?{query}")

    assert answer.status_code == 400


async def test_what_events_are_not_searched_by_is_named_and_left_out(admin):
    answer = await admin.get("AuditEvent?agent-name=Ada")
    strict = await admin.get("AuditEvent?agent-name=Ada", headers={"prefer": "handling=strict"})

    assert "agent-name" in answer.json()["entry"][-1]["resource"]["issue"][0]["diagnostics"]
    assert strict.status_code == 400


async def test_the_capabilities_say_what_can_be_done(admin):
    statement = (await admin.get("metadata")).json()["rest"][0]["resource"]

    (found,) = [one for one in statement if one["type"] == "AuditEvent"]
    assert {one["code"] for one in found["interaction"]} == {
        "read",
        "vread",
        "history-instance",
        "history-type",
        "search-type",
    }
    assert {one["name"] for one in found["searchParam"]} >= {"patient", "agent", "date", "entity"}
    assert "address" not in {one["name"] for one in found["searchParam"]}


@pytest.mark.parametrize("sort", ["-date", "date", "_lastUpdated"])
async def test_pages_hold_every_event_once_and_in_order(work, by, admin, clinician, sort):
    for _ in range(3):
        await work.get("Patient?active=true")
        await work.get("Patient/p")

    pages, total = [], 0
    link: str | None = f"AuditEvent?agent={clinician.account}&_sort={sort}&_count=2&_total=accurate"
    while link:
        answer = (await admin.get(link)).json()
        pages.append([entry["resource"] for entry in answer["entry"]])
        total = answer["total"]
        link = {one["relation"]: one["url"] for one in answer["link"]}.get("next")

    found = [event for page in pages for event in page]
    moments = [event["recorded"] for event in found]
    assert [len(page) for page in pages] == [2, 2, 2, 2, 1]
    assert total == len({event["id"] for event in found}) == 9
    assert moments == sorted(moments, reverse=sort.startswith("-"))
    assert {event["id"] for event in await by()} == {event["id"] for event in found}


async def test_a_page_link_is_of_no_use_to_another(clinic, work, admin):
    for _ in range(3):
        await work.get("Patient/p")
    answer = (await admin.get("AuditEvent?_count=1")).json()
    (link,) = [one["url"] for one in answer["link"] if one["relation"] == "next"]

    async with clinic.client(clinic.principal("administrator")) as other:
        stolen = await other.get(link)
    moved = await admin.get(link.replace("_count=1", "_count=2"))

    assert "_after" in parse_qs(urlsplit(link).query)
    assert (stolen.status_code, moved.status_code) == (400, 400)


async def test_i8_events_of_another_organization_do_not_exist(clinic, work, by, store, kek):
    await work.get("Patient/p")
    (event,) = await by()
    other = type(clinic)(store, await store.open_tenant("other-audit", kek))

    async with other.client(other.principal("administrator")) as client:
        read = await client.get(f"AuditEvent/{event['id']}")
        found = (await client.get("AuditEvent?patient=p")).json()

    assert read.status_code == 404
    assert "entry" not in found


def writers():
    roles = {name for policy in SHIPPED for name in shipped(policy).document.roles}
    return sorted(roles)


@pytest.mark.parametrize("role", writers())
async def test_p8_no_role_writes_an_audit_event(clinic, role):
    body = {"resourceType": "AuditEvent", "id": "x"}
    event = {
        **body,
        "type": {"code": "rest"},
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"requestor": True}],
        "source": {"observer": {"display": "me"}},
    }
    entry = {"resource": event, "request": {"method": "PUT", "url": "AuditEvent/x"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    somebody = clinic.principal(role, patient="p")
    async with clinic.client(somebody) as client:
        patch = {"headers": {"content-type": "application/json-patch+json"}, "content": b"[]"}
        answers = [
            await client.post("AuditEvent", json=event),
            await client.put("AuditEvent/x", json=event),
            await client.delete("AuditEvent/x"),
            await client.post("", json=bundle),
            await client.patch("AuditEvent/x", **patch),
        ]

    assert {answer.status_code for answer in answers[:4]} == {403}
    assert answers[4].status_code in (403, 404)


@pytest.mark.parametrize("role", ["clinician", "nurse", "frontdesk", "patient"])
async def test_only_an_administrator_reads_them(clinic, role):
    async with clinic.client(clinic.principal(role, patient="p")) as client:
        assert (await client.get("AuditEvent")).status_code == 403
        assert (await client.get("AuditEvent/1-1-1-1")).status_code == 403


def test_every_interaction_has_a_rendering():
    assert set(Interaction) - set(_SUBTYPES) == {Interaction.REHEARSAL, Interaction.FAREWELL}
