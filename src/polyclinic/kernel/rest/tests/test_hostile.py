"""What nobody should send: each gets one clear answer, never a 500."""

import pytest

NUL_NAME = b'{"resourceType":"Patient","name":[{"family":"a\\u0000b"}]}'
LONE_SURROGATE = b'{"resourceType":"Patient","name":[{"family":"a\\ud800b"}]}'
HUGE_NUMBER = (
    b'{"resourceType":"Observation","status":"final","code":{"text":"x"},'
    b'"valueQuantity":{"value":1e999999}}'
)
LONG_NAME = b'{"resourceType":"Patient","name":[{"family":"' + b"x" * 200_000 + b'"}]}'


@pytest.mark.parametrize(
    "address",
    [
        "Patient/%00",
        "Patient/a%2Fb",
        "Patient/%ff",
        "Patient/x/_history/%00",
        "Patient/x/_history/99999999999999999999",
        "Patient/" + "x" * 5000,
        "Patient/%E2%82%AC",
        "Patient?_id=%00",
        "Patient?name=%00",
        "Patient?name=a%00b",
        "Patient?identifier=%00|%00",
        "Patient?_count=99999999999999999999999",
        "Patient?birthdate=9999-12-31",
        "Patient?birthdate=0000",
        "Patient?organization=Organization/%00",
        "Observation?value-quantity=1e308",
        "Observation?value-quantity=gt1e-400",
        "Patient?_lastUpdated=gt9999-12-31",
        "Patient?_lastUpdated=0001",
        "Patient/_history?_since=0001-01-01T00:00:00Z",
        "Patient/_history?_since=%00",
        "Patient/_history?_after=%00",
        "_history?_count=0",
        "%00",
        "%2e%2e/%2e%2e",
    ],
)
async def test_a_hostile_address_is_no_server_error(fhir, address):
    answer = await fhir.get(address)

    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("body", [NUL_NAME, LONE_SURROGATE, HUGE_NUMBER, LONG_NAME])
async def test_a_hostile_body_is_no_server_error(fhir, body):
    resource_type = "Observation" if b"Observation" in body else "Patient"

    answer = await fhir.post(resource_type, content=body)

    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_hostile_id_is_no_server_error(fhir, method):
    media = "application/json-patch+json" if method == "PATCH" else "application/fhir+json"

    answer = await fhir.request(
        method, "Patient/%00", content=b"[]", headers={"content-type": media}
    )

    assert answer.status_code < 500
