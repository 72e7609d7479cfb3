"""A process that dies or stalls in the middle of a request that is sent again."""

import asyncio
import json
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from polyclinic.base.crypto import Sealer, new_key
from polyclinic.base.keys import KeyRing
from polyclinic.kernel.rest import idempotency
from polyclinic.kernel.store import Store
from polyclinic.kernel.store.idempotency import Claim, ClaimLost
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.testing.clinic import Clinic
from polyclinic.testing.retries import (
    ACCOUNT,
    KEY,
    MADE,
    PATIENT,
    REQUESTS,
    Later,
    count,
    send,
    shape,
)

SCRIPT = Path(__file__).with_name("killed_writer.py")
spec = spec_from_file_location("killed_writer", SCRIPT)
assert spec
assert spec.loader
killed_writer = module_from_spec(spec)
spec.loader.exec_module(killed_writer)


@pytest.fixture
def take_over(client, other, store, monkeypatch):
    """Return a function that lets a retry take over from a claimer who then goes on."""

    async def run():
        keep, proceed, reached = Claim.keep, asyncio.Event(), asyncio.Event()

        async def slow(self, *given):
            if self._claims is store.claims:
                reached.set()
                await proceed.wait()
            return await keep(self, *given)

        monkeypatch.setattr(Claim, "keep", slow)
        running = asyncio.create_task(send(client))
        await reached.wait()
        monkeypatch.setattr(other._transport.app._store.claims, "clock", Later(seconds=16))
        taken = await send(other)
        proceed.set()
        return taken, await running

    return run


async def test_a_claimer_that_was_only_slow_is_rolled_back(client, take_over):
    taken, late = await take_over()

    assert (taken.status_code, late.status_code) == (201, ClaimLost.status)
    assert await count(client) == (1, 1)
    assert shape(await send(client)) == shape(taken)


async def test_the_control_without_the_fence_writes_it_twice(client, take_over, monkeypatch):
    fenced = STATEMENTS["idempotency_answer"]
    open_to_all = fenced.replace("attempt = $4 and status is null", "$4::int > 0")
    monkeypatch.setitem(STATEMENTS, "idempotency_answer", open_to_all)

    await take_over()

    assert open_to_all != fenced
    assert await count(client) == (2, 2)


async def test_a_long_request_renews_its_claim(client, other, monkeypatch):
    monkeypatch.setattr("polyclinic.kernel.store.idempotency._LEASE", timedelta(seconds=0.3))
    monkeypatch.setattr(idempotency, "_PAUSES", (0.2, 0.2, 0.2, 0.2))
    create = Store.create

    async def slow(self, *given):
        await asyncio.sleep(1)
        return await create(self, *given)

    monkeypatch.setattr(Store, "create", slow)
    first, retry = await asyncio.gather(send(client), send(other))

    assert sorted([first.status_code, retry.status_code]) == [201, 409]
    assert await count(client) == (1, 1)


@pytest.fixture
def kek_bytes():
    return new_key()


@pytest.fixture
def kill(database, clinic, kek_bytes, store):
    """Return a function that lets a process die in the middle of a request."""

    async def run(kind, point):
        name = f"{clinic.tenant.name}-killed"
        tenant = await store.open_tenant(name, KeyRing([Sealer(kek_bytes)]))
        path, body = REQUESTS[kind]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, SCRIPT, database.app_dsn, name, kek_bytes.hex()),
            *(point, path, json.dumps(body)),
        )
        code = await process.wait()
        victim = Clinic(store, tenant)
        return code, victim, replace(victim.principal("job"), account=ACCOUNT)

    return run


KILLS = [
    *((kind, point) for kind in ("create", "transaction") for point in killed_writer.POINTS),
    *(("batch", point) for point in killed_writer.BATCH_POINTS if point != "committed"),
]


@pytest.mark.parametrize(("kind", "point"), KILLS)
async def test_r1_a_request_whose_process_was_killed_is_done_once_by_its_retry(
    kill, store, monkeypatch, kind, point
):
    code, victim, principal = await kill(kind, point)
    path, body = REQUESTS[kind]
    # httpx writes JSON without spaces, the killed process was given json.dumps' bytes.
    given = {"content": json.dumps(body), "headers": {"idempotency-key": KEY}}

    async with victim.client(principal) as client:
        if point != "committed":
            monkeypatch.setattr(idempotency, "_PAUSES", (0.01,))
            early = await client.post(path, **given)
            monkeypatch.undo()
            monkeypatch.setattr(store.claims, "clock", Later(seconds=16))
            assert early.status_code == 409
        first = await client.post(path, **given)
        again = await client.post(path, **given)
        counted = await count(client)

    assert code == -signal.SIGKILL
    assert first.status_code in (200, 201)
    assert shape(again) == shape(first)
    assert counted == (MADE[kind], MADE[kind])


async def test_r1_the_control_without_a_key_makes_it_twice(kill):
    _, victim, principal = await kill("create", "committed")

    async with victim.client(principal) as client:
        await client.post("Patient", json=PATIENT)
        counted = await count(client)

    assert counted == (2, 2)
