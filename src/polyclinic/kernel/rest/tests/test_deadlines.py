"""A request that takes too long is given up, and leaves nothing half done."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import httpx
import pytest

from polyclinic.base.db.connect import connected
from polyclinic.kernel.rest import Deadlines, FhirApplication, Limits
from polyclinic.kernel.rest.outcome import failure
from polyclinic.kernel.store import Store, ending
from polyclinic.testing.retries import KEY, REQUESTS, count, shape

SHORT, LONG = 0.2, 30.0
PATIENT = {"resourceType": "Patient", "active": True}


@pytest.fixture
def hasty(clinic):
    """Return a function that lends a client whose requests have a time limit."""

    @asynccontextmanager
    async def lend(seconds=SHORT):
        principal = replace(clinic.principal("job"), account=1)

        async def authenticate(headers, method):
            del headers, method
            return principal

        limits = Limits(body=10**6, in_flight=64, deadlines=Deadlines(seconds))
        application = FhirApplication(clinic.store, authenticate, limits, None)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(application),
            base_url="http://clinic.test/fhir/",
            headers={"content-type": "application/fhir+json"},
        ) as client:
            yield client

    return lend


@pytest.fixture
def sleeping(monkeypatch):
    """Let every search take a second in the database."""

    async def search(store, principal, _query):
        await store._hot.within(principal.tenant).fetchval("select 'test_deadlines', pg_sleep(1)")
        raise AssertionError

    monkeypatch.setattr(Store, "search", search)


@pytest.mark.usefixtures("sleeping")
@pytest.mark.parametrize(("seconds", "status"), [(SHORT, 503), (LONG, 500)])
async def test_d1_an_answer_that_takes_too_long_is_503_in_clear_words(hasty, seconds, status):
    async with hasty(seconds) as client:
        answer = await client.get("Patient")

    assert answer.status_code == status
    assert ("took too long" in answer.text) is (status == 503)


@pytest.mark.usefixtures("sleeping")
async def test_d1_what_is_given_up_is_given_up_in_the_database_too(hasty, database):
    async with hasty() as client:
        await client.get("Patient")
    running = -1
    async with connected(database.require_owner()) as owner:
        for _ in range(40):
            running = await owner.fetchval(
                "select count(*) from pg_stat_activity where state = 'active'"
                " and query like '%test_deadlines%' and pid <> pg_backend_pid()"
            )
            if not running:
                break
            await asyncio.sleep(0.02)

    assert running == 0


async def test_after_one_was_given_up_the_next_is_answered(hasty, monkeypatch, clinic):
    read = Store.read

    async def slow(*given):
        await asyncio.sleep(1)
        return await read(*given)

    async with hasty() as client:
        address = f"Patient/{(await client.post('Patient', json=PATIENT)).json()['id']}"
        with monkeypatch.context() as patched:
            patched.setattr(Store, "read", slow)
            late = await client.get(address)
        again = await client.get(address)

    assert (late.status_code, again.status_code) == (503, 200)
    assert clinic.store._hot._pool._lent == 0


@pytest.mark.parametrize("kind", ["transaction", "batch"])
async def test_a_bundle_that_is_given_up_is_not_half_stored(hasty, monkeypatch, kind):
    async def slow(_self, _connection):
        await asyncio.sleep(1)

    path, body = REQUESTS[kind]
    monkeypatch.setattr(ending.Ending, "keep", slow)
    async with hasty() as client:
        answer = await client.post(path, json=body, headers={"idempotency-key": KEY})
        monkeypatch.undo()
        stored = await count(client)
        again = await client.post(path, json=body, headers={"idempotency-key": KEY})
        afterwards = await count(client)

    assert (answer.status_code, stored) == (503, (0, 0))
    assert "Idempotency-Key" in answer.text
    assert (again.status_code, afterwards) == (200, (3, 3))


async def test_a_request_that_is_given_up_takes_none_of_its_batch_with_it(
    hasty, monkeypatch, clinic
):
    writer = clinic.store.writes._writer
    together = writer._coalescer._run

    async def slow(*given):
        await asyncio.sleep(3 * SHORT)
        return await together(*given)

    monkeypatch.setattr(writer._coalescer, "_run", slow)
    async with hasty() as client, hasty(LONG) as patient_client:
        late, whole = await asyncio.gather(
            client.post("Patient", json=PATIENT), patient_client.post("Patient", json=PATIENT)
        )
        await asyncio.sleep(SHORT)
        found = await patient_client.get(whole.headers["location"])
        stored = await count(patient_client)

    assert (late.status_code, whole.status_code) == (503, 201)
    assert shape(found)[1] == whole.content
    assert stored == (2, 2)


async def test_a_commit_is_seen_through_and_answered(hasty, monkeypatch):
    commit = asyncpg.transaction.Transaction.commit

    async def slow(self):
        await commit(self)
        await asyncio.sleep(3 * SHORT)

    monkeypatch.setattr(asyncpg.transaction.Transaction, "commit", slow)
    path, body = REQUESTS["transaction"]
    async with hasty() as client:
        answer = await client.post(path, json=body)
        stored = await count(client)

    assert (answer.status_code, stored) == (200, (3, 3))


async def test_waiting_for_a_slow_body_is_not_counted(hasty):
    async def slowly():
        yield b'{"resourceType":'
        await asyncio.sleep(2 * SHORT)
        yield b'"Patient"}'

    async with hasty() as client:
        answer = await client.post("Patient", content=slowly())

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "error",
    [asyncpg.QueryCanceledError, asyncpg.DiskFullError, asyncpg.TooManyConnectionsError, OSError],
)
def test_d1_what_the_database_refuses_is_503_wherever_it_shows(error):
    answer = failure(error("with words of its own"), "GET")

    assert answer.status == 503
    assert b"words" not in answer.body


def test_what_nobody_foresaw_is_500():
    assert failure(KeyError("x"), "GET").status == 500
