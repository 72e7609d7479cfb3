"""A8: every interaction that is registered leaves an audit row, done, refused or for nothing.

An interaction that comes to the table is tried here by itself; one that writes no row fails.
"""

import json

import pytest

from polyclinic.kernel.errors import FhirError
from polyclinic.kernel.rest.interactions import INTERACTIONS, Interaction
from polyclinic.kernel.rest.message import Answer, Request

DONE, NOTHING, REFUSED = 0, 4, 8
"""Codes of http://terminology.hl7.org/CodeSystem/audit-event-outcome."""
WORDS = {"compartment": "Patient", "type": "Patient", "id": "p", "vid": "1"}
JSON = {b"content-type": b"application/fhir+json"}
PATCH = [{"op": "add", "path": "/birthDate", "value": "1980-02"}]
HEADERS = {
    "PATCH": {b"content-type": b"application/json-patch+json"},
    "_search": {b"content-type": b"application/x-www-form-urlencoded"},
}
QUERIES = {
    "$simulate": "resource=Patient/p&role=nurse",
    "$diff": "from=2020-01-01T00:00:00Z",
}
CONDITION = "_id=p"
"""Names what is written, where the address has no id."""
WHO = {"$simulate": "administrator"}
"""Whoever may do it, a clinician otherwise."""
CREATES_OR_FINDS_NONE = {
    *("update", "create", "search-type", "search-system", "history-type", "history-system")
}
"""For these there is no such thing as a resource that is not there."""


def name(interaction):
    return "-".join((interaction.code, interaction.method, *interaction.shape))


def body(interaction, identity):
    if interaction.code == "transaction":
        entry = {"request": {"method": "DELETE", "url": f"Patient/{identity}"}}
        return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    if interaction.shape[-1:] == ("$undo",):
        of = {"name": "of", "valueUri": f"Patient/{identity}/_history/1"}
        return {"resourceType": "Parameters", "parameter": [of]}
    if interaction.code == "patch":
        return PATCH
    if interaction.code in ("create", "update"):
        return {"resourceType": "Patient", "id": identity, "gender": "female"}
    return None


def query(interaction, last, identity):
    if last == "type" and interaction.method not in ("GET", "POST"):
        return CONDITION.replace("p", identity)
    return QUERIES.get(last, "").replace("Patient/p", f"Patient/{identity}")


def request_of(interaction, principal, identity="p"):
    words = WORDS | {"id": identity}
    content = body(interaction, identity)
    data = json.dumps(content).encode() if content else b""

    async def receive():
        return {"type": "http.request", "body": data, "more_body": False}

    last = interaction.shape[-1] if interaction.shape else ""
    return Request(
        method=interaction.method,
        path=tuple(words.get(word, word) for word in interaction.shape),
        query=query(interaction, last, identity),
        headers=HEADERS.get(interaction.method) or HEADERS.get(last) or JSON,
        receive=receive,
        base="http://clinic.test/fhir",
        principal=principal,
        largest=1024 * 1024,
    )


@pytest.fixture
def rows_of(clinic, store):
    """Return a function that reads the audit rows of somebody, oldest first."""

    async def read(principal):
        return await store._hot.within(clinic.tenant.number).fetch(
            "select outcome, cardinality(patients) as named from audit"
            " where tenant = $1 and account = $2 order by counter",
            *(clinic.tenant.number, principal.account),
        )

    return read


@pytest.fixture
def outcomes(clinic, store, rows_of):
    """Return a function that runs an interaction and tells the outcomes of its audit rows."""

    async def run(interaction, role, identity="p"):
        principal = clinic.principal(role)
        request = request_of(interaction, principal, identity)
        status = 200
        try:
            status = (await interaction.run(store, request)).status
        except FhirError as error:
            status = error.http_status
        return status, [row["outcome"] for row in await rows_of(principal)]

    return run


@pytest.fixture(autouse=True)
async def patient(clinic):
    await clinic.put({"resourceType": "Patient", "id": "p", "active": True})


def last_word(interaction):
    return interaction.shape[-1] if interaction.shape else ""


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=name)
async def test_a8_what_was_done_has_a_row(outcomes, interaction):
    status, rows = await outcomes(interaction, WHO.get(last_word(interaction), "clinician"))

    assert status < 400
    assert DONE in rows


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=name)
async def test_a8_what_was_refused_has_a_row(outcomes, interaction):
    status, rows = await outcomes(interaction, "nobody")

    assert status == 403
    assert rows == [REFUSED]


@pytest.mark.parametrize(
    "interaction",
    [one for one in INTERACTIONS if one.code not in CREATES_OR_FINDS_NONE],
    ids=name,
)
async def test_a8_what_was_not_there_has_a_row(outcomes, interaction):
    role = WHO.get(last_word(interaction), "clinician")

    status, rows = await outcomes(interaction, role, "nothing")

    assert rows
    assert NOTHING in rows or status < 400


async def silent(_store, _request):
    return Answer(200)


@pytest.mark.parametrize("role", ["clinician", "nobody"])
async def test_an_interaction_that_writes_no_row_would_be_found(outcomes, role):
    planted = Interaction("operation", "GET", ("type", "id", "$silent"), silent)

    _, rows = await outcomes(planted, role)

    assert rows == []


async def test_a8_every_entry_of_a_batch_has_its_row(clinic, rows_of):
    nurse = clinic.principal("nurse")
    urls = ["Patient/p", "Patient/nothing", "AuditEvent/1-1-1-1", "Patient?active=true"]
    entry = [{"request": {"method": "GET", "url": url}} for url in urls]
    async with clinic.client(nurse) as client:
        await client.post("", json={"resourceType": "Bundle", "type": "batch", "entry": entry})

    rows = await rows_of(nurse)
    assert [row["outcome"] for row in rows] == [DONE, NOTHING, REFUSED, DONE]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a8_a_write_that_met_another_version_has_a_row(clinic, rows_of, method):
    clinician = clinic.principal("clinician")
    late = {"json": {"resourceType": "Patient", "id": "p"}, "headers": {"if-match": 'W/"9"'}}
    async with clinic.client(clinician) as client:
        answer = await client.request(method, "Patient/p", **late)

    (row,) = await rows_of(clinician)
    assert (answer.status_code, row["outcome"], row["named"]) == (412, NOTHING, 1)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "Patient/other", 400),
        ("POST", "Observation", 400),
        ("POST", "Observation/p", 405),
        ("GET", "Patient/p/_history/none", 404),
        ("GET", "Nothing/p", 404),
    ],
)
async def test_what_touches_and_shows_nothing_has_none(clinic, rows_of, method, path, status):
    clinician = clinic.principal("clinician")
    content = {"resourceType": "Patient", "id": "p"}
    async with clinic.client(clinician) as client:
        answer = await client.request(method, path, json=content)

    assert answer.status_code == status
    assert await rows_of(clinician) == []
