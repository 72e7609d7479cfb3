"""``_asOf`` on a read, ``$diff`` and ``$undo``."""

import asyncio

import msgspec
import pytest

from polyclinic.kernel.rest.json_patch import apply
from polyclinic.kernel.types import from_json


def observation(identity, status="final", patient="a", **more):
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": status,
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


def entry(method, resource_or_url):
    if method == "DELETE":
        return {"request": {"method": "DELETE", "url": resource_or_url}}
    url = f"{resource_or_url['resourceType']}/{resource_or_url['id']}"
    return {"resource": resource_or_url, "request": {"method": "PUT", "url": url}}


def transaction(*entries):
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def text(moment):
    return moment.isoformat().replace("+00:00", "Z")


async def pause():
    await asyncio.sleep(0.004)


class Ward:
    """Some writes, and moments between them."""

    def __init__(self, clinic):
        self.clinic = clinic
        self.job = clinic.principal("job")
        self.moments = []

    async def mark(self):
        """Remember this moment."""
        await pause()
        self.moments.append(text(self.clinic.store.now()))
        await pause()


@pytest.fixture
async def ward(clinic):
    """Return o1 changed twice, o2 deleted, and o3 moved from a to b, with moments between."""
    found = Ward(clinic)
    store, job = clinic.store, found.job
    await found.mark()
    for resource in (observation("o1"), observation("o2"), observation("o3")):
        await store.update(job, from_json(resource))
    await found.mark()
    await store.update(job, from_json(observation("o1", "amended")))
    await store.delete(job, "Observation", "o2")
    await store.update(job, from_json(observation("o3", patient="b")))
    await found.mark()
    await store.update(job, from_json(observation("o1", "corrected")))
    await found.mark()
    return found


@pytest.fixture
async def fhir(ward):
    """Return a client that may do everything."""
    async with ward.clinic.client(ward.job) as client:
        yield client


async def differences(client, path="$diff", **given):
    """Return all pages of differences, as (kind, reference, before, after)."""
    given = {"from" if name == "start" else name: value for name, value in given.items()}
    answer, found = await client.get(path, params=given), []
    while True:
        assert answer.status_code == 200, answer.text
        rows = answer.json().get("parameter", [])
        found += [shown(row) for row in rows if row["name"] == "difference"]
        following = [row["valueUri"] for row in rows if row["name"] == "next"]
        assert [answer.links["next"]["url"]] == following if following else not answer.links
        if not following:
            return found
        answer = await client.get(following[0])


def shown(row):
    parts = {part["name"]: part for part in row["part"]}
    reference = parts["reference"]["valueReference"]["reference"]
    versions = [
        int(parts[name]["valueUri"].rpartition("/")[2]) if name in parts else None
        for name in ("before", "after")
    ]
    return (parts["kind"]["valueCode"], reference, *versions)


@pytest.mark.parametrize(
    ("number", "expected"), [(0, 404), (1, "final"), (2, "amended"), (3, "corrected")]
)
async def test_a_read_shows_the_version_of_a_moment(ward, fhir, number, expected):
    answer = await fhir.get("Observation/o1", params={"_asOf": ward.moments[number]})

    assert (answer.status_code if number == 0 else answer.json()["status"]) == expected


async def test_what_was_deleted_was_gone_then(ward, fhir):
    then, later = [
        await fhir.get("Observation/o2", params={"_asOf": ward.moments[at]}) for at in (1, 2)
    ]

    assert (then.status_code, later.status_code) == (200, 410)


async def test_a_read_of_a_moment_asks_the_policy_of_the_version(ward):
    patient = ward.clinic.principal("patient", patient="b")
    async with ward.clinic.client(patient) as client:
        then, now = [
            await client.get("Observation/o3", params={"_asOf": ward.moments[at]}) for at in (1, 2)
        ]

    assert (then.status_code, now.status_code) == (404, 200)


@pytest.mark.parametrize("given", [["yesterday"], ["2024"], ["2024-01-01T00:00:00Z"] * 2])
async def test_a_moment_is_given_once_and_whole(fhir, given):
    answer = await fhir.get("Observation/o1", params=[("_asOf", one) for one in given])

    assert answer.status_code == 400


@pytest.mark.parametrize("count", ["1", "2", "100"])
async def test_a_difference_tells_what_became_of_each(ward, fhir, count):
    first, second, third, last = ward.moments

    async def between(start, end):
        return await differences(fhir, start=start, to=end, _count=count)

    changed = [
        ("changed", "Observation/o1", 1, 2),
        ("deleted", "Observation/o2", 1, None),
        ("changed", "Observation/o3", 1, 2),
    ]
    assert await between(first, second) == [
        ("created", f"Observation/o{number}", None, 1) for number in (1, 2, 3)
    ]
    assert await between(second, third) == changed
    assert await between(third, last) == [("changed", "Observation/o1", 2, 3)]
    assert sorted(await between(first, last)) == [
        ("created", "Observation/o1", None, 3),
        ("created", "Observation/o3", None, 2),
    ]
    assert await between(last, last) == []


async def test_a_difference_comes_as_a_patch(ward, fhir):
    answer = await fhir.get(
        "Observation/o1/$diff", params={"from": ward.moments[1], "to": ward.moments[3]}
    )
    (row,) = answer.json()["parameter"]
    (patch,) = [part["valueString"] for part in row["part"] if part["name"] == "patch"]
    before, after = [
        (await ward.clinic.store.vread(ward.job, "Observation", "o1", number)).body
        for number in (1, 3)
    ]

    assert apply(before, patch.encode()) == after
    assert msgspec.json.decode(patch) == [
        {"op": "replace", "path": "/status", "value": "corrected"}
    ]


async def test_a_change_that_was_taken_back_is_none(ward, fhir):
    await ward.clinic.store.update(ward.job, from_json(observation("o1", "amended")))

    found = await differences(fhir, "Observation/o1/$diff", start=ward.moments[2])

    assert found == []


async def test_differences_of_a_type_and_of_a_patient(ward, fhir):
    await ward.clinic.put({"resourceType": "Patient", "id": "a"})
    start = ward.moments[1]

    of_type = await differences(fhir, "Patient/$diff", start=start)
    of_types = await differences(fhir, start=start, _type="Patient,Encounter")
    of_patient = await differences(fhir, start=start, patient="b")
    of_nobody = await differences(fhir, start=start, patient="nobody")

    assert of_type == of_types == [("created", "Patient/a", None, 1)]
    assert of_patient == [("changed", "Observation/o3", 1, 2)]
    assert of_nobody == []


async def test_who_sees_one_moment_only_is_told_of_that(ward):
    seen = {}
    for patient in "ab":
        async with ward.clinic.client(ward.clinic.principal("patient", patient=patient)) as client:
            seen[patient] = await differences(client, start=ward.moments[1], to=ward.moments[2])

    assert ("deleted", "Observation/o3", 1, None) in seen["a"]
    assert seen["b"] == [("created", "Observation/o3", None, 2)]


async def test_a_page_of_differences_is_bound_to_its_reader(ward, fhir):
    given = {"from": ward.moments[0], "_count": "1"}
    address = (await fhir.get("$diff", params=given)).links["next"]["url"]
    async with ward.clinic.client(ward.clinic.principal("job")) as another:
        answer = await another.get(address)

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("$diff", {}),
        ("$diff", {"from": "2024"}),
        ("$diff", {"from": "2024-01-01T00:00:00Z", "_type": "Nothing"}),
        ("Patient/$diff", {"from": "2024-01-01T00:00:00Z", "_type": "Patient"}),
        ("$diff", {"from": "2024-01-01T00:00:00Z", "patient": "a b"}),
        ("$diff", {"from": "2024-01-01T00:00:00Z", "since": "1"}),
    ],
)
async def test_a_difference_that_is_not_understood_is_refused(fhir, path, given):
    assert (await fhir.get(path, params=given)).status_code == 400


def of(reference, version):
    value = f"{reference}/_history/{version}"
    return {"resourceType": "Parameters", "parameter": [{"name": "of", "valueUri": value}]}


@pytest.fixture
async def changed(fhir):
    """Let one transaction change o1, bring o2 back, delete o3 and create o4."""
    bundle = transaction(
        entry("PUT", observation("o1", "cancelled")),
        entry("PUT", observation("o2", "amended")),
        entry("DELETE", "Observation/o3"),
        entry("PUT", observation("o4")),
    )
    assert (await fhir.post("", json=bundle)).status_code == 200


async def states(fhir):
    found = {}
    for identity in ("o1", "o2", "o3", "o4"):
        answer = await fhir.get(f"Observation/{identity}")
        found[identity] = answer.json()["status"] if answer.status_code == 200 else None
    return found


BEFORE = {"o1": "corrected", "o2": None, "o3": "final", "o4": None}
AFTER = {"o1": "cancelled", "o2": "amended", "o3": None, "o4": "final"}


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize(("identity", "version"), [("o1", 4), ("o2", 3), ("o3", 3), ("o4", 1)])
async def test_a_transaction_is_undone_whole(fhir, identity, version):
    assert await states(fhir) == AFTER

    answer = await fhir.post("$undo", json=of(f"Observation/{identity}", version))

    assert answer.status_code == 200
    assert answer.json()["type"] == "transaction-response"
    assert len(answer.json()["entry"]) == 4
    assert await states(fhir) == BEFORE


@pytest.mark.usefixtures("changed")
async def test_an_undo_is_undone(fhir):
    answer = await fhir.post("$undo", json=of("Observation/o4", 1))
    location = answer.json()["entry"][0]["response"]["location"]
    reference, _, version = location.partition("/_history/")

    await fhir.post("$undo", json=of(reference, version))

    assert await states(fhir) == AFTER


async def test_a_single_write_is_undone_alone(fhir):
    answer = await fhir.post("$undo", json=of("Observation/o1", 3))

    assert answer.status_code == 200
    assert (await states(fhir))["o1"] == "amended"
    assert len(answer.json()["entry"]) == 1


@pytest.mark.usefixtures("changed")
async def test_what_was_changed_since_is_named(fhir):
    await fhir.put("Observation/o1", json=observation("o1", "unknown"))
    before = await states(fhir)

    answer = await fhir.post("$undo", json=of("Observation/o4", 1))

    assert answer.status_code == 409
    assert [issue["diagnostics"] for issue in answer.json()["issue"]] == [
        "Observation/o1 was changed since."
    ]
    assert await states(fhir) == before


@pytest.mark.usefixtures("changed")
async def test_a_dry_run_changes_nothing(fhir):
    answer = await fhir.post("$undo", json=of("Observation/o4", 1), headers={"prefer": "dry-run"})
    rows = [row for row in answer.json()["parameter"] if row["name"] == "entry"]
    outcomes = sorted(part["valueCode"] for row in rows for part in row["part"][:1])

    assert outcomes == ["changed", "changed", "deleted", "deleted"]
    assert await states(fhir) == AFTER


@pytest.mark.usefixtures("changed")
async def test_who_may_not_write_does_not_undo(ward, fhir):
    doctor = ward.clinic.principal("patient", patient="a")
    async with ward.clinic.client(doctor) as client:
        for headers in ({}, {"prefer": "dry-run"}):
            answer = await client.post("$undo", json=of("Observation/o4", 1), headers=headers)
            assert answer.status_code == 403

    assert await states(fhir) == AFTER


@pytest.mark.usefixtures("changed")
async def test_what_one_may_not_see_is_not_there_to_undo(ward):
    patient = ward.clinic.principal("patient", patient="c")
    async with ward.clinic.client(patient) as client:
        answers = [
            await client.post("$undo", json=of(reference, 1))
            for reference in ("Observation/o4", "Observation/absent")
        ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"resourceType":"Parameters"}',
        b'{"resourceType":"Parameters","parameter":[{"name":"of","valueUri":"Observation/o1"}]}',
        b'{"resourceType":"Parameters","parameter":[{"name":"x","valueUri":"Patient/a/_history/1"}]}',
        b"\xff",
    ],
)
async def test_an_undo_names_a_version(fhir, body):
    answer = await fhir.post("$undo", content=body)

    assert answer.status_code == 400
