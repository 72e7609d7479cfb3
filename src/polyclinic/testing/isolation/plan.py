"""Which requests the twin-world test makes: everything once and more, and anything by a seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from polyclinic.kernel.rest.interactions import Interaction
from polyclinic.kernel.types import RESOURCE_TYPES
from polyclinic.testing.isolation.calls import Call
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.defined import codes
from polyclinic.testing.isolation.interactions import maker
from polyclinic.testing.isolation.searches import linked, rarer, search, then

_RARER: Final = 6
"""Searches beyond single parameters that are made of each type."""
_THEN: Final = 4
"""Searches at a moment that are made of each type."""
_EXAMPLE: Final = 12
"""Requests of one example of the property test."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask of which types."""

    interactions: Sequence[Interaction]
    types: Sequence[str] = RESOURCE_TYPES
    seen: frozenset[str] = frozenset()
    """Types of which others' may be seen; nothing is asked along references to them."""

    def everything(self, seed: int, times: int = 1) -> Iterator[Call]:
        """Yield each interaction with each type, and a search by each parameter of each type.

        Raise ``Unwatched`` for an interaction that nobody has said how to call.
        """
        chance = self._chance(seed)
        makers = [maker(one) for one in self.interactions]
        for resource_type in self.types:
            for _ in range(times):
                yield from (make(chance, resource_type) for make in makers)
                yield from (
                    search(chance, resource_type, one) for one in codes(chance, resource_type)
                )
                yield from (rarer(chance, resource_type) for _ in range(_RARER))
                yield from (then(chance, resource_type) for _ in range(_THEN))
                yield linked(chance, resource_type)

    def some(self, seed: int) -> list[Call]:
        """Return a few requests of any kind, to any of the types."""
        chance = self._chance(seed)
        makers = [maker(one) for one in self.interactions]
        makers += [rarer, rarer, then, linked]
        return [chance.choice(makers)(chance, chance.choice(self.types)) for _ in range(_EXAMPLE)]

    def _chance(self, seed: int) -> Chance:
        chance = Chance(seed)
        chance.avoids = self.seen
        return chance
