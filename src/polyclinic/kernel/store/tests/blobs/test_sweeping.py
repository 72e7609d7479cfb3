"""What nothing uses goes after an hour, and nothing else."""

import asyncio

import pytest

from polyclinic.base.blob import StorageFailed
from polyclinic.kernel.errors import Forbidden, NotFound, Unavailable
from polyclinic.kernel.store.blobs import Swept

NOTHING = Swept(0, 0, 0)


async def test_an_upload_that_nothing_uses_goes_after_an_hour(ward, moving_clock):
    unused, used = await ward.upload(b"unused"), await ward.attach(b"used")

    moving_clock.advance(minutes=59)
    assert await ward.blobs.sweep(ward.job) == NOTHING
    moving_clock.advance(minutes=2)
    assert await ward.blobs.sweep(ward.job) == Swept(1, 0, 0)

    assert len(ward.files()) == 1
    assert await ward.blobs.usage(ward.doctor) == len(b"used")
    assert await ward.read(used) == b"used"
    with pytest.raises(NotFound):
        await ward.blobs.use(ward.doctor, unused.ticket, "DocumentReference", "of-a")


async def test_what_no_resource_uses_any_more_goes_after_an_hour(ward, moving_clock):
    name = await ward.attach(b"shared", None)
    again = await ward.upload(b"shared", None)
    await ward.blobs.use(ward.doctor, again.ticket, "DocumentReference", "of-a")

    await ward.blobs.release(ward.doctor, name, "DocumentReference", "of-nobody")
    moving_clock.advance(hours=2)
    assert await ward.blobs.sweep(ward.job) == NOTHING
    with pytest.raises(NotFound):
        await ward.read(name, "of-nobody")
    assert await ward.read(name, "of-a") == b"shared"

    await ward.blobs.release(ward.doctor, name, "DocumentReference", "of-a")
    assert await ward.blobs.sweep(ward.job) == NOTHING
    moving_clock.advance(hours=2)
    assert await ward.blobs.sweep(ward.job) == Swept(1, 0, 0)
    assert ward.files() == []
    assert await ward.blobs.usage(ward.doctor) == 0


async def test_an_old_upload_that_comes_again_waits_another_hour(ward, moving_clock):
    await ward.upload(b"x")
    moving_clock.advance(minutes=50)
    again = await ward.upload(b"x")
    moving_clock.advance(minutes=50)

    assert await ward.blobs.sweep(ward.job) == NOTHING
    await ward.blobs.use(ward.doctor, again.ticket, "DocumentReference", "of-a")

    assert await ward.read(again.name) == b"x"


async def test_orphans_and_drafts_go_after_an_hour(ward, moving_clock):
    name = await ward.attach(b"kept")
    (kept,) = ward.files()
    orphan = kept.parent / (kept.name[:2] + "f" * 30)
    orphan.write_bytes(b"no row has this")
    draft = kept.parent.parent / "drafts" / ("e" * 32)
    draft.write_bytes(b"nobody writes this any more")

    assert await ward.blobs.sweep(ward.job) == NOTHING
    moving_clock.advance(minutes=61)
    assert await ward.blobs.sweep(ward.job) == Swept(0, 1, 1)

    assert ward.files() == [kept]
    assert await ward.read(name) == b"kept"


async def test_i8_a_sweep_touches_its_own_tenant_only(make_ward, moving_clock):
    here, there = await make_ward(), await make_ward()
    await there.upload(b"unused")
    (unused,) = there.files()
    (unused.parent / (unused.name[:2] + "f" * 30)).write_bytes(b"x")
    moving_clock.advance(hours=2)

    assert await here.blobs.sweep(here.job) == NOTHING
    assert len(there.files()) == 2
    assert await there.blobs.sweep(there.job) == Swept(1, 1, 0)
    assert there.files() == []


async def test_a_sweep_does_not_take_what_is_being_used(ward, moving_clock):
    uploads = [await ward.upload(b"%d" % number) for number in range(12)]
    moving_clock.advance(minutes=59, seconds=59)
    tickets = {one.name: one.ticket for one in uploads}

    async def use(ticket):
        try:
            await ward.blobs.use(ward.doctor, ticket, "DocumentReference", "of-a")
        except NotFound:
            return False
        return True

    tasks = [use(ticket) for ticket in tickets.values()]
    moving = asyncio.create_task(sweep_often(ward, moving_clock))
    used = await asyncio.gather(*tasks)
    await moving

    assert len(ward.files()) == sum(used)
    for name, was_used, number in zip(tickets, used, range(12), strict=True):
        if was_used:
            assert await ward.read(name) == b"%d" % number


async def sweep_often(ward, moving_clock):
    await asyncio.sleep(0.005)
    moving_clock.advance(minutes=1)
    for _ in range(5):
        await ward.blobs.sweep(ward.job)


async def test_only_a_job_sweeps(ward):
    for role in ("patient", "frontdesk"):
        with pytest.raises(Forbidden):
            await ward.blobs.sweep(ward.clinic.principal(role, patient="a"))


async def test_a_storage_that_fails_is_told_and_nothing_is_lost(ward, caplog):
    name = await ward.attach(b"kept")
    (file,) = ward.files()
    file.parent.rename(file.parent.with_name("away"))
    file.parent.write_text("a file where a directory should be")

    with pytest.raises(Unavailable):
        await ward.read(name)
    file.parent.unlink()
    file.parent.with_name("away").rename(file.parent)

    assert await ward.read(name) == b"kept"
    (record,) = [one for one in caplog.records if one.getMessage() == "attachment.storage_failed"]
    assert record.polyclinic_fields["object"] == file.name


async def test_an_object_that_cannot_be_removed_is_left_to_the_next_sweep(ward, moving_clock):
    await ward.upload(b"same")

    class Stuck:
        def __init__(self, storage):
            self._storage = storage

        def __getattr__(self, name):
            return getattr(self._storage, name)

        async def delete(self, place, name):
            raise StorageFailed(place, name)

    storage = ward.blobs._keeping.storage
    ward.keeping(storage=Stuck(storage))
    again = await ward.upload(b"same")
    assert len(ward.files()) == 2
    await ward.blobs.use(ward.doctor, again.ticket, "DocumentReference", "of-a")
    ward.keeping(storage=storage)
    moving_clock.advance(hours=2)

    assert await ward.blobs.sweep(ward.job) == Swept(0, 1, 0)
    assert await ward.read(again.name) == b"same"


def test_the_disk_and_the_tests_have_one_clock(tmp_path, moving_clock):
    (tmp_path / "now").touch()

    assert abs((tmp_path / "now").stat().st_mtime - moving_clock.now().timestamp()) < 60
