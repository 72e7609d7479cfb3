"""Objects on a disk."""

import os
from datetime import UTC, datetime

import pytest

from polyclinic.base.blob import LocalDisk, ObjectMissing, StorageFailed

PLACE = "a1b2"
BEFORE = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def disk(tmp_path):
    return LocalDisk(tmp_path / "blobs")


@pytest.fixture
def write(disk):
    async def write(*parts):
        draft = await disk.begin(PLACE)
        for part in parts:
            await draft.append(part)
        await draft.publish()
        return draft.name

    return write


async def content(disk, name):
    return b"".join([part async for part in disk.read(PLACE, name)])


async def names(disk, place=PLACE):
    return [found.name async for found in disk.find(place)]


def age(path):
    os.utime(path, (BEFORE.timestamp() - 1,) * 2)


async def test_what_is_published_is_read_again(disk, write):
    name = await write(b"one ", b"two " * 200_000)

    assert await content(disk, name) == b"one " + b"two " * 200_000
    assert await names(disk) == [name]


async def test_a_draft_is_seen_by_nobody(disk):
    draft = await disk.begin(PLACE)
    await draft.append(b"half")

    assert await names(disk) == []
    with pytest.raises(ObjectMissing):
        await content(disk, draft.name)
    await draft.publish()
    assert await names(disk) == [draft.name]


async def test_a_discarded_draft_leaves_nothing(disk, tmp_path):
    draft = await disk.begin(PLACE)
    await draft.append(b"half")

    await draft.discard()
    await draft.discard()

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_deleted_object_is_gone_and_may_be_deleted_again(disk, write):
    name = await write(b"x")

    await disk.delete(PLACE, name)
    await disk.delete(PLACE, name)

    assert await names(disk) == []


async def test_old_drafts_are_removed_and_young_ones_kept(disk, write, tmp_path):
    old, young, published = await disk.begin(PLACE), await disk.begin(PLACE), await write(b"x")
    age(tmp_path / "blobs" / PLACE / "drafts" / old.name)
    age(tmp_path / "blobs" / PLACE / published[:2] / published)

    assert await disk.tidy(PLACE, BEFORE) == 1

    await young.publish()
    assert sorted(await names(disk)) == sorted([young.name, published])
    with pytest.raises(StorageFailed):
        await old.publish()


async def test_the_time_of_an_object_is_that_of_its_last_change(disk, write, tmp_path):
    name = await write(b"x")
    age(tmp_path / "blobs" / PLACE / name[:2] / name)

    (found,) = [found async for found in disk.find(PLACE)]

    assert found.modified < BEFORE


async def test_places_know_nothing_of_one_another(disk, write):
    name = await write(b"x")

    assert await names(disk, "other") == []
    assert await disk.tidy("other", BEFORE) == 0
    with pytest.raises(ObjectMissing):
        [part async for part in disk.read("other", name)]


async def test_only_the_owner_may_look(write, tmp_path):
    await write(b"x")

    made = list((tmp_path / "blobs").rglob("*"))

    assert len(made) == 4
    assert [path for path in made if path.stat().st_mode & 0o077] == []


async def test_a_full_disk_is_told_without_a_path(disk, tmp_path):
    (tmp_path / "blobs").write_text("a file where a directory should be")

    with pytest.raises(StorageFailed) as caught:
        await disk.begin(PLACE)

    assert str(caught.value)
    assert "blobs" not in str(caught.value)
