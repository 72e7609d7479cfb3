"""Requests that arrive together go to the database together.

Sixteen reads in one statement cost a fifth of sixteen statements, and one commit acknowledges
many writes. Each tenant has a lane of its own, with one batch under way at a time: what arrives
meanwhile gathers for the next, and a slow tenant delays no other.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Run = Callable[[Any, list[Item]], Awaitable[list[Answer | BaseException]]]

_QUIET: Final = 3
"""Turns of the event loop without anything new after which a burst has ended."""
_PATIENCE: Final = 30
"""Turns after which a batch starts whatever still arrives."""


class Coalescer(Generic[Item, Answer]):
    """Gather items and hand them to ``run`` in batches, with the lane they were submitted to.

    ``run`` returns one answer or exception per item, in order.
    """

    def __init__(self, run: Run[Item, Answer], *, largest: int) -> None:
        self._run = run
        self._largest = largest
        self._lanes: dict[Hashable, _Lane[Item, Answer]] = {}

    async def submit(self, lane: Hashable, item: Item) -> Answer:
        """Return the answer to one item, or raise its exception."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        at = self._lanes.get(lane)
        if at is None:
            at = self._lanes[lane] = _Lane()
            at.waiting.append((item, future))
            at.task = loop.create_task(self._work(lane, at))
        else:
            at.waiting.append((item, future))
        return await future

    async def _work(self, name: Hashable, lane: "_Lane[Item, Answer]") -> None:
        """Run batches until nobody waits any more."""
        while lane.waiting:
            await self._gather(lane)
            if batch := lane.take(self._largest):
                await self._answer(name, batch)
        del self._lanes[name]

    async def _gather(self, lane: "_Lane[Item, Answer]") -> None:
        """Let a burst of requests finish arriving."""
        quiet = seen = 0
        for _ in range(_PATIENCE):
            waiting = len(lane.waiting)
            quiet = quiet + 1 if waiting == seen else 0
            if quiet == _QUIET or waiting >= self._largest:
                return
            seen = waiting
            await asyncio.sleep(0)

    async def _answer(
        self, name: Hashable, batch: list[tuple[Item, "asyncio.Future[Answer]"]]
    ) -> None:
        answers: list[Answer | BaseException]
        try:
            answers = await self._run(name, [item for item, _ in batch])
            if len(answers) != len(batch):
                message = f"{len(answers)} answers to {len(batch)} items"
                raise ValueError(message)  # noqa: TRY301 - the waiters are told here
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - every waiter is told
            answers = [error] * len(batch)
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(answer)


class _Lane(Generic[Item, Answer]):
    """What waits in one lane, and the task that works it off."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self.task: asyncio.Task[None] | None = None

    def take(self, largest: int) -> list[tuple[Item, "asyncio.Future[Answer]"]]:
        """Take the first that wait, without those who gave up."""
        batch: list[tuple[Item, asyncio.Future[Answer]]] = []
        while self.waiting and len(batch) < largest:
            entry = self.waiting.popleft()
            if not entry[1].cancelled():
                batch.append(entry)
        return batch
