"""How many requests are worked on at once, and how many of them may be one tenant's.

A tenant may hold as many places as are still free: at most half of all, and each further one at
most half of what the others leave. So one slow tenant, or several, leave room for another, and
nobody waits in a queue.
"""

from polyclinic.kernel.errors import Unavailable


class Admission:
    """The places of a process."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._held: dict[int, int] = {}

    def enter(self, lane: int | None) -> None:
        """Take a place; ``leave`` gives it back. Raise ``Unavailable`` when there is none.

        Without a lane, because there is one tenant only, every place can be taken.
        """
        if self._free <= 0:
            raise Unavailable
        if lane is not None:
            held = self._held.get(lane, 0)
            if held >= self._free:
                message = "Your organization has too many requests under way; try again soon."
                raise Unavailable(message)
            self._held[lane] = held + 1
        self._free -= 1

    def leave(self, lane: int | None) -> None:
        """Give a place back."""
        self._free += 1
        if lane is not None:
            held = self._held.pop(lane) - 1
            if held:
                self._held[lane] = held
