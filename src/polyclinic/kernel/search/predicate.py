"""One tree for what is searched: the store compiles it to SQL, by the meaning given here.

A leaf names a search parameter of the type that is searched. Values of one leaf stand for one
``value`` of a query; commas become ``AnyOf`` and repeated parameters ``AllOf``.
https://hl7.org/fhir/R4/search.html
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from polyclinic.kernel.search.parameters import SearchParameter


class Comparison(StrEnum):
    """The prefixes of ordered values, https://hl7.org/fhir/R4/search.html#prefix."""

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    GREATER = "gt"
    LESS = "lt"
    GREATER_OR_EQUAL = "ge"
    LESS_OR_EQUAL = "le"
    STARTS_AFTER = "sa"
    ENDS_BEFORE = "eb"
    APPROXIMATELY = "ap"


@dataclass(frozen=True, slots=True)
class TokenIs:
    """A coding, an identifier, a code or a flag."""

    param: SearchParameter
    system: str | None
    """None: any system. Empty: no system."""
    code: str | None
    """None: any code of the system."""


@dataclass(frozen=True, slots=True)
class RefersTo:
    """A reference to one resource."""

    param: SearchParameter
    target: str
    id: str


@dataclass(frozen=True, slots=True)
class UriIs:
    """An uri, exactly."""

    param: SearchParameter
    uri: str


@dataclass(frozen=True, slots=True)
class StringStarts:
    """A string that starts with a text, without regard to case and accents."""

    param: SearchParameter
    normalised: str


@dataclass(frozen=True, slots=True)
class DateIs:
    """A date whose range stands in a relation to [low, high), microseconds since 1970 UTC."""

    param: SearchParameter | None
    """None: ``_lastUpdated``."""
    comparison: Comparison
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class NumberIs:
    """A number or a quantity whose range stands in a relation to [low, high)."""

    param: SearchParameter
    comparison: Comparison
    low: float
    high: float
    exact: float
    system: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class IdIs:
    """One of some ids."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether a parameter has no value."""

    param: SearchParameter
    missing: bool


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one holds."""

    parts: "tuple[Predicate, ...]"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Each holds; without parts, everything matches."""

    parts: "tuple[Predicate, ...]"


Leaf: TypeAlias = TokenIs | RefersTo | UriIs | StringStarts | DateIs | NumberIs | IdIs | Missing
Predicate: TypeAlias = Leaf | AnyOf | AllOf


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of a page; ties by rid."""

    param: SearchParameter | None
    """None: ``_lastUpdated``."""
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A search of one type, understood."""

    resource_type: str
    where: AllOf
    sort: Sort
    count: int
    """Matches on a page; 0 asks only how many there are."""
    total: bool
    after: str | None
    """The sealed place where the last page ended."""
    understood: tuple[tuple[str, str], ...]
    """The parameters that were used, for the self link."""
