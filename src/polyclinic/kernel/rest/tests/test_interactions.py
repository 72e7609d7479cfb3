"""The RESTful interactions over HTTP, on the real store."""

import gzip
import json

import pytest

from polyclinic.testing.clinic import Clinic

PATIENT = {"resourceType": "Patient", "name": [{"family": "Amani", "given": ["Zuri"]}]}
BIRTH_DATE = "http://hl7.org/fhir/SearchParameter/individual-birthdate"


async def created(fhir, resource=PATIENT):
    answer = await fhir.post(str(resource["resourceType"]), json=resource)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_create_answers_where_the_resource_is(fhir):
    answer = await fhir.post("Patient", json=PATIENT)

    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["location"].endswith(f"/fhir/Patient/{body['id']}/_history/1")
    assert body["meta"]["versionId"] == "1"
    assert body["name"] == PATIENT["name"]


async def test_create_gives_an_id_of_its_own(fhir):
    body = await created(fhir, PATIENT | {"id": "mine"})

    assert body["id"] != "mine"


async def test_read_answers_what_was_stored_with_its_digits(fhir):
    observation = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"x"},'
        b'"valueQuantity":{"value":1.00,"unit":"mg"}}'
    )
    answer = await fhir.post("Observation", content=observation)

    found = await fhir.get(f"Observation/{answer.json()['id']}")

    assert b'"value":1.00,' in found.content
    assert found.headers["last-modified"].endswith("GMT")


async def test_read_of_nothing_is_404_with_an_outcome(fhir):
    answer = await fhir.get("Patient/nobody")

    assert answer.status_code == 404
    assert answer.json()["issue"][0]["code"] == "not-found"


async def test_update_makes_a_version_and_vread_finds_the_old_one(fhir):
    body = await created(fhir)

    changed = await fhir.put(f"Patient/{body['id']}", json=body | {"gender": "female"})
    old = await fhir.get(f"Patient/{body['id']}/_history/1")

    assert (changed.status_code, changed.headers["etag"]) == (200, 'W/"2"')
    assert "gender" not in old.json()
    assert old.json()["meta"]["versionId"] == "1"


async def test_update_with_the_same_content_makes_no_version(fhir):
    body = await created(fhir)

    again = await fhir.put(f"Patient/{body['id']}", json=body)

    assert (again.status_code, again.headers["etag"]) == (200, 'W/"1"')


async def test_update_creates_what_does_not_exist(fhir):
    answer = await fhir.put("Patient/new-one", json=PATIENT | {"id": "new-one"})

    assert answer.status_code == 201
    assert (await fhir.get("Patient/new-one")).status_code == 200


async def test_update_refuses_another_id_in_the_body(fhir):
    answer = await fhir.put("Patient/this", json=PATIENT | {"id": "that"})

    assert answer.status_code == 400


async def test_an_old_if_match_is_refused(fhir):
    body = await created(fhir)
    await fhir.put(f"Patient/{body['id']}", json=body | {"gender": "male"})

    late = await fhir.put(
        f"Patient/{body['id']}", json=body | {"gender": "other"}, headers={"if-match": 'W/"1"'}
    )

    assert late.status_code == 412
    assert (await fhir.get(f"Patient/{body['id']}")).json()["gender"] == "male"


async def test_a_deleted_resource_is_gone_and_its_versions_stay(fhir):
    body = await created(fhir)

    deleted = await fhir.delete(f"Patient/{body['id']}")

    assert deleted.status_code == 204
    assert (await fhir.get(f"Patient/{body['id']}")).status_code == 410
    assert (await fhir.get(f"Patient/{body['id']}/_history/1")).status_code == 200
    assert (await fhir.delete(f"Patient/{body['id']}")).status_code == 204


async def test_a_deleted_resource_comes_back_by_update(fhir):
    body = await created(fhir)
    await fhir.delete(f"Patient/{body['id']}")

    back = await fhir.put(f"Patient/{body['id']}", json=body)

    assert (back.status_code, back.headers["etag"]) == (201, 'W/"3"')


async def test_a_conditional_read_needs_no_body(fhir):
    body = await created(fhir)
    first = await fhir.get(f"Patient/{body['id']}")

    by_tag = await fhir.get(
        f"Patient/{body['id']}", headers={"if-none-match": first.headers["etag"]}
    )
    by_date = await fhir.get(
        f"Patient/{body['id']}", headers={"if-modified-since": first.headers["last-modified"]}
    )

    assert (by_tag.status_code, by_tag.content) == (304, b"")
    assert by_date.status_code == 304


@pytest.mark.parametrize(
    ("prefer", "kind"),
    [("return=minimal", ""), ("return=OperationOutcome", "OperationOutcome")],
)
async def test_prefer_says_what_a_write_answers(fhir, prefer, kind):
    answer = await fhir.post("Patient", json=PATIENT, headers={"prefer": prefer})

    assert answer.status_code == 201
    assert (answer.json()["resourceType"] if answer.content else "") == kind


async def test_json_patch_changes_one_element(fhir):
    body = await created(fhir)
    patch = [{"op": "add", "path": "/birthDate", "value": "1980-02"}]

    answer = await fhir.patch(
        f"Patient/{body['id']}",
        content=json.dumps(patch),
        headers={"content-type": "application/json-patch+json"},
    )

    assert answer.status_code == 200
    assert answer.json()["birthDate"] == "1980-02"
    assert answer.json()["name"] == PATIENT["name"]


async def test_a_patch_that_breaks_r4_is_refused(fhir):
    body = await created(fhir)
    patch = [{"op": "add", "path": "/gender", "value": "blue"}]

    answer = await fhir.patch(
        f"Patient/{body['id']}",
        content=json.dumps(patch),
        headers={"content-type": "application/json-patch+json"},
    )

    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Patient.gender"]


async def test_history_lists_versions_newest_first(fhir):
    body = await created(fhir)
    await fhir.put(f"Patient/{body['id']}", json=body | {"gender": "male"})
    await fhir.delete(f"Patient/{body['id']}")

    bundle = (await fhir.get(f"Patient/{body['id']}/_history")).json()

    methods = [entry["request"]["method"] for entry in bundle["entry"]]
    assert methods == ["DELETE", "PUT", "PUT"]
    assert "resource" not in bundle["entry"][0]


async def test_history_pages_of_a_type_meet_every_version_once(fhir):
    bodies = [await created(fhir) for _ in range(5)]
    for body in bodies:
        await fhir.put(f"Patient/{body['id']}", json=body | {"gender": "male"})

    seen = []
    links = {"next": "Patient/_history?_count=3"}
    while "next" in links:
        bundle = (await fhir.get(links["next"])).json()
        seen += [entry["response"]["etag"] + entry["fullUrl"] for entry in bundle["entry"]]
        links = {link["relation"]: link["url"] for link in bundle["link"]}

    assert len(seen) == len(set(seen)) == 10


async def test_history_of_the_system_has_every_type(fhir):
    await created(fhir)
    await created(fhir, {"resourceType": "Organization", "name": "Clinic"})

    bundle = (await fhir.get("_history")).json()

    types = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert types == {"Patient", "Organization"}


async def test_every_fault_is_named(fhir):
    broken = {"resourceType": "Patient", "gender": "x", "birthDate": "1980-13-01", "huh": 1}

    answer = await fhir.post("Patient", json=broken)

    expressions = {issue["expression"][0] for issue in answer.json()["issue"]}
    assert answer.status_code == 422
    assert expressions >= {"Patient.gender", "Patient.birthDate"}
    assert len(answer.json()["issue"]) == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"resourceType":"Patient"',
        b'{"resourceType":"Patient","id":"\xff"}',
        b'{"resourceType":"Patient","active":true,"active":false}',
        b'{"resourceType":"Observation","status":"final","code":{},"valueQuantity":{"value":NaN}}',
        b'{"resourceType":"Patient","extension":' + b'[{"extension":' * 5000 + b"[]" + b"}]" * 5000,
        b"[]",
        b'{"resourceType":"Nonsense"}',
    ],
)
async def test_what_is_no_resource_is_400_and_nothing_is_stored(fhir, body):
    answer = await fhir.post("Patient", content=body)

    total = (await fhir.get("Patient?_summary=count")).json()["total"]
    assert answer.status_code in (400, 422)
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert total == 0


async def test_a_body_over_the_limit_is_413(fhir):
    answer = await fhir.post("Patient", content=b" " * (5 * 1024 * 1024))

    assert answer.status_code == 413


async def test_a_gzip_bomb_is_413(fhir):
    bomb = gzip.compress(b" " * (64 * 1024 * 1024))

    answer = await fhir.post("Patient", content=bomb, headers={"content-encoding": "gzip"})

    assert answer.status_code == 413


async def test_a_gzip_body_is_read_and_a_cut_one_refused(fhir):
    packed = gzip.compress(json.dumps(PATIENT).encode())
    headers = {"content-encoding": "gzip"}

    whole = await fhir.post("Patient", content=packed, headers=headers)
    cut = await fhir.post("Patient", content=packed[:-9], headers=headers)

    assert (whole.status_code, cut.status_code) == (201, 400)


async def test_nobody_reads_anything_but_the_capabilities(clinic: Clinic):
    async with clinic.client(None) as nobody:
        statement = await nobody.get("metadata")
        answers = [
            await nobody.get("Patient"),
            await nobody.get("Patient/x"),
            await nobody.post("Patient", json=PATIENT),
            await nobody.get("Nonsense"),
        ]

    assert statement.status_code == 200
    assert [answer.status_code for answer in answers] == [401, 401, 401, 401]


async def test_the_capabilities_are_a_valid_resource_with_every_type(fhir):
    statement = (await fhir.get("metadata")).json()

    resources = statement["rest"][0]["resource"]
    assert len(resources) == 146
    assert {"name": "birthdate", "definition": BIRTH_DATE, "type": "date"} in next(
        row["searchParam"] for row in resources if row["type"] == "Patient"
    )


async def test_a_method_that_does_not_fit_is_405_and_says_which_do(fhir):
    answer = await fhir.put("Patient/_search", json=PATIENT)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


async def test_xml_is_not_acceptable(fhir):
    answer = await fhir.get("Patient", headers={"accept": "application/fhir+xml"})

    assert answer.status_code == 406


async def test_another_media_type_is_unsupported(fhir):
    answer = await fhir.post("Patient", content=b"x", headers={"content-type": "text/plain"})

    assert answer.status_code == 415


async def test_pretty_is_for_people_and_keeps_the_digits(fhir):
    observation = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"x"},'
        b'"valueQuantity":{"value":1.00}}'
    )
    answer = await fhir.post("Observation", content=observation)

    found = await fhir.get(f"Observation/{answer.json()['id']}?_pretty=true")

    assert b'\n    "value": 1.00\n' in found.content


async def test_an_operation_that_is_not_there_says_so(fhir):
    answer = await fhir.get("Patient/$everything")

    assert answer.status_code == 404
    assert "not supported" in answer.json()["issue"][0]["diagnostics"]
