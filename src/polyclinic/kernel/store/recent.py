"""A bounded memory that forgets first what was longest not asked for."""

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The last values that were used, by their keys."""

    __slots__ = ("_known", "_largest")

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._known: dict[Key, Value] = {}

    def get(self, key: Key) -> Value | None:
        """Return a value that was put in and not forgotten."""
        value = self._known.pop(key, None)
        if value is not None:
            self._known[key] = value
        return value

    def put(self, key: Key, value: Value) -> None:
        """Remember a value."""
        self._known.pop(key, None)
        if len(self._known) >= self._largest:
            del self._known[next(iter(self._known))]
        self._known[key] = value

    def forget(self, key: Key) -> None:
        """Forget a value, if it is there."""
        self._known.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._known)
