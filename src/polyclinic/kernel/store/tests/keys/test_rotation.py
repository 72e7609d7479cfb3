"""Rotation of the key-encryption key, while others work and whenever it is interrupted."""

import asyncio
import signal
import sys
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path

import pytest

from polyclinic.base.clock import SystemClock
from polyclinic.base.crypto import new_key
from polyclinic.base.db.connect import connected
from polyclinic.base.keys import KeyFile
from polyclinic.kernel.errors import Unreadable
from polyclinic.kernel.store.rotation import KeyDamaged, KeysBusy, alone, rotate, status
from polyclinic.kernel.types import from_json

SCRIPT = Path(__file__).with_name("killed_rotation.py")
spec = spec_from_file_location("killed_rotation", SCRIPT)
assert spec is not None
assert spec.loader is not None
killed_rotation = module_from_spec(spec)
spec.loader.exec_module(killed_rotation)

PATIENTS = [f"p{number}" for number in range(12)]


def patient(identity, *, active=True):
    return from_json({"resourceType": "Patient", "id": identity, "active": active})


async def rotated(installation):
    async with alone(installation.owner):
        return await rotate(installation.owner, installation.file, SystemClock())


@pytest.fixture
async def filled(clinic, job):
    """Return a clinic with patients."""
    for identity in PATIENTS:
        await clinic.store.update(job, patient(identity))
    return clinic


async def test_every_key_is_wrapped_under_a_new_one_and_the_old_one_is_gone(installation, filled):
    (old,) = [key.name for key in await installation.file.read()]

    done = await rotated(installation)

    assert done.kek != old
    assert done.keys == len(PATIENTS) + 1
    assert await installation.keks() == {done.kek}
    assert [key.name for key in await installation.file.read()] == [done.kek]
    assert await installation.faults(filled) == []


async def test_a_process_that_runs_and_one_that_starts_go_on(installation, filled, job):
    await rotated(installation)
    later = await installation.process()
    await later.store.update(job, patient("later"))

    for clinic in (filled, later):
        await clinic.store.update(job, patient(f"new to {id(clinic)}".replace(" ", "-")))
        for identity in (*PATIENTS, "later"):
            assert (await clinic.store.read(job, "Patient", identity)).id == identity


class Workers:
    """Readers and writers in several processes, and what went wrong in them."""

    def __init__(self, clinics, job):
        self._clinics = clinics
        self._job = job
        self._ended = asyncio.Event()
        self._numbers = count(1)
        self.errors: list[Exception] = []
        self.done = 0

    async def during(self, work):
        """Work until something else is done; return what that returned."""
        async with asyncio.TaskGroup() as tasks:
            for clinic in self._clinics:
                tasks.create_task(self._read(clinic.store))
                tasks.create_task(self._write(clinic.store))
            try:
                return await work
            finally:
                self._ended.set()

    async def _read(self, store):
        while not self._ended.is_set():
            for identity in PATIENTS:
                # As after a restart: every key is asked for again.
                store.keys.forget(self._job.tenant, range(1, 2000))
                await self._noted(store.read(self._job, "Patient", identity))

    async def _write(self, store):
        while not self._ended.is_set():
            number = next(self._numbers)
            await self._noted(store.update(self._job, patient(f"n{number}")))
            changed = patient(PATIENTS[number % len(PATIENTS)], active=number % 2 == 0)
            await self._noted(store.update(self._job, changed))

    async def _noted(self, work):
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is looked at afterwards
            self.errors.append(error)
            await asyncio.sleep(0.01)
        self.done += 1


async def three_times(installation):
    for _ in range(3):
        await rotated(installation)
        await asyncio.sleep(0.1)


async def test_readers_and_writers_go_on_while_keys_are_rotated(installation, filled, job):
    workers = Workers([filled, await installation.process()], job)

    await workers.during(three_times(installation))

    (left,) = [key.name for key in await installation.file.read()]
    assert workers.errors == []
    assert workers.done > 20
    assert await installation.keks() == {left}
    assert await installation.faults(await installation.process()) == []


async def test_processes_that_never_read_the_key_file_again_would_fail(installation, filled, job):
    del filled
    workers = Workers([await installation.process(rereads=False)], job)

    await workers.during(three_times(installation))

    assert {type(error) for error in workers.errors} == {Unreadable}


@pytest.mark.parametrize("point", killed_rotation.POINTS)
async def test_a_rotation_that_is_killed_can_be_run_again(installation, filled, job, point):
    killed = await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, installation.database.require_owner(), installation.path, point
    )
    assert await killed.wait() == -signal.SIGKILL

    between = await installation.process()
    for clinic in (filled, between):
        await clinic.store.update(job, patient(f"between-{id(clinic)}"))
        assert (await clinic.store.read(job, "Patient", PATIENTS[0])).id == PATIENTS[0]
    done = await rotated(installation)

    assert [key.name for key in await installation.file.read()] == [done.kek]
    assert await installation.keks() == {done.kek}
    assert await installation.faults(await installation.process()) == []


async def test_a_key_that_was_destroyed_stays_so(installation, filled):
    destroyed = await installation.owner.fetchval(
        "update data_key set wrapped = null, destroyed = 'epoch' where purpose = 'patient'"
        " and patient = (select min(patient) from data_key) returning key_id"
    )

    done = await rotated(installation)

    assert done.keys == len(PATIENTS)
    assert (await status(installation.owner)).destroyed == 1
    assert await installation.owner.fetchval(
        "select wrapped is null from data_key where key_id = $1", destroyed
    )
    del filled


async def test_nothing_is_changed_when_the_key_file_is_another(installation, filled, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(new_key())
    other.chmod(0o400)
    before = await status(installation.owner)

    async with alone(installation.owner):
        with pytest.raises(KeyDamaged, match="restore the key file"):
            await rotate(installation.owner, KeyFile(other), SystemClock())

    assert await status(installation.owner) == before
    assert len(await KeyFile(other).read()) == 1
    del filled


async def test_two_rotations_do_not_run_at_once(installation):
    async with (
        connected(installation.database.require_owner()) as second,
        alone(installation.owner),
    ):
        with pytest.raises(KeysBusy):
            async with alone(second):
                pass
    async with alone(installation.owner):
        assert True
