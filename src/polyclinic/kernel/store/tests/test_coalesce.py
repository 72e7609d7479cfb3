"""Batches: what may share one, in which order, and who is told of a failure."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.store.coalesce import Coalescer


class Recorded:
    """Run batches that last a moment, and remember them and how many ran at once."""

    def __init__(self):
        self.batches = []
        self.running = 0
        self.most = 0
        self.started = asyncio.Event()

    async def run(self, _lane, items):
        self.batches.append(list(items))
        self.running += 1
        self.started.set()
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.running -= 1
        return [item * 10 for item in items]


def numbers(coalescer, count):
    return [asyncio.ensure_future(coalescer.submit("clinic", number)) for number in range(count)]


async def test_each_gets_the_answer_to_its_own_item():
    recorded = Recorded()
    coalescer = Coalescer(recorded.run, largest=4)

    answers = await asyncio.gather(*numbers(coalescer, 20))

    assert answers == [number * 10 for number in range(20)]


async def test_a_batch_is_not_larger_than_allowed():
    recorded = Recorded()
    coalescer = Coalescer(recorded.run, largest=4)

    await asyncio.gather(*numbers(coalescer, 30))

    assert max(map(len, recorded.batches)) == 4
    assert recorded.most == 1


async def test_what_arrives_together_shares_a_batch():
    recorded = Recorded()
    coalescer = Coalescer(recorded.run, largest=64)

    await asyncio.gather(*numbers(coalescer, 16))

    assert recorded.batches == [list(range(16))]


async def test_a_burst_that_arrives_over_several_turns_shares_a_batch():
    recorded = Recorded()
    coalescer = Coalescer(recorded.run, largest=64)

    async def after(turns):
        for _ in range(turns):
            await asyncio.sleep(0)
        return await coalescer.submit("clinic", turns)

    await asyncio.gather(*(after(turns) for turns in range(8)))

    assert recorded.batches == [list(range(8))]


async def test_a_stream_without_end_does_not_keep_the_first_waiting():
    recorded = Recorded()
    coalescer = Coalescer(recorded.run, largest=1000)
    first = asyncio.ensure_future(coalescer.submit("clinic", 0))
    others = []

    while not first.done():
        others.append(asyncio.ensure_future(coalescer.submit("clinic", 1)))
        await asyncio.sleep(0)
        assert len(others) < 100
    await asyncio.gather(*others)


@given(lanes=st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_a_lane_keeps_its_order_and_runs_one_batch_at_a_time(lanes):
    started: list[tuple[int, int]] = []
    under_way: set[int] = set()

    async def run(lane, items):
        assert lane not in under_way
        assert {lane} == {key for key, _ in items}
        under_way.add(lane)
        started.extend(items)
        await asyncio.sleep(0)
        under_way.remove(lane)
        return items

    async def submit_all():
        coalescer = Coalescer(run, largest=3)
        await asyncio.gather(*(coalescer.submit(item[0], item) for item in items))

    items = list(zip(lanes, range(len(lanes)), strict=True))
    asyncio.run(submit_all())

    assert sorted(started, key=lambda item: item[0]) == sorted(items, key=lambda item: item[0])


async def test_a_lane_that_stands_still_delays_no_other():
    held = asyncio.Event()

    async def run(lane, items):
        if lane == "slow":
            await held.wait()
        return items

    coalescer = Coalescer(run, largest=8)
    slow = asyncio.ensure_future(coalescer.submit("slow", 1))

    async with asyncio.timeout(5):
        assert await coalescer.submit("quick", 2) == 2
    assert not slow.done()
    held.set()
    assert await slow == 1


async def test_an_exception_reaches_every_waiter_and_the_next_batch_runs():
    async def run(_, items):
        if 0 in items:
            message = "away"
            raise OSError(message)
        return items

    coalescer = Coalescer(run, largest=3)

    answers = await asyncio.gather(*numbers(coalescer, 6), return_exceptions=True)

    assert [type(answer) for answer in answers[:3]] == [OSError] * 3
    assert answers[3:] == [3, 4, 5]


async def test_an_exception_among_the_answers_reaches_only_its_own():
    async def run(_, items):
        return [KeyError(item) if item == 1 else item for item in items]

    coalescer = Coalescer(run, largest=8)

    answers = await asyncio.gather(*numbers(coalescer, 3), return_exceptions=True)

    assert (answers[0], type(answers[1]), answers[2]) == (0, KeyError, 2)


async def test_a_run_that_loses_an_answer_leaves_nobody_waiting():
    async def run(_, items):
        return items[1:]

    coalescer = Coalescer(run, largest=8)

    async with asyncio.timeout(5):
        answers = await asyncio.gather(*numbers(coalescer, 3), return_exceptions=True)

    assert {type(answer) for answer in answers} == {ValueError}


async def test_a_run_that_is_cancelled_leaves_nobody_waiting():
    async def run(_, items):
        if 0 in items:
            raise asyncio.CancelledError
        return items

    coalescer = Coalescer(run, largest=1)

    async with asyncio.timeout(5):
        answers = await asyncio.gather(*numbers(coalescer, 2), return_exceptions=True)

    assert (type(answers[0]), answers[1]) == (asyncio.CancelledError, 1)


async def test_whoever_gives_up_waiting_is_left_out():
    recorded = Recorded()
    coalescer = Coalescer(recorded.run, largest=1)
    first, second, third = numbers(coalescer, 3)
    await asyncio.sleep(0)

    second.cancel()
    answers = await asyncio.gather(first, third)

    assert list(answers) == [0, 20]
    assert recorded.batches == [[0], [2]]
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_whoever_gives_up_while_its_batch_runs_hurts_no_other():
    recorded = Recorded()
    coalescer = Coalescer(recorded.run, largest=2)
    first, second, third = numbers(coalescer, 3)
    await recorded.started.wait()

    first.cancel()

    assert list(await asyncio.gather(second, third)) == [10, 20]
