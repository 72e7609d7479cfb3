"""``Prefer: dry-run``: everything is done, told and undone."""

import json

import msgspec
import pytest

from polyclinic.kernel.access.policy import shipped

SYSTEM = "urn:example:number"
ONE = f"identifier={SYSTEM}|1"
COUNTED = (
    "resource",
    "version",
    "keys",
    "edge",
    "string_value",
    "date_value",
    "number_value",
    "care_relation",
    "type_count",
    "data_key",
    "idempotency",
)
DRY = {"prefer": "dry-run"}
ACTIVE = {"op": "add", "path": "/active", "value": True}
URN = "urn:uuid:3f6a1c1e-0c5f-4c27-9d0e-0d4b1f6f2a11"
JSON_PATCH = {"content-type": "application/json-patch+json"}


def patient(number="1", **more):
    return {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": number}], **more}


def told(answer):
    """Return the result of a report and its entries, each by the names of its parts."""
    assert answer.status_code == 200, answer.text
    result, *rows = answer.json()["parameter"]
    entries = [row["part"] for row in rows if row["name"] == "entry"]
    return result["valueCode"], [
        {part["name"]: next(v for k, v in part.items() if k != "name") for part in parts}
        for parts in entries
    ]


@pytest.fixture
def left(clinic, owner):
    """Return a function that counts the rows of every table that a write may leave something in."""

    async def count():
        return {
            table: await owner.fetchval(
                f"select count(*) from {table} where tenant = $1",  # noqa: S608 - of the list above
                clinic.tenant.number,
            )
            for table in COUNTED
        }

    return count


@pytest.mark.parametrize(
    ("asked", "outcome", "status"),
    [
        (("POST", "Patient", patient("2")), "created", "201 Created"),
        (("PUT", "Patient/new", patient(id="new")), "created", "201 Created"),
        (("PUT", "Patient/a", patient(id="a", gender="male")), "changed", "200 OK"),
        (("PUT", "Patient/a", patient(id="a")), "unchanged", "200 OK"),
        (("PUT", f"Patient?{ONE}", patient(gender="male")), "changed", "200 OK"),
        (("PUT", "Patient?identifier=none", patient()), "created", "201 Created"),
        (("PATCH", "Patient/a", []), "unchanged", "200 OK"),
        (("PATCH", f"Patient?{ONE}", [ACTIVE]), "changed", "200 OK"),
        (("DELETE", "Patient/a", None), "deleted", "204 No Content"),
        (("DELETE", f"Patient?{ONE}", None), "deleted", "204 No Content"),
        (("DELETE", "Patient?identifier=none", None), "nothing", "204 No Content"),
    ],
)
async def test_a_dry_run_tells_what_would_be_done_and_leaves_nothing(
    fhir, left, asked, outcome, status
):
    method, path, body = asked
    await fhir.put("Patient/a", json=patient(id="a"))
    before = await left()

    headers = DRY | (JSON_PATCH if method == "PATCH" else {})
    content = None if body is None else json.dumps(body)
    answer = await fhir.request(method, path, content=content, headers=headers)

    result, (entry,) = told(answer)
    assert (result, entry["outcome"], entry["status"]) == ("accepted", outcome, status)
    assert await left() == before
    assert (await fhir.get("Patient/a")).headers["etag"] == 'W/"1"'


async def test_a_dry_run_shows_the_resource_as_it_would_be_stored(fhir):
    answer = await fhir.post("Patient", json=patient(gender="female"), headers=DRY)

    _, (entry,) = told(answer)
    assert entry["resource"]["gender"] == "female"
    assert entry["location"] == f"Patient/{entry['resource']['id']}/_history/1"
    assert (await fhir.get(f"Patient/{entry['resource']['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("asked", "headers", "status"),
    [
        (("POST", "Patient", {"resourceType": "Patient", "gender": "x"}), {}, "422"),
        (("PUT", "Patient/a", patient(id="a", active=True)), {"if-match": 'W/"9"'}, "412"),
        (("DELETE", "Patient/nobody", None), {}, "404"),
        (("POST", "Patient", patient()), {"if-none-exist": "unknown=1"}, "400"),
        (("POST", "ValueSet", {"resourceType": "ValueSet", "status": "draft"}), {}, "403"),
    ],
)
async def test_a_dry_run_tells_what_would_be_refused(clinic, left, asked, headers, status):
    method, path, body = asked
    await clinic.put(patient(id="a"))
    before = await left()

    async with clinic.client(clinic.principal("nurse")) as nurse:
        content = None if body is None else json.dumps(body)
        answer = await nurse.request(method, path, content=content, headers=DRY | headers)

    result, (entry,) = told(answer)
    assert (result, entry["outcome"], entry["status"][:3]) == ("refused", "refused", status)
    assert entry["issues"]["resourceType"] == "OperationOutcome"
    assert await left() == before


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method, url, resource=None, full_url=None, **request):
    found = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        found["resource"] = resource
    return found | ({"fullUrl": full_url} if full_url else {})


ENTRIES = [
    entry("POST", "Patient", patient("2"), URN),
    entry("POST", "Patient", patient(), ifNoneExist=ONE),
    entry(
        "POST",
        "Condition",
        {
            "resourceType": "Condition",
            "subject": {"reference": URN},
            "asserter": {"reference": "Practitioner/never-stored"},
        },
    ),
    entry("PUT", "Patient/b", patient("b", id="b", gender="male")),
    entry("DELETE", "Patient/c"),
    entry("GET", "Patient/b"),
]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_a_dry_run_of_a_bundle_tells_of_each_entry(fhir, left, kind):
    for name in "abc":
        number = "1" if name == "a" else name
        await fhir.put(f"Patient/{name}", json=patient(number, id=name))
    before = await left()

    result, entries = told(await fhir.post("", json=bundle(kind, *ENTRIES), headers=DRY))

    outcomes = ["created", "matched", "created", "changed", "deleted", "read"]
    assert result == "accepted"
    assert [one["outcome"] for one in entries] == outcomes
    assert entries[3]["location"] == "Patient/b/_history/2"
    assert await left() == before


async def test_a_dry_run_of_a_refused_transaction_names_the_entries(fhir, left):
    before = await left()
    broken = entry("POST", "Observation", {"resourceType": "Observation"})

    answer = await fhir.post("", json=bundle("transaction", ENTRIES[0], broken), headers=DRY)

    result, entries = told(answer)
    assert (result, [one["outcome"] for one in entries]) == ("refused", ["not-done", "refused"])
    assert entries[1]["issues"]["issue"][0]["expression"] == ["Bundle.entry[1].resource.status"]
    assert await left() == before


async def test_a_write_after_its_dry_run_is_as_if_there_had_been_none(fhir, table_faults):
    body = bundle("transaction", *ENTRIES[:1], ENTRIES[2])

    await fhir.post("", json=body, headers=DRY)
    answer = await fhir.post("", json=body)

    assert [row["response"]["status"] for row in answer.json()["entry"]] == ["201 Created"] * 2
    assert await table_faults() == []


async def test_a_key_is_not_used_up_by_a_dry_run(fhir, left):
    before = await left()
    key = {"idempotency-key": '"dry"'}

    await fhir.post("Patient", json=patient(), headers=DRY | key)

    assert await left() == before
    assert (await fhir.post("Patient", json=patient("2"), headers=key)).status_code == 201


async def test_what_was_read_or_refused_is_in_the_audit_record_as_a_dry_run(clinic, fhir, owner):
    await fhir.put("Patient/a", json=patient(id="a"))
    nurse = clinic.principal("nurse")
    async with clinic.client(nurse) as client:
        await client.put(f"Patient?{ONE}", json=patient(gender="male"), headers=DRY)
        await client.request("PATCH", "Patient/a", content="[]", headers=DRY | JSON_PATCH)
        await client.delete("ValueSet/v", headers=DRY)

    rows = await owner.fetch(
        "select action, outcome, interaction from audit where account = $1",
        nurse.account,
    )
    told = [(bytes(row["action"]), row["outcome"]) for row in rows]
    assert sorted(told) == [(b"D", 8), (b"E", 0), (b"R", 0), (b"R", 0)]
    assert {row["interaction"] for row in rows} == {8}
    async with clinic.client(clinic.principal("administrator")) as officer:
        found = (await officer.get("AuditEvent?_count=50")).json()["entry"]
    subtypes = [[one["code"] for one in row["resource"]["subtype"]] for row in found]
    assert sum(codes[-1] == "dry-run" for codes in subtypes) >= len(rows)


async def test_what_a_limited_role_may_not_write_leaves_no_stub(clinic, fhir, left):
    await fhir.put("Patient/a", json=patient(id="a"))
    await clinic.store.policies.set(
        clinic.principal("administrator"), msgspec.json.encode(shipped("need-to-know").document)
    )
    before = await left()
    stranger = clinic.principal("nurse")

    async with clinic.client(stranger) as client:
        observation = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": "Patient/never-stored"},
        }
        answer = await client.post("Observation", json=observation, headers=DRY)

    assert told(answer)[0] == "refused"
    assert await left() == before
