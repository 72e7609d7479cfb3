"""Streams of chance that depend on a key and on nothing else: for data that is made up.

Every topic of every made up patient has a stream of its own, so that patient 7 is the same in a
population of ten and of a million, and a topic added later leaves the older ones as they were. Only
`Random.random` is used: it is the one method whose values Python promises to keep.
"""

from collections.abc import Sequence
from math import cos, log, pi, sqrt
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


class Chance:
    """A stream of chance for a key, such as (seed, patient, topic)."""

    __slots__ = ("_next",)

    def __init__(self, *key: object) -> None:
        # A text seed goes through SHA-512, so that PYTHONHASHSEED plays no part.
        text = ":".join(map(str, key))
        self._next = Random(text).random  # noqa: S311 - synthetic data, nothing secret

    def happens(self, probability: float) -> bool:
        """Return True with this probability."""
        return self._next() < probability

    def between(self, low: float, high: float) -> float:
        """Return a number from low up to high, evenly spread."""
        return low + (high - low) * self._next()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included, evenly spread."""
        return low + int((high - low + 1) * self._next())

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of the items, all equally likely."""
        return items[int(len(items) * self._next())]

    def weighted(self, items: Sequence[Item], weights: Sequence[float]) -> Item:
        """Return one of the items, each as likely as its weight says."""
        left = sum(weights) * self._next()
        for item, weight in zip(items, weights, strict=True):
            left -= weight
            if left < 0:
                return item
        return items[-1]

    def normal(self, mean: float = 0.0, deviation: float = 1.0) -> float:
        """Return a normally distributed number (Box and Muller 1958)."""
        radius = sqrt(-2.0 * log(1.0 - self._next()))
        return mean + deviation * radius * cos(2.0 * pi * self._next())
