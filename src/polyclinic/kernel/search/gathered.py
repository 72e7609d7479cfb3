"""The rows of one resource while they are gathered, and what gathers them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from polyclinic.kernel.search.index_values import (
    CompositeValue,
    DateValue,
    NumberValue,
    PositionValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from polyclinic.kernel.search.parameters import Path


class Gathered:
    """The rows of one resource while they are gathered."""

    __slots__ = (
        "base",
        "canonicals",
        "composites",
        "dates",
        "faults",
        "identifiers",
        "numbers",
        "positions",
        "quantities",
        "references",
        "root",
        "shortened",
        "strings",
        "tokens",
        "uris",
    )

    def __init__(self, root: Any, base: str) -> None:
        """Begin with a resource's content and the server's own URL."""
        self.root = root
        self.base = base
        self.shortened = 0
        self.tokens: list[TokenValue] = []
        self.references: list[ReferenceValue] = []
        self.uris: list[UriValue] = []
        self.canonicals: list[UriValue] = []
        self.identifiers: list[TokenValue] = []
        self.strings: list[StringValue] = []
        self.dates: list[DateValue] = []
        self.numbers: list[NumberValue] = []
        self.quantities: list[QuantityValue] = []
        self.positions: list[PositionValue] = []
        self.composites: list[CompositeValue] = []
        self.faults: list[str] = []
        """Codes of a tenant's own parameters whose expressions did not work."""


Emit: TypeAlias = Callable[[Any, Gathered], None]
"""Adds the rows of one element; never called with UNSET or None."""
Factory: TypeAlias = Callable[[Sequence[str], Path], Emit]
"""Makes the emitter of some parameters that are drawn from the same elements."""
