"""R1: a process that is killed between any two steps leaves an attachment whole or not at all."""

import asyncio
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from polyclinic.kernel.store.blobs import Swept

SCRIPT = Path(__file__).with_name("killed_keeper.py")
killed_keeper = SimpleNamespace(**runpy.run_path(str(SCRIPT)))
KILLED = -9


@pytest.fixture
def keeper(ward, database, tmp_path, kek_bytes):
    """Return a function that runs the process and returns its exit code and what it printed."""

    async def run(point, work):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, SCRIPT, database.app_dsn, tmp_path, ward.clinic.tenant.name),
            *(point, work),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate(kek_bytes)
        return process.returncode, printed.decode().split()

    return run


async def rows(owner, ward):
    return await owner.fetchval(
        "select count(*) from blob where tenant = $1", ward.clinic.tenant.number
    )


@pytest.mark.parametrize("point", killed_keeper.UPLOAD_POINTS)
async def test_r1_a_killed_upload_is_not_there_or_whole(ward, owner, keeper, moving_clock, point):
    code, printed = await keeper(point, "upload")

    assert (code, printed) == (KILLED, [])
    is_there = await rows(owner, ward)
    assert is_there == (point == "row committed")
    assert await ward.blobs.usage(ward.doctor) == is_there * len(killed_keeper.CONTENT)
    assert len(ward.files()) == 1

    code, printed = await keeper("nowhere", "upload")
    name, ticket = printed
    assert code == 0
    await ward.blobs.use(job_of(ward), ticket, "DocumentReference", "of-a")
    assert await ward.read(name) == killed_keeper.CONTENT
    moving_clock.advance(hours=2)
    left = 0 if is_there else 1
    assert sum(await ward.blobs.sweep(ward.job)) == left
    assert len(ward.files()) == 1
    assert await ward.read(name) == killed_keeper.CONTENT


@pytest.mark.parametrize("point", killed_keeper.UPLOAD_POINTS)
async def test_r1_what_a_killed_upload_leaves_is_swept(ward, owner, keeper, moving_clock, point):
    await keeper(point, "upload")

    assert await ward.blobs.sweep(ward.job) == Swept(0, 0, 0)
    moving_clock.advance(hours=2)
    await ward.blobs.sweep(ward.job)

    assert ward.files() == []
    assert await rows(owner, ward) == 0
    assert await ward.blobs.usage(ward.doctor) == 0


@pytest.mark.parametrize("point", killed_keeper.SWEEP_POINTS)
async def test_r1_a_killed_sweep_is_finished_by_the_next(ward, owner, keeper, point, moving_clock):
    await ward.upload(b"unused")
    used = await ward.attach(b"used")

    code, _ = await keeper(point, "sweep")

    assert code == KILLED
    assert await rows(owner, ward) == 1
    assert len(ward.files()) == 2
    moving_clock.advance(hours=2)
    assert await ward.blobs.sweep(ward.job) == Swept(0, 1, 0)
    assert await ward.read(used) == b"used"
    assert await ward.blobs.usage(ward.doctor) == len(b"used")


async def test_r1_an_object_whose_commit_nobody_heard_of_is_kept(ward):
    """The connection was lost at the commit: to remove the object might be to lose it."""

    def lost(point):
        if point == "row committed":
            raise ConnectionError(point)

    calm = ward.blobs._keeping
    ward.keeping(reached=lost)
    with pytest.raises(ConnectionError):
        await ward.upload(b"content")
    ward.keeping(reached=calm.reached)

    assert len(ward.files()) == 1
    name = await ward.attach(b"content")
    assert len(ward.files()) == 1
    assert await ward.read(name) == b"content"


def job_of(ward):
    """Return the principal that the process acts as."""
    return killed_keeper.Principal("job", ward.clinic.tenant.number, 77, frozenset({"job"}))
