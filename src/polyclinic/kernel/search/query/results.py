"""What an answer has: its order, size and form. https://hl7.org/fhir/R4/search.html#return."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias, cast

from polyclinic.kernel.search.predicate import Include, Sort, View
from polyclinic.kernel.search.query.includes import include
from polyclinic.kernel.search.query.limits import (
    MOST_ELEMENTS,
    MOST_INCLUDES,
    MOST_SORT_KEYS,
    refuse,
    shown,
)
from polyclinic.kernel.search.query.moments import moment
from polyclinic.kernel.search.query.searched import Searched
from polyclinic.kernel.search.query.support import sortable
from polyclinic.kernel.types import type_definition

DEFAULT_COUNT: Final = 20
MOST: Final = 1000
"""Matches on a page at most; a larger ``_count`` gets as many, and a ``next`` link."""

CONTROLS: Final = frozenset(
    {
        "_after",
        "_asOf",
        "_contained",
        "_containedType",
        "_count",
        "_elements",
        "_explain",
        "_format",
        "_include",
        "_pretty",
        "_revinclude",
        "_sort",
        "_summary",
        "_total",
        "_type",
    }
)
"""The parameters that say how an answer is, not what matches; ``_type`` is read before all."""

UNLINKED: Final = frozenset({"_after", "_format", "_pretty"})
"""Left out of the self link."""

_VIEWED: Final = frozenset({"_summary", "_elements", "_contained", "_containedType", "_explain"})
_REPEATED: Final = frozenset(
    {"_include", "_revinclude", "_sort", "_elements", "_format", "_pretty"}
)
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "_total": ("none", "estimate", "accurate"),
    "_summary": ("true", "text", "data", "count", "false"),
    "_contained": ("false", "true", "both"),
    "_containedType": ("container", "contained"),
    "_explain": ("true", "false"),
}
_Summary: TypeAlias = Literal["false", "true", "text", "data", "count"]
_Contained: TypeAlias = Literal["false", "true", "both"]
_ContainedType: TypeAlias = Literal["container", "contained"]
_NEWEST: Final = Sort(None, descending=True)
_WHOLE: Final = View()


@dataclass(frozen=True, slots=True)
class Results:
    """What the controls of a search ask."""

    sort: tuple[Sort, ...] = (_NEWEST,)
    any_order: bool = True
    count: int = DEFAULT_COUNT
    total: bool = False
    after: str | None = None
    includes: tuple[Include, ...] = ()
    view: View = _WHOLE
    as_of: datetime | None = None


def page_size(text: str | None) -> int:
    """Return the number of entries that a page may have. Raise ``BadRequest`` for no number."""
    if text is None:
        return DEFAULT_COUNT
    if not (text.isascii() and text.isdigit()):
        refuse("_count must be a whole number, such as 20.")
    return min(int(text[:9]), MOST)


def results(searched: Searched, given: Sequence[tuple[str, str]]) -> Results:
    """Return what some controls ask. Raise ``BadRequest`` for what they do not take."""
    if not given:
        return Results()
    return _Reader(searched, given).results()


class _Reader:
    """Read the controls of one search."""

    def __init__(self, searched: Searched, given: Sequence[tuple[str, str]]) -> None:
        self._searched = searched
        self._given: dict[str, list[tuple[str, str]]] = {}
        for name, value in given:
            self._given.setdefault(_plain(name), []).append((name, value))
        for name, found in self._given.items():
            if len(found) > 1 and name not in _REPEATED and len({one[1] for one in found}) > 1:
                refuse(f"{name} is given twice, with different values; give it once.")

    def results(self) -> Results:
        """Return what they ask together."""
        found = Results(
            sort=self._sort(),
            any_order="_sort" not in self._given,
            count=page_size(self._value("_count")),
            total=self._choice("_total", "none") != "none",
            after=self._value("_after"),
            includes=self._includes(),
            view=self._view(),
            as_of=self._as_of(),
        )
        if found.view.summary == "count":
            found = replace(found, count=0)
        return replace(found, total=True) if found.count == 0 else found

    def _value(self, name: str) -> str | None:
        return self._given[name][0][1] if name in self._given else None

    def _choice(self, name: str, default: str) -> str:
        value = self._value(name)
        if value is None:
            return default
        if value not in _CHOICES[name]:
            refuse(f"{name} is {' or '.join(_CHOICES[name])}, not {shown(value)!r}.")
        return value

    def _list(self, name: str) -> list[str]:
        values = [value for _, value in self._given.get(name, ())]
        return list(dict.fromkeys(part for value in values for part in value.split(",")))

    def _sort(self) -> tuple[Sort, ...]:
        keys: dict[str, Sort] = {}
        for text in self._list("_sort"):
            code = text.removeprefix("-")
            keys.setdefault(code, self._sort_key(code, descending=text != code))
        if len(keys) > MOST_SORT_KEYS:
            refuse(f"_sort takes at most {MOST_SORT_KEYS} parameters.")
        return tuple(keys.values()) or (_NEWEST,)

    def _sort_key(self, code: str, *, descending: bool) -> Sort:
        if code == "_lastUpdated":
            return Sort(None, descending)
        param = self._searched.find(code)
        if param is None or not sortable(param):
            refuse(
                f"_sort cannot order by {shown(code)!r}; it takes _id, _lastUpdated and parameters "
                f"of {self._searched.title} whose values have an order, each with - before it for "
                "descending."
            )
        return Sort(param, descending)

    def _includes(self) -> tuple[Include, ...]:
        given = [*self._given.get("_include", ()), *self._given.get("_revinclude", ())]
        if not given:
            return ()
        if len(given) > MOST_INCLUDES:
            refuse(f"_include and _revinclude are given over {MOST_INCLUDES} times.")
        found = (include(self._searched, name, value) for name, value in given)
        return tuple(dict.fromkeys(found))

    def _view(self) -> View:
        if _VIEWED.isdisjoint(self._given):
            return _WHOLE
        found = View(
            summary=cast("_Summary", self._choice("_summary", "false")),
            elements=self._elements(),
            contained=cast("_Contained", self._choice("_contained", "false")),
            contained_type=cast("_ContainedType", self._choice("_containedType", "container")),
            explain=self._choice("_explain", "false") == "true",
        )
        if found.elements and found.summary not in ("false", "count"):
            refuse("_summary and _elements both choose what is shown; give one of them.")
        return found

    def _elements(self) -> tuple[str, ...]:
        found = tuple(self._list("_elements"))
        if len(found) > MOST_ELEMENTS:
            refuse(f"_elements takes at most {MOST_ELEMENTS} names.")
        for name in found:
            if not any(_has_element(kind, name) for kind in self._searched.types):
                refuse(
                    f"{self._searched.title} has no element {shown(name)!r}; _elements takes names "
                    "from the top of the resource, such as id,status."
                )
        return found

    def _as_of(self) -> datetime | None:
        value = self._value("_asOf")
        return None if value is None else moment("_asOf", value)


def _plain(name: str) -> str:
    kind = name.partition(":")[0]
    if kind != name and kind not in ("_include", "_revinclude"):
        refuse(f"{kind} takes no modifier such as {shown(name)}.")
    return kind


def _has_element(resource_type: str, name: str) -> bool:
    definition = type_definition(resource_type)
    known = definition.properties.keys() | {element.name for element in definition.elements}
    return name in known or name == "resourceType"
