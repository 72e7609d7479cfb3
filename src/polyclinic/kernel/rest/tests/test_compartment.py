"""What a patient, an administrator and a stranger see of others, over HTTP.

A resource that may not be seen is answered exactly as one that does not exist.
"""

import json
from typing import Any

import pytest
import pytest_asyncio

from polyclinic.kernel.rest.interactions import INTERACTIONS

MINE, THEIRS = "mine", "theirs"
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "x"},
}
OTHERS: dict[str, dict[str, Any]] = {
    "Patient": {"id": THEIRS, "name": [{"family": "Okoro"}]},
    "Observation": {"id": "o-theirs", "subject": {"reference": f"Patient/{THEIRS}"}},
    "Condition": {"id": "c-theirs", "subject": {"reference": f"Patient/{THEIRS}"}},
    "Device": {"id": "d-theirs", "patient": {"reference": f"Patient/{THEIRS}"}},
    "Provenance": {
        "id": "v-theirs",
        "target": [{"reference": "Observation/o-theirs"}],
        "recorded": "2020-01-01T00:00:00Z",
        "agent": [{"who": {"display": "x"}}],
    },
    "Immunization": {
        "id": "i-theirs",
        "status": "completed",
        "vaccineCode": {"text": "x"},
        "patient": {"reference": f"Patient/{THEIRS}"},
        "occurrenceDateTime": "2020",
    },
}
SHOWN = [(kind, str(content["id"])) for kind, content in OTHERS.items()]


@pytest_asyncio.fixture(loop_scope="session")
async def records(clinic):
    """Store a record of one's own and one of somebody else, each in two versions."""
    await clinic.put({"resourceType": "Patient", "id": MINE, "active": True})
    for kind, content in OTHERS.items():
        base = OBSERVATION if kind == "Observation" else {"resourceType": kind}
        await clinic.put(base | content)
        await clinic.put(base | content | {"language": "en"})
    await clinic.put(OBSERVATION | {"id": "o-mine", "subject": {"reference": f"Patient/{MINE}"}})
    await clinic.put(OBSERVATION | {"id": "o-nobody", "subject": {"display": "Uche Okoro"}})
    await clinic.put({"resourceType": "Organization", "id": "org", "name": "Clinic"})


@pytest_asyncio.fixture(loop_scope="session")
async def patient(clinic, records):  # noqa: ARG001 - the records come first
    async with clinic.client(clinic.principal("patient", patient=MINE)) as client:
        yield client


def without_id(answer, identity):
    """Return what an answer tells, apart from the id that was asked for."""
    shown = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return answer.status_code, shown, answer.text.replace(identity, "ID")


async def test_one_sees_ones_own_record_and_what_everybody_sees(patient):
    for address in (f"Patient/{MINE}", "Observation/o-mine", "Organization/org"):
        assert (await patient.get(address)).status_code == 200
        assert (await patient.get(f"{address}/_history/1")).status_code == 200
        assert (await patient.get(f"{address}/_history")).status_code == 200


@pytest.mark.parametrize(("kind", "identity"), SHOWN)
@pytest.mark.parametrize("suffix", ["", "/_history", "/_history/1", "/_history/2", "/_history/3"])
async def test_anothers_is_answered_as_what_does_not_exist(patient, kind, identity, suffix):
    hidden = await patient.get(f"{kind}/{identity}{suffix}")
    missing = await patient.get(f"{kind}/nothing{suffix}")

    assert hidden.status_code == 404
    assert without_id(hidden, identity) == without_id(missing, "nothing")


@pytest.mark.parametrize(("kind", "identity"), SHOWN)
@pytest.mark.usefixtures("records")
async def test_a_clinician_sees_it(clinic, kind, identity):
    async with clinic.client(clinic.principal("clinician")) as clinician:
        assert (await clinician.get(f"{kind}/{identity}")).status_code == 200
        assert (await clinician.get(f"{kind}/{identity}/_history/1")).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "Observation",
        f"Observation?patient={THEIRS}",
        f"Observation?subject=Patient/{THEIRS}",
        "Observation?_id=o-theirs",
        "Observation?_id=o-theirs,o-nobody",
        "Observation?code:missing=true",
        "Observation?_sort=-date",
        f"Observation?patient={THEIRS}&_sort=-date",
        "Device",
        "Provenance",
        "Patient?family=Okoro",
        f"Patient?_id={THEIRS}",
        "Patient?_sort=family",
        f"Immunization?patient={THEIRS}",
    ],
)
async def test_a_search_finds_only_ones_own(patient, address):
    separator = "&" if "?" in address else "?"
    bundle = (await patient.get(f"{address}{separator}_total=accurate")).json()

    found = {entry["resource"]["id"] for entry in bundle.get("entry", [])}
    assert found <= {MINE, "o-mine"}
    assert bundle["total"] == len(found)


async def test_a_version_from_when_it_was_anothers_stays_hidden(clinic, patient):
    moved = OBSERVATION | {"id": "moved", "subject": {"reference": f"Patient/{THEIRS}"}}
    await clinic.put(moved)
    await clinic.put(moved | {"subject": {"reference": f"Patient/{MINE}"}})

    history = (await patient.get("Observation/moved/_history")).json()

    assert [entry["response"]["etag"] for entry in history["entry"]] == ['W/"2"']
    assert (await patient.get("Observation/moved/_history/1")).status_code == 404
    assert (await patient.get("Observation/moved/_history/2")).status_code == 200


async def test_what_was_deleted_of_anothers_does_not_show_that_it_was_there(clinic, patient):
    async with clinic.client(clinic.principal("clinician")) as clinician:
        await clinician.delete("Observation/o-theirs")

    assert (await patient.get("Observation/o-theirs")).status_code == 404


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("POST", "Observation"),
        ("PUT", f"Patient/{MINE}"),
        ("PUT", "Observation/new"),
        ("DELETE", "Observation/o-mine"),
        ("PATCH", "Observation/o-mine"),
    ],
)
async def test_a_patient_writes_nothing(patient, method, address):
    kind, _, identity = address.partition("/")
    body = OBSERVATION if kind == "Observation" else {"resourceType": kind}
    content = json.dumps(body | ({"id": identity} if identity else {}))
    media = "application/fhir+json"
    if method == "PATCH":
        content, media = (
            '[{"op":"add","path":"/language","value":"en"}]',
            "application/json-patch+json",
        )

    answer = await patient.request(
        method, address, content=content, headers={"content-type": media}
    )

    assert answer.status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_a_write_does_not_tell_whether_anothers_exists(patient, method):
    answers = []
    for identity in ("o-theirs", "nothing"):
        media = "json-patch+json" if method == "PATCH" else "fhir+json"
        answers.append(
            await patient.request(
                method,
                f"Observation/{identity}",
                content="[]" if method == "PATCH" else json.dumps(OBSERVATION | {"id": identity}),
                headers={"content-type": f"application/{media}"},
            )
        )

    assert without_id(answers[0], "o-theirs") == without_id(answers[1], "nothing")


async def test_a_patient_may_not_list_the_history_of_everybody(patient):
    for address in ("_history", "Observation/_history"):
        assert (await patient.get(address)).status_code == 403


@pytest.mark.parametrize(("kind", "identity"), SHOWN)
@pytest.mark.usefixtures("records")
async def test_an_administrator_sees_no_clinical_data(clinic, kind, identity):
    async with clinic.client(clinic.principal("administrator")) as administrator:
        for address in (f"{kind}/{identity}", f"{kind}/{identity}/_history", kind):
            assert (await administrator.get(address)).status_code == 403


@pytest.mark.usefixtures("records")
async def test_the_history_of_everything_holds_what_an_administrator_may_read(clinic):
    async with clinic.client(clinic.principal("administrator")) as administrator:
        history = (await administrator.get("_history")).json()

    assert {entry["resource"]["resourceType"] for entry in history["entry"]} == {"Organization"}


@pytest.mark.parametrize("roles", [(), ("chief wizard",)])
@pytest.mark.usefixtures("records")
async def test_an_unknown_role_sees_nothing(clinic, roles):
    async with clinic.client(clinic.principal(*roles)) as stranger:
        answers = [
            await stranger.get(address)
            for address in ("Patient", f"Patient/{MINE}", "Organization/org", "_history")
        ]

    assert [answer.status_code for answer in answers] == [403] * 4


def test_every_kind_of_interaction_was_looked_at():
    # Operations have files of their own, and the isolation tests look at all.
    assert {one.code for one in INTERACTIONS} - {"operation"} == {
        "read",
        "vread",
        "update",
        "patch",
        "delete",
        "history-instance",
        "history-type",
        "history-system",
        "create",
        "search-type",
        "search-system",
        "transaction",
    }
