"""The hierarchy of a code system, https://hl7.org/fhir/R4/codesystem.html#hierarchy.

A concept stands below another where it is nested in it, or one names the other by the property
``parent`` or ``child``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from polyclinic.kernel.errors import BadRequest


class Hierarchy:
    """The concepts of a code system and how they subsume each other."""

    def __init__(self, code_system: Mapping[str, Any]) -> None:
        """Read a CodeSystem. Raise ``BadRequest`` when it does not hold all of its concepts."""
        self.url: str = code_system.get("url", "")
        if code_system.get("content") != "complete":
            message = f"The CodeSystem {self.url[:200]} that is stored here is not complete."
            raise BadRequest(message)
        self._below: dict[str, set[str]] = {}
        self._above: dict[str, set[str]] = {}
        for code, parent in _pairs(code_system.get("concept", ()), None):
            self._below.setdefault(code, set())
            if parent is not None:
                self._link(parent, code)

    @property
    def codes(self) -> frozenset[str]:
        """Return every code."""
        return frozenset(self._below)

    def related(self, code: str, how: Literal["above", "below"]) -> frozenset[str]:
        """Return a code with those that subsume it, or that it subsumes.

        Raise ``BadRequest`` when there is no such code.
        """
        if code not in self._below:
            message = f"{self.url[:200]} has no code {code[:64]}."
            raise BadRequest(message)
        ways = self._below if how == "below" else self._above
        found = {code}
        waiting = [code]
        while waiting:
            for one in ways.get(waiting.pop(), ()):
                if one not in found:
                    found.add(one)
                    waiting.append(one)
        return frozenset(found)

    def _link(self, parent: str, child: str) -> None:
        self._below.setdefault(parent, set()).add(child)
        self._below.setdefault(child, set())
        self._above.setdefault(child, set()).add(parent)


def _pairs(
    concepts: Sequence[Mapping[str, Any]], parent: str | None
) -> Iterator[tuple[str, str | None]]:
    """Yield each code with one that is above it."""
    waiting = [(concept, parent) for concept in concepts]
    while waiting:
        concept, above = waiting.pop()
        code: str = concept["code"]
        yield code, above
        waiting.extend((one, code) for one in concept.get("concept", ()))
        for one in concept.get("property", ()):
            if one.get("code") == "parent" and "valueCode" in one:
                yield code, one["valueCode"]
            elif one.get("code") == "child" and "valueCode" in one:
                yield one["valueCode"], code
