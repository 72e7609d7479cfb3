"""Whatever batch or transaction is sent, it is done or refused with a reason: never a failure.

``make fuzz`` sends 50,000 Bundles; every run sends a fiftieth of them.
"""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.rest import FhirApplication, Limits
from polyclinic.testing.broken_bundles import nearly_bundle
from polyclinic.testing.isolation.calls import send
from polyclinic.testing.isolation.chance import Chance

SHARE = 5
"""Bundles of one example, of which ``make fuzz`` makes 5,000 for each role."""
FORESEEN = {200, 400, 403, 404, 409, 410, 412, 413, 415, 422}
"""Of a whole Bundle."""
LIMITS = Limits(body=4 * 1024 * 1024, in_flight=256)


@pytest.fixture(params=["job", "patient"])
def application(filled, request):
    """Return the FHIR base as somebody who may write everything, and a patient, see it."""
    patient = "a" if request.param == "patient" else None
    principal = filled.principal(request.param, patient=patient)

    async def authenticate(headers, method) -> Principal:  # noqa: ARG001 - the contract's arguments
        return principal

    return FhirApplication(filled.store, authenticate, LIMITS, None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**64 - 1))
async def test_no_bundle_is_answered_by_a_failure(application, seed):
    chance = Chance(seed)

    for call in [nearly_bundle(chance) for _ in range(SHARE)]:
        reply = await send(application, call)

        assert reply.status in FORESEEN, f"{reply.status}: {call}"
        answer = msgspec.json.decode(reply.body) if reply.body else {}
        rows = answer.get("entry", ()) if answer.get("type", "").endswith("-response") else ()
        statuses = [row["response"]["status"] for row in rows]
        assert [one for one in statuses if one[0] not in "1234"] == [], f"{statuses}: {call}"


async def test_the_generator_makes_bundles_that_are_done_and_that_are_refused(application):
    calls = [nearly_bundle(Chance(seed)) for seed in range(150)]

    replies = [await send(application, call) for call in calls]

    assert {200, 400} <= {reply.status for reply in replies}
