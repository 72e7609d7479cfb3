"""A statement while it is put together, and what bounds it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.store.index import QueryKeys
from polyclinic.kernel.store.reach import EVERYTHING, Reach

Phase = Literal["valued", "rest"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the phase, the sort value and the rid of its last row."""

    phase: Phase
    value: str | int | float | None
    rid: int


@dataclass(slots=True)
class Statement:
    """SQL and its arguments while they are gathered.

    In every condition ``k`` is the row of ``keys`` and ``r`` the row of ``resource`` that it is
    about. A subselect about other resources names its own rows so again, which hides the outer.
    """

    keys: QueryKeys
    """The hashes of the type or types that the conditions are about."""
    arguments: list[object] = field(default_factory=list)

    def argument(self, value: object, cast: str) -> str:
        """Add an argument and return how the SQL names it."""
        self.arguments.append(value)
        return f"${len(self.arguments)}::{cast}"

    def of_param(self, alias: str, param: SearchParameter) -> str:
        """Return the condition that a row of an ordered table is of a parameter."""
        numbers = self.keys.params(param)
        if len(numbers) == 1:
            return f"{alias}.param = {self.argument(numbers[0], 'int')}"
        return f"{alias}.param = any({self.argument(numbers, 'int[]')})"


@dataclass(frozen=True, slots=True)
class Scope:
    """What every search is limited to."""

    tenant: int
    type: int
    reach: Reach = EVERYTHING


def joined(word: str, conditions: Iterable[str]) -> str:
    """Return conditions as one in brackets; empty without any."""
    texts = list(conditions)
    return f"({word.join(texts)})" if texts else ""


def moment(micros: str) -> str:
    """Return microseconds since 1970 as a moment."""
    return f"(timestamptz 'epoch' + {micros} * interval '1 microsecond')"


def micros(column: str) -> str:
    """Return a moment as microseconds since 1970."""
    return f"(extract(epoch from {column}) * 1000000)::bigint"
