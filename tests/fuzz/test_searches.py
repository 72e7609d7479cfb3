"""Whatever is searched for, the answer is a page or says what is wrong: never a failure.

``make fuzz`` sends 50,000 searches; every run sends a fiftieth of them.
"""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.rest import FhirApplication, Limits
from polyclinic.testing.broken import nearly
from polyclinic.testing.isolation.calls import send
from polyclinic.testing.isolation.chance import Chance

SHARE = 5
"""Searches of one example, of which ``make fuzz`` makes 5,000 for each role."""
FORESEEN = {200, 400, 403, 404, 405, 406, 422}
LIMITS = Limits(body=4 * 1024 * 1024, in_flight=256)


@pytest.fixture(params=["clinician", "patient"])
def application(filled, request):
    """Return the FHIR base as a clinician and as a patient see it."""
    patient = "a" if request.param == "patient" else None
    principal = filled.principal(request.param, patient=patient)

    async def authenticate(headers, method) -> Principal:  # noqa: ARG001 - the contract's arguments
        return principal

    return FhirApplication(filled.store, authenticate, LIMITS, None)


def said(reply):
    """Return the kind of an answer: ``Bundle``, ``OperationOutcome``; nothing for a HEAD."""
    return msgspec.json.decode(reply.body)["resourceType"] if reply.body else ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**64 - 1))
async def test_no_search_is_answered_by_a_failure(application, seed):
    chance = Chance(seed)

    for call in [nearly(chance) for _ in range(SHARE)]:
        reply = await send(application, call)

        assert reply.status in FORESEEN, f"{reply.status}: {call}"
        assert said(reply) in ({"", "Bundle"} if reply.status == 200 else {"", "OperationOutcome"})


def test_the_generator_makes_right_and_wrong_searches_of_every_place():
    calls = [nearly(Chance(seed)) for seed in range(2_000)]

    places = {call.target.partition("?")[0].count("/") for call in calls}
    assert places >= {2, 3, 4}
    assert {call.method for call in calls} == {"GET", "HEAD", "POST"}
    assert len({call.target for call in calls}) > 1_500
