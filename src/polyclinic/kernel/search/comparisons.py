"""How ranges compare, in memory: the same as the store's SQL, which ``store/select`` writes.

https://hl7.org/fhir/R4/search.html#prefix
"""

from collections.abc import Callable, Mapping
from typing import Final

from polyclinic.kernel.search.predicate import Comparison

Compare = Callable[[float, float, float, float], bool]
"""From low and high of what is stored, then low and high of what is asked. Both are [low, high)."""

RANGES: Final[Mapping[Comparison, Compare]] = {
    Comparison.EQUAL: lambda low, high, least, most: low >= least and low <= most and high <= most,
    Comparison.NOT_EQUAL: lambda low, high, least, most: low < least or high > most,
    Comparison.GREATER: lambda _, high, __, most: high > most,
    Comparison.LESS: lambda low, _, least, __: low < least,
    Comparison.GREATER_OR_EQUAL: lambda _, high, least, __: high > least,
    Comparison.LESS_OR_EQUAL: lambda low, _, __, most: low < most,
    Comparison.STARTS_AFTER: lambda low, _, __, most: low >= most,
    Comparison.ENDS_BEFORE: lambda _, high, least, __: high <= least,
    Comparison.APPROXIMATELY: lambda low, high, least, most: low < most and high > least,
    # The number itself is a range of no length, and the end of a range does not belong to it.
    Comparison.INCLUDES: lambda low, high, least, most: low <= least < high and high >= most,
}
"""Two ranges."""

MOMENTS: Final[Mapping[Comparison, Callable[[int, int, int], bool]]] = {
    Comparison.EQUAL: lambda at, least, most: least <= at < most,
    Comparison.NOT_EQUAL: lambda at, least, most: at < least or at >= most,
    Comparison.GREATER: lambda at, _, most: at >= most,
    Comparison.LESS: lambda at, least, _: at < least,
    Comparison.GREATER_OR_EQUAL: lambda at, least, _: at >= least,
    Comparison.LESS_OR_EQUAL: lambda at, _, most: at < most,
    Comparison.STARTS_AFTER: lambda at, _, most: at >= most,
    Comparison.ENDS_BEFORE: lambda at, least, _: at < least,
    Comparison.APPROXIMATELY: lambda at, least, most: least <= at < most,
    Comparison.INCLUDES: lambda at, least, most: at <= least and at + 1 >= most,
}
"""A moment, and a range."""

POINTS: Final = frozenset({Comparison.EQUAL, Comparison.NOT_EQUAL, Comparison.APPROXIMATELY})
"""The comparisons of numbers for which the digits of what is asked leave a range open.

The others compare with the number itself.
"""
