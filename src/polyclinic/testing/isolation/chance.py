"""A chance that a seed repeats."""

from random import Random


class Chance(Random):
    """A generator of random choices that always gives the same ones for the same seed."""

    avoids: frozenset[str] = frozenset()
    """Types that no request may go to along references: whoever asks sees others' of them."""

    def happens(self, probability: float) -> bool:
        """Say whether something of a probability between 0 and 1 happens this time."""
        return self.random() < probability
