"""Batch and transaction Bundles."""

PATIENT = {"resourceType": "Patient", "active": True}
URN = "urn:uuid:3f6a1c1e-0c5f-4c27-9d0e-0d4b1f6f2a11"


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def post(resource, full_url=None):
    entry = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
    return entry | ({"fullUrl": full_url} if full_url else {})


def condition(reference):
    return {"resourceType": "Condition", "subject": {"reference": reference}}


async def test_a_transaction_resolves_references_between_its_entries(fhir):
    answer = await fhir.post(
        "", json=bundle("transaction", post(condition(URN)), post(PATIENT, URN))
    )

    entries = answer.json()["entry"]
    patient = entries[1]["response"]["location"].rsplit("/_history")[0]
    assert answer.status_code == 200
    assert entries[0]["resource"]["subject"]["reference"] == patient
    found = await fhir.get(f"Condition?patient={patient}")
    assert len(found.json()["entry"]) == 1


async def test_a_transaction_with_one_fault_stores_nothing(fhir):
    broken = {"resourceType": "Observation", "status": "final"}

    answer = await fhir.post("", json=bundle("transaction", post(PATIENT), post(broken)))

    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.code"]
    assert (await fhir.get("Patient?_summary=count")).json()["total"] == 0


async def test_a_transaction_against_an_old_version_stores_nothing(fhir):
    first = (await fhir.put("Patient/one", json=PATIENT | {"id": "one"})).json()
    update = {
        "resource": first | {"gender": "male"},
        "request": {"method": "PUT", "url": "Patient/one", "ifMatch": 'W/"7"'},
    }

    answer = await fhir.post("", json=bundle("transaction", post(PATIENT), update))

    assert answer.status_code == 412
    assert (await fhir.get("Patient?_summary=count")).json()["total"] == 1


async def test_a_batch_does_what_it_can(fhir):
    answer = await fhir.post(
        "",
        json=bundle(
            "batch",
            post(PATIENT),
            {"request": {"method": "GET", "url": "Patient?_summary=count"}},
            {"request": {"method": "GET", "url": "Patient/nobody"}},
        ),
    )

    entries = answer.json()["entry"]
    assert [entry["response"]["status"] for entry in entries] == [
        "201 Created",
        "200 OK",
        "404 Not Found",
    ]
    assert entries[1]["resource"]["total"] == 1
    assert entries[2]["response"]["outcome"]["issue"][0]["code"] == "not-found"


async def test_a_condition_that_is_not_kept_is_refused_and_nothing_is_stored(fhir):
    await fhir.put("Patient/a", json=PATIENT | {"id": "a"})
    entry = {
        "resource": PATIENT | {"id": "a", "gender": "male"},
        "request": {"method": "PUT", "url": "Patient/a", "ifNoneMatch": "*"},
    }

    alone = await fhir.put("Patient/a", json=entry["resource"], headers={"if-none-match": "*"})
    together = await fhir.post("", json=bundle("transaction", entry))

    assert (alone.status_code, together.status_code) == (400, 400)
    assert (await fhir.get("Patient/a")).headers["etag"] == 'W/"1"'
