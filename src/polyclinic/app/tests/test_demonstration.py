"""The demonstration: loaded once, completed when it was interrupted, with passwords that work."""

import json
from dataclasses import replace

import pytest
import pytest_asyncio

from polyclinic.app import demonstration
from polyclinic.app.build import job_principal, migrations, services
from polyclinic.app.modules import MODULES
from polyclinic.base.clock import SystemClock
from polyclinic.base.db.migrate import migrate
from polyclinic.base.settings import Settings
from polyclinic.kernel.module import Module
from polyclinic.kernel.search.query import parse_query
from polyclinic.modules.identity.service import Identity

SIZE = 2


@pytest_asyncio.fixture(loop_scope="session")
async def opened(make_database, tmp_path):
    """Yield what a command works with, on an empty database of its own."""
    database = await make_database()
    await migrate(database, migrations(MODULES), SystemClock())
    async with services(Settings(data=tmp_path, job_concurrency=0), database, MODULES) as made:
        yield made


async def patients(opened):
    principal = job_principal(opened, "test")
    query, _ = parse_query("Patient", [("_summary", "count")], "")
    return (await opened.store.search(principal, query)).total


def passwords(opened):
    return json.loads((opened.settings.data / "demo-accounts.json").read_text())


async def test_each_printed_password_signs_its_account_in(opened):
    await demonstration.prepare(opened, None, SIZE)

    identity = opened.part(Identity)
    people = {
        name: (await identity.sign_in(name, password, "127.0.0.1"))[1]
        for name, password in passwords(opened).items()
    }
    assert {name: set(person.roles) for name, person in people.items()} == {
        "doctor": {"clinician"},
        "nurse": {"nurse"},
        "frontdesk": {"frontdesk"},
        "administrator": {"administrator"},
        "patient": {"patient"},
    }
    own = people["patient"].patient
    assert (await opened.store.read(people["patient"], "Patient", own)).id == own


async def test_the_doctor_and_the_nurse_are_people_of_the_population(opened):
    await demonstration.prepare(opened, None, SIZE)

    identity = opened.part(Identity)
    people = {
        name: (await identity.sign_in(name, password, "127.0.0.1"))[1]
        for name, password in passwords(opened).items()
    }
    linked = {name: person.practitioner for name, person in people.items() if person.practitioner}
    assert set(linked) == {"doctor", "nurse"}
    doctor = await opened.store.read(people["doctor"], "Practitioner", linked["doctor"])
    assert json.loads(doctor.body)["name"][0]["text"] == people["doctor"].display
    assert people["patient"].patient == "story-diabetes"


async def test_only_their_owner_reads_the_passwords(opened):
    await demonstration.prepare(opened, None, SIZE)

    assert (opened.settings.data / "demo-accounts.json").stat().st_mode & 0o077 == 0
    assert len(set(passwords(opened).values())) == 5


async def test_a_second_start_loads_nothing_and_keeps_the_passwords(opened):
    await demonstration.prepare(opened, None, SIZE)
    before = passwords(opened)

    await demonstration.prepare(opened, None, 2 * SIZE)

    assert await patients(opened) == SIZE
    assert passwords(opened) == before


async def test_a_population_that_was_interrupted_is_completed(opened, monkeypatch):
    parts = []

    async def interrupted(store, principal, part):
        parts.append(part)
        if len(parts) > 2:
            raise KeyboardInterrupt
        return await stored(store, principal, part)

    stored = demonstration._store
    monkeypatch.setattr(demonstration, "_store", interrupted)
    monkeypatch.setattr(demonstration, "_PART", 50)
    with pytest.raises(KeyboardInterrupt):
        await demonstration.prepare(opened, None, SIZE)
    monkeypatch.undo()
    assert await patients(opened) < SIZE

    await demonstration.prepare(opened, None, SIZE)

    assert await patients(opened) == SIZE


async def test_what_modules_add_to_it_is_stored(opened, monkeypatch):
    def basics(record, _seed, _today):
        if record[0]["resourceType"] == "Patient":
            name = record[0]["id"]
            yield {
                "resourceType": "Basic",
                "id": f"{name}-basic",
                "code": {"text": "Added"},
                "subject": {"reference": f"Patient/{name}"},
            }

    added = Module(name="added", summary="Adds to each patient.", contributor=basics)
    monkeypatch.setattr(demonstration, "MODULES", (*MODULES, added))

    await demonstration.prepare(opened, None, SIZE)

    query, _ = parse_query("Basic", [("_summary", "count")], "")
    assert (await opened.store.search(job_principal(opened, "test"), query)).total == SIZE


async def test_lost_passwords_are_made_anew_and_work(opened):
    await demonstration.prepare(opened, None, SIZE)
    (opened.settings.data / "demo-accounts.json").unlink()

    await demonstration.prepare(opened, None, SIZE)

    password = passwords(opened)["doctor"]
    assert await opened.part(Identity).sign_in("doctor", password, "127.0.0.1")


async def test_a_folder_is_loaded_instead(opened, tmp_path):
    folder = tmp_path / "patients"
    folder.mkdir()
    (folder / "Patient.ndjson").write_text('{"resourceType":"Patient","id":"mine"}\n')

    await demonstration.prepare(opened, folder, SIZE)

    assert await patients(opened) == 1


def test_a_second_demonstration_in_the_folder_says_so(tmp_path):
    settings = replace(Settings(), data=tmp_path)

    refused = pytest.raises(demonstration.AlreadyRunning, match=str(tmp_path))
    with demonstration.alone(settings), refused, demonstration.alone(settings):
        pass

    with demonstration.alone(settings):
        assert (tmp_path / "demo.lock").exists()
