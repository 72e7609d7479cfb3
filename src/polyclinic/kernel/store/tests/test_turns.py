"""One at a time for each key."""

import asyncio

import pytest

from polyclinic.kernel.store.turns import Turns


async def enter(turns, key, log, name):
    await turns.take(key)
    log.append(f"{name} in")
    await asyncio.sleep(0)
    log.append(f"{name} out")
    turns.give(key)


async def test_turns_of_a_key_do_not_overlap_and_keep_their_order():
    turns = Turns()
    log: list[str] = []

    await asyncio.gather(*(enter(turns, "k", log, name) for name in "abc"))

    assert log == ["a in", "a out", "b in", "b out", "c in", "c out"]


async def test_other_keys_do_not_wait():
    turns = Turns()
    await turns.take("held")

    async with asyncio.timeout(5):
        await turns.take("free")

    assert len(turns._waiting) == 2


async def test_nothing_is_kept_of_a_key_that_nobody_wants():
    turns = Turns()
    log: list[str] = []

    await asyncio.gather(*(enter(turns, key, log, str(key)) for key in (1, 1, 2)))

    assert turns._waiting == {}


@pytest.mark.parametrize("steps", [0, 1])
async def test_whoever_gives_up_passes_the_turn_on(steps):
    turns = Turns()
    log: list[str] = []
    await turns.take("k")
    impatient = asyncio.ensure_future(enter(turns, "k", log, "impatient"))
    patient = asyncio.ensure_future(enter(turns, "k", log, "patient"))
    await asyncio.sleep(0)

    impatient.cancel() if steps else turns.give("k")
    turns.give("k") if steps else impatient.cancel()
    await asyncio.wait_for(patient, 5)

    assert log == ["patient in", "patient out"]
    assert turns._waiting == {}
