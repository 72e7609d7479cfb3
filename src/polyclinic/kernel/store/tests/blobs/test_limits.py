"""D4: size and quota hold against what comes, not against what was announced."""

import asyncio
from collections import Counter

import pytest
from typing_extensions import override

from polyclinic.kernel.errors import PayloadTooLarge
from polyclinic.kernel.store.blob_rows import QuotaExceeded

PIECE = b"x" * 65536


class Endless:
    """Content that says nothing of its end, and counts what was taken of it."""

    def __init__(self):
        self.taken = 0

    async def __aiter__(self):
        while True:
            self.taken += len(PIECE)
            yield PIECE


async def test_d4_content_without_an_end_is_cut_at_the_limit(ward):
    ward.keeping(largest=10 * len(PIECE))
    endless = Endless()

    with pytest.raises(PayloadTooLarge):
        await ward.upload(endless)

    assert endless.taken == 11 * len(PIECE)
    assert ward.files() == []
    assert await ward.blobs.usage(ward.doctor) == 0


async def test_content_as_large_as_the_limit_is_taken(ward):
    ward.keeping(largest=1000)

    assert (await ward.upload(b"x" * 1000)).size == 1000
    with pytest.raises(PayloadTooLarge):
        await ward.upload(b"x" * 1001)


async def test_d4_a_tenant_does_not_keep_more_than_its_quota(make_ward):
    ward, other = await make_ward(), await make_ward()
    ward.keeping(quota=1000)
    await ward.upload(b"x" * 600)

    with pytest.raises(QuotaExceeded):
        await ward.upload(b"y" * 401)

    assert len(ward.files()) == 1
    assert await ward.blobs.usage(ward.doctor) == 600
    assert (await ward.upload(b"z" * 400)).size == 400
    assert (await other.upload(b"y" * 401)).size == 401


async def test_d4_content_without_an_end_is_cut_at_the_quota(ward):
    ward.keeping(quota=5 * len(PIECE))
    endless = Endless()

    with pytest.raises(QuotaExceeded):
        await ward.upload(endless)

    assert endless.taken == 6 * len(PIECE)
    assert ward.files() == []


async def outcomes(ward, contents):
    """Upload all at once; each begins only when all have asked what is kept."""
    barrier = asyncio.Barrier(len(contents))

    async def at_once(content):
        await barrier.wait()
        yield content

    tasks = [ward.upload(at_once(content)) for content in contents]
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_d4_uploads_at_once_do_not_get_past_the_quota_together(ward):
    contents = [bytes([number]) * 300 for number in range(6)]
    ward.keeping(quota=1000)
    # Another process does not know what this one has in its hands: there only the lock helps.
    ward.blobs._arriving = NobodyElse()

    found = await outcomes(ward, contents)

    assert sum(isinstance(one, QuotaExceeded) for one in found) == 3
    assert await ward.blobs.usage(ward.doctor) == 900
    assert len(ward.files()) == 3


class NobodyElse(Counter[int]):
    """Counts of what arrives, in which every upload is the only one."""

    @override
    def __setitem__(self, tenant, count):
        """Forget it."""


async def test_uploads_at_once_below_the_quota_are_all_kept(ward):
    contents = [bytes([number]) * 300 for number in range(6)]
    ward.keeping(quota=1800)

    found = await outcomes(ward, contents)

    assert {one.size for one in found} == {300}
    assert await ward.blobs.usage(ward.doctor) == 1800


async def test_what_is_arriving_counts_before_it_is_kept(ward):
    ward.keeping(quota=1000)
    first_is_in, go_on = asyncio.Event(), asyncio.Event()

    async def slow():
        yield b"x" * 800
        first_is_in.set()
        await go_on.wait()
        yield b"x"

    waiting = asyncio.create_task(ward.upload(slow()))
    await first_is_in.wait()
    with pytest.raises(QuotaExceeded):
        await ward.upload(b"y" * 300)
    go_on.set()

    assert (await waiting).size == 801
    assert (await ward.upload(b"y" * 199)).size == 199


async def test_equal_uploads_at_once_are_kept_and_counted_once(ward):
    found = await outcomes(ward, [b"same" * 100] * 8)

    assert len({one.name for one in found}) == 1
    assert len(ward.files()) == 1
    assert await ward.blobs.usage(ward.doctor) == 400
    for one in found:
        await ward.blobs.use(ward.doctor, one.ticket, "DocumentReference", "of-a")
    assert await ward.read(found[0].name) == b"same" * 100


async def test_an_upload_whose_sender_goes_away_leaves_nothing(ward):
    async def broken():
        yield PIECE * 10
        message = "the client is gone"
        raise ConnectionError(message)

    with pytest.raises(ConnectionError):
        await ward.upload(broken())

    assert ward.files() == []
    assert not any(ward.blobs._arriving.values())


async def test_an_upload_that_is_cancelled_leaves_nothing(ward):
    begun = asyncio.Event()

    async def stalled():
        yield PIECE * 10
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(ward.upload(stalled()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ward.files() == []
