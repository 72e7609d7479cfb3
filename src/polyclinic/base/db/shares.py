"""A pool's connections, divided among lanes: a slow one leaves some for the others.

A lane may hold as many as are still free: at most half, and each further one at most half of what
the others leave. Who would hold more waits in its own lane's queue, and the lane that holds least
is served first.
"""

import asyncio
from collections import deque


class Shares:
    """The places of one pool."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._held: dict[int, int] = {}
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}

    async def enter(self, lane: int, seconds: float) -> None:
        """Take a place in a lane; ``leave`` gives it back. Raise ``TimeoutError``."""
        if self._may_enter(lane) and lane not in self._waiting:
            self._take(lane)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(lane, deque()).append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self.leave(lane)
            else:
                self._forget(lane, turn)
            raise

    def leave(self, lane: int) -> None:
        """Give a place back, to whoever waits in the lane that holds least."""
        self._free += 1
        held = self._held.pop(lane) - 1
        if held:
            self._held[lane] = held
        self._serve()

    def _serve(self) -> None:
        while self._waiting:
            lane = min(self._waiting, key=lambda one: self._held.get(one, 0))
            if not self._may_enter(lane):
                return
            turn = self._waiting[lane][0]
            self._forget(lane, turn)
            if not turn.done():
                self._take(lane)
                turn.set_result(None)

    def _may_enter(self, lane: int) -> bool:
        return self._held.get(lane, 0) < self._free

    def _take(self, lane: int) -> None:
        self._free -= 1
        self._held[lane] = self._held.get(lane, 0) + 1

    def _forget(self, lane: int, turn: "asyncio.Future[None]") -> None:
        waiting = self._waiting.get(lane)
        if waiting is not None and turn in waiting:
            waiting.remove(turn)
        if not waiting:
            self._waiting.pop(lane, None)
