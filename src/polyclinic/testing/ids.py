"""Ids that a test can foretell."""

from itertools import count


class SequentialIds:
    """Gives ``id-1``, ``id-2`` and so on."""

    def __init__(self, prefix: str = "id") -> None:
        self._prefix = prefix
        self._numbers = count(1)

    def new(self) -> str:
        """Return the next id."""
        return f"{self._prefix}-{next(self._numbers)}"
