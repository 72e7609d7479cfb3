"""Requests that arrive together go to the database together.

Sixteen reads in one statement cost a fifth of sixteen statements, and one commit acknowledges
many writes. Nothing waits on purpose: while all lanes are busy, what arrives gathers for the next
one that is free.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Run = Callable[[list[Item]], Awaitable[list[Answer | BaseException]]]


class Coalescer(Generic[Item, Answer]):
    """Gather items and hand them to ``run`` in batches.

    ``run`` returns one answer or exception per item, in order. Items with the same ``key`` never
    share a batch, and a batch never overtakes an earlier item of the same key.
    """

    def __init__(
        self,
        run: Run[Item, Answer],
        *,
        largest: int,
        lanes: int,
        key: Callable[[Item], Hashable] | None = None,
    ) -> None:
        self._run = run
        self._largest = largest
        self._free = lanes
        self._key = key
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._busy: set[Hashable] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._scheduled = False

    async def submit(self, item: Item) -> Answer:
        """Return the answer to one item, or raise its exception."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((item, future))
        if not self._scheduled and self._free:
            self._scheduled = True
            loop.call_soon(self._start)
        return await future

    def _start(self) -> None:
        self._scheduled = False
        while self._free and self._waiting:
            batch, keys = self._gather()
            if not batch:
                return
            self._free -= 1
            self._busy |= keys
            task = asyncio.get_running_loop().create_task(self._work(batch, keys))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _gather(self) -> tuple[list[tuple[Item, asyncio.Future[Answer]]], set[Hashable]]:
        batch: list[tuple[Item, asyncio.Future[Answer]]] = []
        keys: set[Hashable] = set()
        passed: list[tuple[Item, asyncio.Future[Answer]]] = []
        while self._waiting and len(batch) < self._largest:
            entry = self._waiting.popleft()
            if entry[1].cancelled():
                continue
            if self._key is not None:
                key = self._key(entry[0])
                if key in keys or key in self._busy:
                    passed.append(entry)
                    continue
                keys.add(key)
            batch.append(entry)
        self._waiting.extendleft(reversed(passed))
        return batch, keys

    async def _work(
        self, batch: list[tuple[Item, asyncio.Future[Answer]]], keys: set[Hashable]
    ) -> None:
        try:
            answers = await self._answers(batch)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - every waiter is told
            answers = [error] * len(batch)
        finally:
            self._free += 1
            self._busy -= keys
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(answer)
        self._start()

    async def _answers(
        self, batch: list[tuple[Item, asyncio.Future[Answer]]]
    ) -> list[Answer | BaseException]:
        answers = await self._run([item for item, _ in batch])
        if len(answers) != len(batch):
            message = f"{len(answers)} answers to {len(batch)} items"
            raise ValueError(message)
        return answers
