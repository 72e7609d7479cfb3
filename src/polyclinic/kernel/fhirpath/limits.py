"""How much an expression may cost."""

from dataclasses import dataclass
from typing import Final

MAX_EXPRESSION: Final = 16_384
"""Characters of an expression: the longest of the standard has 2,700."""
MAX_NESTING: Final = 100
"""Operands, parentheses and arguments within one another, as the parser meets them."""
MAX_DEPTH: Final = 120
"""Calls and operators within one another: what they need of Python's stack is bounded by it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one evaluation may use."""

    steps: int = 1_000_000
    """Elements that are visited, and calls of a function's criteria."""
    items: int = 100_000
    """Elements of a collection on the way."""
    characters: int = 1024 * 1024
    """Length of a string on the way."""
    seconds: float = 2.0
    """Time on the clock of the process."""


SLICE: Final = 1_000
"""Steps after which the time is looked at."""
