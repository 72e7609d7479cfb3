"""The operation $changes as NDJSON: pages, filters, replay, and who is refused what."""

import asyncio
import gzip
import json
from importlib.resources import files

import pytest

from polyclinic.kernel.types import parse

PATIENT = {"resourceType": "Patient", "name": [{"family": "Amani"}]}


def lines(answer):
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def told(answer):
    return [(line["id"], line["versionId"], line["method"]) for line in lines(answer)]


async def put(fhir, identity, resource_type="Patient", **content):
    body = {"resourceType": resource_type, "id": identity, **content}
    answer = await fhir.put(f"{resource_type}/{identity}", json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer


@pytest.fixture
async def patients(fhir):
    """Store seven patients, one after the other."""
    for number in range(7):
        await put(fhir, f"p{number}", name=[{"family": "Amani"}])


async def test_a_line_holds_the_version_as_it_is_read(fhir):
    await put(fhir, "p", gender="female")
    await put(fhir, "p", gender="male")
    await fhir.delete("Patient/p")

    answer = await fhir.get("$changes")

    first, second, third = lines(answer)
    version = await fhir.get("Patient/p/_history/1")
    assert answer.headers["content-type"] == "application/fhir+ndjson"
    assert answer.headers["cache-control"] == "private, no-store"
    assert f'"resource":{version.text}}}' in answer.text.splitlines()[0]
    assert {name: first[name] for name in ("type", "id", "versionId", "lastUpdated", "method")} == {
        "type": "Patient",
        "id": "p",
        "versionId": "1",
        "lastUpdated": version.json()["meta"]["lastUpdated"],
        "method": "create",
    }
    assert (second["method"], second["resource"]["gender"]) == ("update", "male")
    assert (third["method"], third["versionId"], "resource" in third) == ("delete", "3", False)


@pytest.mark.usefixtures("patients")
async def test_the_link_leads_on_until_the_end_and_then_to_what_comes(fhir):
    first = await fhir.get("$changes?_count=4")
    second = await fhir.get(first.links["next"]["url"])
    third = await fhir.get(second.links["next"]["url"])
    await put(fhir, "late")

    fourth = await fhir.get(third.links["next"]["url"])

    assert [line["id"] for line in lines(first) + lines(second)] == [f"p{at}" for at in range(7)]
    assert [len(lines(page)) for page in (first, second, third)] == [4, 3, 0]
    assert [page.headers["polyclinic-feed"] for page in (first, second, third)] == [
        "more",
        "end",
        "end",
    ]
    assert told(fourth) == [("late", "1", "create")]


@pytest.mark.usefixtures("patients")
async def test_a_page_that_is_asked_for_again_is_the_same_to_the_byte(fhir):
    before = await fhir.get("$changes?_count=5")
    await asyncio.gather(*(put(fhir, f"p{at}", gender="other") for at in range(7)))
    await fhir.delete("Patient/p0")

    after = await fhir.get("$changes?_count=5")

    assert after.content == before.content
    assert after.headers["link"] == before.headers["link"]


@pytest.mark.usefixtures("patients")
async def test_the_cursor_of_any_line_goes_on_behind_it(fhir):
    cursor = lines(await fhir.get("$changes"))[2]["cursor"]

    rest = await fhir.get("$changes", params={"_since": cursor})

    assert [line["id"] for line in lines(rest)] == ["p3", "p4", "p5", "p6"]


async def test_types_are_chosen_and_bodies_left_out(fhir):
    await put(fhir, "p")
    await put(fhir, "o", "Organization", name="Clinic")
    await put(fhir, "l", "Location", name="Ward")

    comma = await fhir.get("$changes?_type=Organization,Location&_elements=none")
    repeated = await fhir.get("$changes?_type=Location&_type=Organization&_elements=none")

    assert told(comma) == [("o", "1", "create"), ("l", "1", "create")]
    assert all("resource" not in line for line in lines(comma))
    assert repeated.text == comma.text


@pytest.mark.usefixtures("patients")
async def test_now_is_a_cursor_without_what_was(fhir):
    start = await fhir.get("$changes?_since=now")
    await put(fhir, "late")

    assert lines(start) == []
    assert told(await fhir.get(start.links["next"]["url"])) == [("late", "1", "create")]


@pytest.mark.parametrize(("count", "status"), [("0", 400), ("-1", 400), ("x", 400), ("1e3", 400)])
async def test_d1_a_count_that_is_none_is_refused(fhir, count, status):
    assert (await fhir.get("$changes", params={"_count": count})).status_code == status


@pytest.mark.usefixtures("patients")
@pytest.mark.parametrize("count", ["10001", "1000000000", "9" * 5000])
async def test_d1_a_count_beyond_the_largest_is_cut_to_it(fhir, count):
    assert len(lines(await fhir.get("$changes", params={"_count": count}))) == 7


@pytest.mark.parametrize(
    "query",
    [
        "_type=Nonsense",
        "_type=Patient,",
        "_since=x",
        "_since=&",
        "_elements=id",
        "_since=now&_since=now",
        "patient=p",
    ],
)
async def test_what_is_not_understood_is_refused(fhir, query):
    answer = await fhir.get(f"$changes?{query}")

    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+ndjson", 200),
        ("application/x-ndjson", 200),
        ("*/*", 200),
        ("application/fhir+json", 406),
        ("text/html", 406),
    ],
)
async def test_it_is_answered_as_lines_or_not_at_all(fhir, accept, status):
    answer = await fhir.get("$changes", headers={"accept": accept})

    assert answer.status_code == status


async def test_lines_are_compressed_for_whoever_takes_that(fhir):
    await put(fhir, "p")

    async with fhir.stream("GET", "$changes", headers={"accept-encoding": "gzip"}) as answer:
        packed = b"".join([part async for part in answer.aiter_raw()])

    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed))["id"] == "p"


async def test_head_answers_without_lines(fhir):
    await put(fhir, "p")

    answer = await fhir.head("$changes")

    assert (answer.status_code, answer.content) == (200, b"")
    assert "next" in answer.links


async def test_a_stream_cannot_stand_in_a_batch(fhir):
    entry = {"request": {"method": "GET", "url": "$changes"}}
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}

    answer = await fhir.post("", json=batch)

    assert answer.json()["entry"][0]["response"]["status"] == "400 Bad Request"


async def test_only_get_is_answered(fhir):
    answer = await fhir.post("$changes", json={})

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


async def test_i8_a_cursor_of_somebody_else_is_refused(clinic, fhir):
    await put(fhir, "p")
    cursor = lines(await fhir.get("$changes"))[0]["cursor"]

    async with clinic.client(clinic.principal("clinician")) as other:
        answer = await other.get("$changes", params={"_since": cursor})

    assert answer.status_code == 400
    assert "another user" in answer.json()["issue"][0]["diagnostics"]


async def test_i7_a_patient_is_refused_and_an_administrator_sees_no_patient(clinic, fhir):
    await put(fhir, "p")
    await put(fhir, "o", "Organization", name="Clinic")

    async with clinic.client(clinic.principal("patient", patient="p")) as patient:
        refused = await patient.get("$changes")
    async with clinic.client(clinic.principal("administrator")) as administrator:
        seen = await administrator.get("$changes")
        asked = await administrator.get("$changes?_type=Patient")

    assert refused.status_code == 403
    assert told(seen) == [("o", "1", "create")]
    assert asked.status_code == 403


async def test_a_large_page_is_read_in_batches(fhir, monkeypatch):
    monkeypatch.setattr("polyclinic.kernel.store.feed._BATCH_ROWS", 3)
    for number in range(8):
        await put(fhir, f"p{number}")

    page = await fhir.get("$changes?_count=7")
    monkeypatch.undo()

    assert page.text == (await fhir.get("$changes?_count=7")).text
    assert len(lines(page)) == 7


async def test_a_batch_is_bounded_in_bytes_and_holds_one_change_at_least(fhir, monkeypatch):
    monkeypatch.setattr("polyclinic.kernel.store.feed._BATCH_BYTES", 1)
    for number in range(3):
        await put(fhir, f"p{number}")

    assert len(lines(await fhir.get("$changes"))) == 3


async def test_a_narrow_filter_is_looked_for_in_bounded_steps(fhir, monkeypatch):
    monkeypatch.setattr("polyclinic.kernel.store.feed._LOOKED_AT", 4)
    for number in range(9):
        await put(fhir, f"p{number}")
    await put(fhir, "o", "Organization", name="Clinic")

    pages = [await fhir.get("$changes?_type=Organization&_count=2")]
    for _ in range(2):
        pages.append(await fhir.get(pages[-1].links["next"]["url"]))

    assert [len(lines(page)) for page in pages] == [0, 0, 1]
    assert [page.headers["polyclinic-feed"] for page in pages] == ["more", "more", "end"]


async def test_the_capability_statement_names_the_operation(fhir):
    (rest,) = (await fhir.get("metadata")).json()["rest"]
    definition = json.loads(
        files("polyclinic.kernel.rest").joinpath("definitions/changes.json").read_bytes()
    )

    assert {"name": "changes", "definition": definition["url"]} in rest["operation"]
    assert parse(json.dumps(definition).encode()).type == "OperationDefinition"
