"""Sets of codes: some by name, and code systems as a whole."""

from collections.abc import Iterable
from dataclasses import dataclass

Code = tuple[str, str]
"""System and code."""


@dataclass(frozen=True, slots=True)
class Codes:
    """A set of codes."""

    named: frozenset[Code] = frozenset()
    systems: frozenset[str] = frozenset()
    """Of which every code is in the set."""

    def __contains__(self, code: Code) -> bool:
        return code in self.named or code[0] in self.systems

    def __or__(self, other: "Codes") -> "Codes":
        return Codes(self.named | other.named, self.systems | other.systems)

    def __and__(self, other: "Codes") -> "Codes":
        return Codes(
            frozenset(code for code in self.named | other.named if code in self and code in other),
            self.systems & other.systems,
        )

    def without(self, named: Iterable[Code], systems: frozenset[str]) -> "Codes":
        """Return the set without some codes and systems, all of which it has by name."""
        kept = self.named - frozenset(named)
        return Codes(
            frozenset(code for code in kept if code[0] not in systems), self.systems - systems
        )
