"""A statement while it is put together, and what bounds it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import Query
from polyclinic.kernel.search.sorting import SortValue
from polyclinic.kernel.store.index import QueryKeys
from polyclinic.kernel.store.reach import Reach
from polyclinic.kernel.types import type_number

Phase = Literal["gathered", "valued", "rest", "sorted"]
"""Those with the first value, those without it, or all, sorted in memory."""
Seen: TypeAlias = str | datetime
"""What the first page saw, as PostgreSQL writes a snapshot; or what there was at a moment."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the phase, the sort values and the rid of its last row."""

    phase: Phase
    values: tuple[SortValue, ...]
    """One for each key of the order; None where the row has none. ``gathered`` has no keys."""
    rid: int
    """0: the phase begins."""
    seen: Seen | None = None
    """What may be seen; None: what is there, and this is the first page."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What every search is limited to."""

    tenant: int
    reaches: Mapping[str, Reach]
    """What may be reached of each type that the search names or walks through."""

    @property
    def is_whole(self) -> bool:
        """Say whether there is no limit to any type."""
        return all(reach.whole for reach in self.reaches.values())

    def audience(self, types: Sequence[str] | None = None) -> frozenset[int] | None:
        """Return the patients beyond whom nothing is reached; None: no such list."""
        found: set[int] = set()
        for name in self.reaches if types is None else types:
            patients = self.reaches[name].audience()
            if patients is None:
                return None
            found |= patients
        return frozenset(found)


class Asked(NamedTuple):
    """A query, and what its statements are limited to and made with."""

    query: Query
    scope: Scope
    keys: QueryKeys
    after: Place | None = None
    """Where it begins; None: the first page."""


class Among(str):
    """A condition of the form ``k.rid in (subselect)``; an OR list joins several into one."""

    __slots__ = ("rids",)
    rids: str
    """The subselect."""

    @classmethod
    def of(cls, rids: str) -> "Among":
        """Return the condition that a match is among some rids."""
        condition = cls(f"k.rid in ({rids})")
        condition.rids = rids
        return condition


@dataclass(slots=True)
class Statement:
    """SQL and its arguments while they are gathered. ``$1`` is the tenant.

    In every condition ``k`` is the row of ``keys`` and ``r`` the row of ``resource`` that it is
    about. A subselect about other resources names its own rows so again, which hides the outer.
    """

    scope: Scope
    keys: QueryKeys
    """The hashes of the type or types that the conditions are about."""
    arguments: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Put the tenant first."""
        if not self.arguments:
            self.arguments.append(self.scope.tenant)

    @property
    def types(self) -> tuple[str, ...]:
        """Return the types that the conditions are about."""
        return self.keys.types

    def about(self, *types: str) -> "Statement":
        """Return the same statement for conditions about other types."""
        return Statement(self.scope, self.keys.about(*types), self.arguments)

    def argument(self, value: object, cast: str) -> str:
        """Add an argument and return how the SQL names it."""
        self.arguments.append(value)
        return f"${len(self.arguments)}::{cast}"

    def of_types(self, alias: str) -> str:
        """Return the condition that a row is of the types."""
        numbers = [type_number(name) for name in self.types]
        if len(numbers) == 1:
            return f"{alias}.type = {self.argument(numbers[0], 'smallint')}"
        return f"{alias}.type = any({self.argument(numbers, 'smallint[]')})"

    def of_param(self, alias: str, param: SearchParameter) -> str:
        """Return the condition that a row of an ordered table is one to sort by."""
        return self.numbered(alias, self.keys.params(param))

    def numbered(self, alias: str, numbers: Sequence[int]) -> str:
        """Return the condition that a row of an ordered table has one of some numbers."""
        if len(numbers) == 1:
            return f"{alias}.param = {self.argument(numbers[0], 'int')}"
        return f"{alias}.param = any({self.argument(list(numbers), 'int[]')})"


def moment(micros: str) -> str:
    """Return microseconds since 1970 as a moment."""
    return f"(timestamptz 'epoch' + {micros} * interval '1 microsecond')"


def micros(column: str) -> str:
    """Return a moment as microseconds since 1970."""
    return f"(extract(epoch from {column}) * 1000000)::bigint"
