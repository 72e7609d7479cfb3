"""How many requests are worked on at once, and how many of them may be one tenant's."""

import asyncio

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.base.lanes import lane
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Unavailable
from polyclinic.kernel.rest import Admission, FhirApplication, Limits

PLACES = 8


def entered(admission, number):
    try:
        admission.enter(number)
    except Unavailable:
        return False
    return True


@given(st.lists(st.integers(1, 3), max_size=60), st.integers(12, 40))
def test_however_others_crowd_a_newcomer_finds_a_place(crowd, places):
    admission = Admission(places)
    held = [number for number in crowd if entered(admission, number)]

    assert all(held.count(number) <= (places + 1) // 2 for number in held)
    assert entered(admission, 4)
    for number in [*held, 4]:
        admission.leave(number)
    assert admission._free == places
    assert admission._held == {}


def test_who_is_alone_may_take_every_place():
    admission = Admission(PLACES)

    assert [entered(admission, None) for _ in range(PLACES + 1)] == [True] * PLACES + [False]


class House:
    """Two tenants in one process; requests of the slow one never end until the door opens."""

    def __init__(self):
        self.door = asyncio.Event()
        self.admission = Admission(PLACES)

    def tenant(self, number, *, is_slow):
        async def authenticate(headers, method):
            del headers, method
            if is_slow:
                await self.door.wait()
            return Principal("somebody", number, number)

        limits = Limits(body=1000, in_flight=PLACES)
        store: object = None
        application = FhirApplication(
            store,  # type: ignore[arg-type]  # no request gets as far as the store
            authenticate,
            limits,
            None,
            self.admission,
        )
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(application), base_url="http://clinic.test/fhir/"
        )


async def get(client, number):
    with lane(number):
        return await client.get("Nothing")


@pytest.mark.parametrize(("lanes", "is_stalled"), [((1, 2), False), ((None, None), True)])
async def test_d7_a_tenant_with_many_slow_requests_leaves_room_for_another(lanes, is_stalled):
    house = House()
    async with house.tenant(1, is_slow=True) as slow, house.tenant(2, is_slow=False) as other:
        crowd = [asyncio.create_task(get(slow, lanes[0])) for _ in range(3 * PLACES)]
        await asyncio.sleep(0.05)

        answer = await get(other, lanes[1])
        house.door.set()
        crowded = [one.status_code for one in await asyncio.gather(*crowd)]

    assert (answer.status_code == 503) is is_stalled
    assert crowded.count(404) == (PLACES if is_stalled else PLACES // 2)


async def test_d7_who_finds_no_room_is_told_when_to_come_back():
    house = House()
    async with house.tenant(1, is_slow=True) as slow:
        crowd = [asyncio.create_task(get(slow, 1)) for _ in range(PLACES // 2)]
        await asyncio.sleep(0.05)

        answer = await get(slow, 1)
        house.door.set()
        await asyncio.gather(*crowd)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "organization" in answer.json()["issue"][0]["diagnostics"]
