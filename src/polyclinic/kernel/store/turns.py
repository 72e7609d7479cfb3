"""One at a time for each key, in the order in which they came.

Writes of one resource that were prepared together would all expect the same version, and all but
one would have been prepared in vain.
"""

import asyncio
from collections import deque
from collections.abc import Hashable


class Turns:
    """Whose turn it is, for each key that anybody wants."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}

    async def take(self, key: Hashable) -> None:
        """Wait for one's turn; ``give`` ends it."""
        waiting = self._waiting.get(key)
        if waiting is None:
            self._waiting[key] = deque()
            return
        turn = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give(key)
            raise

    def give(self, key: Hashable) -> None:
        """Let the next one have its turn."""
        waiting = self._waiting[key]
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._waiting[key]
