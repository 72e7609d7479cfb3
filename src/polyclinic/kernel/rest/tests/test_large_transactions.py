"""Transactions of thousands of entries: bounded, whole or nothing, and in nobody's way."""

import asyncio
import json
import signal
import sys
import time
from pathlib import Path

import pytest

from polyclinic.base.crypto import Sealer, new_key
from polyclinic.base.keys import KeyRing
from polyclinic.testing.clinic import Clinic

SCRIPT = Path(__file__).with_name("killed_writer.py")
SYSTEM = "urn:example:number"
ENTRIES = 4500
SECONDS = 60
"""What such a transaction may take on a busy machine; it takes 4 on a quiet one."""
PATIENCE = 2.0
"""What others may have to wait meanwhile, in seconds."""


def name(number):
    return f"urn:uuid:{number:08d}-0000-4000-8000-000000000000"


def large():
    """Return a transaction of a patient, unless there already, and of observations."""
    patient = {
        "fullUrl": name(0),
        "resource": {
            "resourceType": "Patient",
            "identifier": [{"system": SYSTEM, "value": "1"}],
        },
        "request": {
            "method": "POST",
            "url": "Patient",
            "ifNoneExist": f"identifier={SYSTEM}|1",
        },
    }
    entries = [observation(number) for number in range(1, ENTRIES)]
    return {"resourceType": "Bundle", "type": "transaction", "entry": [patient, *entries]}


def observation(number):
    resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2339-0"}]},
        "subject": {"reference": name(0)},
        "derivedFrom": [{"reference": name(number % (ENTRIES - 1) + 1)}],
        "effectiveDateTime": "2026-01-02T03:04:05Z",
        "valueQuantity": {"value": number, "unit": "mg/dL"},
        "note": [{"text": "Words of a note. " * 10}],
    }
    return {
        "fullUrl": name(number),
        "resource": resource,
        "request": {"method": "POST", "url": "Observation"},
    }


async def total(client, resource_type):
    return (await client.get(f"{resource_type}?_summary=count")).json()["total"]


@pytest.mark.timeout(180)
async def test_it_is_done_in_time_and_others_are_answered_meanwhile(fhir, clinic):
    body = json.dumps(large())
    await clinic.put({"resourceType": "Organization", "id": "o", "name": "x"})
    waited, done = [], asyncio.Event()

    async def others():
        while not done.is_set():
            began = time.perf_counter()
            assert (await fhir.get("Organization/o")).status_code == 200
            waited.append(time.perf_counter() - began)
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(others())
    began = time.perf_counter()
    answer = await fhir.post("", content=body)
    seconds = time.perf_counter() - began
    done.set()
    await watching

    assert answer.status_code == 200, answer.text[:500]
    rows = answer.json()["entry"]
    patient = rows[0]["response"]["location"].partition("/_history")[0]
    assert {row["resource"]["subject"]["reference"] for row in rows[1:]} == {patient}
    assert await total(fhir, "Observation") == ENTRIES - 1
    assert seconds < SECONDS
    assert max(waited) < PATIENCE


@pytest.mark.timeout(180)
@pytest.mark.parametrize("point", ["half", "last"])
async def test_a_process_that_dies_in_the_middle_leaves_nothing_of_it(kill, tmp_path, point):
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(large()))

    code, client = await kill(point, file)

    assert code == -signal.SIGKILL
    async with client:
        assert [await total(client, one) for one in ("Patient", "Observation")] == [0, 0]
        answer = await client.post("", content=file.read_bytes())
        assert answer.json()["entry"][0]["response"]["status"] == "201 Created"


@pytest.fixture
def kill(database, clinic, store):
    """Return a function that lets a process die in a transaction that stands in a file."""

    async def run(point, file):
        kek, tenant = new_key(), f"{clinic.tenant.name}-killed"
        opened = await store.open_tenant(tenant, KeyRing([Sealer(kek)]))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, SCRIPT, database.app_dsn, tenant, kek.hex(), point, "", f"@{file}")
        )
        code = await process.wait()
        victim = Clinic(store, opened)
        return code, victim.client(victim.principal("job"))

    return run
