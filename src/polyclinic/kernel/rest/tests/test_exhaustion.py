"""Requests made to use up the server: each costs little and gets one clear answer."""

import gzip
import json
import time
from dataclasses import replace

import httpx
import pytest

from polyclinic.base.clock import SystemClock
from polyclinic.kernel.rest import FhirApplication, Limits
from polyclinic.kernel.store.rates import Rates
from polyclinic.kernel.types import from_json

SECONDS = 5.0
"""Far more than any of these may take on a slow machine, far less than what they are made for."""


@pytest.fixture
async def patients(clinic):
    job = clinic.principal("job")
    for number in range(30):
        resource = {"resourceType": "Patient", "id": f"p{number}", "active": True}
        await clinic.store.update(job, from_json(resource))


async def timed(asking):
    began = time.monotonic()
    answer = await asking
    return answer, time.monotonic() - began


@pytest.mark.usefixtures("patients")
@pytest.mark.parametrize("number", ["1000000000", "9" * 30])
async def test_d1_a_huge_page_is_no_larger_than_any_other(fhir, number):
    answer, seconds = await timed(fhir.get(f"Patient?_count={number}"))

    usual = (await fhir.get("Patient?_count=1000")).json()
    assert seconds < SECONDS
    assert answer.status_code in (200, 400)
    assert len(answer.json().get("entry", [])) in (0, len(usual["entry"]))


@pytest.mark.parametrize(
    "query",
    [
        "identifier=" + ",".join(f"a{number}" for number in range(10_000)),
        "&".join(f"identifier=a{number}" for number in range(2000)),
        "name=" + ",".join("abcdefghij"[number % 10] for number in range(10_000)),
    ],
)
async def test_d1_thousands_of_alternatives_are_refused(fhir, query):
    headers = {"content-type": "application/x-www-form-urlencoded"}

    answer, seconds = await timed(fhir.post("Patient/_search", content=query, headers=headers))

    assert (answer.status_code, seconds < SECONDS) == (400, True)
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.usefixtures("patients")
async def test_d1_a_deep_page_begins_at_a_place_and_not_at_a_number(fhir):
    address, sizes = "Patient?_count=1&_sort=_lastUpdated", []
    for _ in range(25):
        page = (await fhir.get(address)).json()
        sizes.append(len(page["entry"]))
        address = next(one["url"] for one in page["link"] if one["relation"] == "next")

    assert sizes == [1] * 25
    assert (await fhir.get("Patient?_offset=1000000&_count=1")).json()["entry"]
    assert "_offset" not in address


BOMB = gzip.compress(b" " * (64 * 1024 * 1024))
DEEP_LIST = b'{"resourceType":"Patient","name":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
DEEP_OBJECT = (
    b'{"resourceType":"Patient"' + b',"extension":[{"url":"x"' * 10_000 + b"}]" * 10_000 + b"}"
)
QUANTITY = (
    b'{"resourceType":"Observation","status":"final","code":{"text":"x"},'
    b'"valueQuantity":{"value":%b}}'
)


@pytest.mark.parametrize("body", [DEEP_LIST, DEEP_OBJECT, b"[" * 100_000, b'{"a":' * 100_000])
async def test_d4_json_that_nests_thousands_deep_is_refused(fhir, body):
    answer, seconds = await timed(fhir.post("Patient", content=body))

    assert seconds < SECONDS
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("packed", [BOMB, gzip.compress(BOMB)])
async def test_d4_a_gzip_bomb_is_not_inflated(fhir, packed):
    headers = {"content-encoding": "gzip"}

    answer, seconds = await timed(fhir.post("Patient", content=packed, headers=headers))

    assert seconds < SECONDS
    assert answer.status_code in (400, 413, 422)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e", "0x10", "--1", "1_000"])
async def test_d4_what_is_no_number_of_json_is_refused(fhir, number):
    answer = await fhir.post("Observation", content=QUANTITY % number.encode())

    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("number", ["9" * 5000, "1e999999999", "-1e-999999999", "0." + "1" * 5000])
async def test_d4_a_huge_number_is_one_answer_and_no_work(fhir, number):
    answer, seconds = await timed(fhir.post("Observation", content=QUANTITY % number.encode()))

    assert seconds < SECONDS
    assert answer.status_code in (201, 400, 422)


@pytest.mark.parametrize(
    ("declared", "status"), [(b"10", 201), (b"99999999999", 413), (b"1" * 5000, 413), (b"x", 201)]
)
async def test_d4_a_content_length_that_lies_is_not_believed(clinic, declared, status):
    """The server that frames HTTP holds a body to its length; we hold it to our limit."""
    body = json.dumps({"resourceType": "Patient"}).encode()
    async with clinic.client(clinic.principal("job")) as client:
        application = client._transport.app
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/fhir/Patient",
        "raw_path": b"/fhir/Patient",
        "query_string": b"",
        "headers": [(b"content-type", b"application/fhir+json"), (b"content-length", declared)],
    }
    await application(scope, receive, send)

    assert sent[0]["status"] == status


async def test_d1_an_account_that_asks_too_often_is_429_and_told_when(clinic, pool):
    rates = Rates(pool, SystemClock(), 3)
    principal = replace(clinic.principal("job"), name="hammer")

    async def authenticate(headers, method):
        del headers, method
        return principal

    limits = Limits(body=1000, in_flight=10, rates=rates)
    application = FhirApplication(clinic.store, authenticate, limits, None)
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://c.test/fhir/") as client:
        answers = [await client.get("Patient/x") for _ in range(5)]
    await rates.stop()

    # The minute may end between two of them.
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {404, 429}
    assert all(0 < int(answer.headers["retry-after"]) <= 61 for answer in refused)
