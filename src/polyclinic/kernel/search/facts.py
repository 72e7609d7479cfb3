"""What of one version of a resource a search may ask for, as ``matcher`` reads it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Literal

from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.index_values import IndexValues
from polyclinic.kernel.search.resource_words import content_words, narrative_words
from polyclinic.kernel.types import Resource

Kind = Literal[
    "tokens",
    "references",
    "canonicals",
    "uris",
    "identifiers",
    "strings",
    "dates",
    "numbers",
    "quantities",
    "positions",
    "composites",
]
"""The lists of ``IndexValues``."""
KINDS: Final[tuple[Kind, ...]] = (
    "tokens",
    "references",
    "canonicals",
    "uris",
    "identifiers",
    "strings",
    "dates",
    "numbers",
    "quantities",
    "positions",
    "composites",
)
_NONE: Final[Sequence[Any]] = ()


class Facts:
    """One version of a resource: its values by parameter, its id, and when it was stored.

    Each kind of values is put in order when it is first asked for.
    """

    def __init__(
        self, resource: Resource, last_updated: datetime, values: IndexValues | None = None
    ) -> None:
        """Take a version; ``values`` are its own where somebody has them already."""
        self.resource = resource
        self.last_updated = last_updated
        self.values = extract(resource) if values is None else values
        self.type = resource.type
        self.id = resource.id
        self._rows: dict[Kind, Mapping[str, Sequence[Any]]] = {}

    def rows(self, kind: Kind, code: str) -> Sequence[Any]:
        """Return the values of a kind that a parameter has."""
        found = self._rows.get(kind)
        if found is None:
            found = self._rows[kind] = _by_parameter(getattr(self.values, kind))
        return found.get(code, _NONE)

    @cached_property
    def narrative(self) -> frozenset[str]:
        """The words of the narrative."""
        return frozenset(narrative_words(self.values.said))

    @cached_property
    def content(self) -> frozenset[str]:
        """The words of all texts."""
        return frozenset(content_words(self.values.said))

    @cached_property
    def updated_micros(self) -> int:
        """Microseconds from 1970 to when the version was stored."""
        return int(self.last_updated.timestamp()) * 1_000_000 + self.last_updated.microsecond


def _by_parameter(rows: Sequence[Any]) -> Mapping[str, Sequence[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.param].append(row)
    return found
