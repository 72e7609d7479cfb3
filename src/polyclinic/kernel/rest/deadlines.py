"""How long a request may be worked on.

One timer looks after all requests of a process: one for each would cost a part of every read.
"""

import asyncio
import math
from collections.abc import MutableMapping
from typing import Any, Final

from polyclinic.kernel.errors import Unavailable
from polyclinic.kernel.rest.message import Receive

_LOOKS: Final = 8
"""How many times within the limit the timer looks; a request is ended an eighth late at most."""
_LONGEST_LOOK: Final = 1.0


class TookTooLong(Unavailable):
    """The answer took too long and was given up; ask for less, or narrow the search."""


class ChangeTookTooLong(Unavailable):
    """The answer took too long and was given up; look whether the change was made, and repeat it.

    With an Idempotency-Key it can be repeated without looking.
    """


class Deadline:
    """Until when one request may be worked on."""

    __slots__ = ("at", "has_struck", "task")

    def __init__(self, task: "asyncio.Task[object]", at: float) -> None:
        self.task = task
        self.at = at
        self.has_struck = False

    def pause(self) -> float:
        """Stop the clock while the client is waited for; return what ``resume`` wants back."""
        left = self.at - asyncio.get_running_loop().time()
        self.at = math.inf
        return left

    def resume(self, left: float) -> None:
        """Let the clock run on."""
        self.at = asyncio.get_running_loop().time() + left


def paused(receive: Receive, deadline: Deadline) -> Receive:
    """Return a ``receive`` that stops the clock while a body is still to come."""

    async def received() -> MutableMapping[str, Any]:
        left = deadline.pause()
        try:
            return await receive()
        finally:
            deadline.resume(left)

    return received


class Deadlines:
    """The requests that are being worked on."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._running: set[Deadline] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> Deadline:
        """Give the running request its time; ``end`` has to follow."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        deadline = Deadline(task, loop.time() + self._seconds)
        self._running.add(deadline)
        if self._timer is None:
            self._timer = loop.call_later(self._pause(), self._look)
        return deadline

    def end(self, deadline: Deadline) -> None:
        """Forget a request that was answered, or given up."""
        self._running.discard(deadline)
        if deadline.has_struck:
            deadline.task.uncancel()

    def _look(self) -> None:
        """Give up what has taken too long. What it shares with others goes on without it."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for deadline in self._running:
            if deadline.at <= now and not deadline.has_struck:
                deadline.has_struck = True
                deadline.task.cancel()
        self._timer = loop.call_later(self._pause(), self._look) if self._running else None

    def _pause(self) -> float:
        return min(_LONGEST_LOOK, self._seconds / _LOOKS)
