"""What a client is told of records that were erased or cannot be opened."""

from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from polyclinic.base.db.connect import connected
from polyclinic.testing.clinic import Clinic


def observation(identity):
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": {"text": "Secret word"},
        "subject": {"reference": "Patient/p"},
    }


@pytest_asyncio.fixture(loop_scope="session")
async def change(postgres, database):
    """Return a function that changes the tables as nobody may."""
    name = urlsplit(database.app_dsn).path[1:]
    async with connected(postgres.url(name)) as connection:
        yield connection.execute


@pytest.fixture
async def damaged(clinic: Clinic, change):
    """Store three observations and damage the second."""
    for identity in ("a", "b", "c"):
        await clinic.put(observation(identity))
    await change(
        "update resource set body = substr(body, 2) where tenant = $1 and id = 'b'",
        clinic.tenant.number,
    )


@pytest.fixture
async def erased(clinic: Clinic, change):
    """Store two versions and leave them as an erasure does."""
    await clinic.put(observation("a"))
    await clinic.put(observation("a") | {"status": "amended"})
    for statement in (
        "update data_key set wrapped = null, destroyed = 'epoch' where patient > 0 and tenant = $1",
        "update version set body = null where tenant = $1",
        "update resource set body = null where tenant = $1 and version > 0",
    ):
        await change(statement, clinic.tenant.number)


@pytest.mark.usefixtures("damaged")
async def test_what_cannot_be_opened_is_a_clean_500_and_others_are_answered(fhir):
    answers = [await fhir.get(f"Observation/{identity}") for identity in ("a", "b", "c")]

    assert [answer.status_code for answer in answers] == [200, 500, 200]
    (issue,) = answers[1].json()["issue"]
    assert issue["code"] == "exception"
    assert "cannot be opened" in issue["diagnostics"]


@pytest.mark.usefixtures("damaged")
async def test_a_batch_has_the_answers_of_the_others(fhir):
    entries = [{"request": {"method": "GET", "url": f"Observation/{one}"}} for one in "abc"]
    batch = {"resourceType": "Bundle", "type": "batch", "entry": entries}

    answer = await fhir.post("", json=batch)

    assert [one["response"]["status"][:3] for one in answer.json()["entry"]] == [
        "200",
        "500",
        "200",
    ]


@pytest.mark.usefixtures("damaged")
async def test_a_search_shows_the_others_with_a_warning(fhir):
    found = (await fhir.get("Observation", params={"patient": "p"})).json()["entry"]

    shown = sorted(
        one["resource"].get("id", "") for one in found if one["search"]["mode"] == "match"
    )
    (told,) = [one["resource"] for one in found if one["search"]["mode"] == "outcome"]
    assert shown == ["a", "c"]
    assert "cannot be opened" in told["issue"][0]["diagnostics"]


@pytest.mark.usefixtures("damaged")
async def test_a_history_has_an_entry_without_it(fhir):
    (entry,) = (await fhir.get("Observation/b/_history")).json()["entry"]

    assert "resource" not in entry
    assert entry["response"]["status"] == "500"
    assert entry["response"]["outcome"]["issue"][0]["code"] == "exception"


@pytest.mark.usefixtures("erased")
@pytest.mark.parametrize(
    "address", ["Observation/a", "Observation/a/_history/1", "Observation/a/_history/2"]
)
async def test_what_was_erased_is_gone_and_says_so(fhir, address):
    answer = await fhir.get(address)

    assert answer.status_code == 410
    (issue,) = answer.json()["issue"]
    assert issue["code"] == "deleted"
    assert "erased" in issue["diagnostics"]


@pytest.mark.usefixtures("erased")
async def test_a_history_says_when_and_that_it_was_erased(fhir):
    entries = (await fhir.get("Observation/a/_history")).json()["entry"]

    assert [one["response"]["status"] for one in entries] == ["410", "410"]
    assert [one["response"]["etag"] for one in entries] == ['W/"2"', 'W/"1"']
    assert not any("resource" in one for one in entries)


@pytest.mark.usefixtures("erased")
async def test_a_search_is_silent_about_what_was_erased(fhir):
    found = (await fhir.get("Observation", params={"patient": "p"})).json()

    assert found.get("entry", []) == []
