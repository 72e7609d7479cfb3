"""Ranges compared with ranges, and moments with ranges.

https://hl7.org/fhir/R4/search.html#prefix
"""

from collections.abc import Callable
from typing import Final

from polyclinic.kernel.search.index_values import DATE_MIN
from polyclinic.kernel.search.predicate import Comparison, NumberIs
from polyclinic.kernel.search.ranges import DAY
from polyclinic.kernel.store.select.statement import Statement, moment

LONG: Final = 32 * DAY
"""Microseconds: ranges that are longer stand in an index of their own, ``date_value_long``."""
_BY_PRECISION: Final = (Comparison.EQUAL, Comparison.NOT_EQUAL, Comparison.APPROXIMATELY)
"""What compares a number with the range that its digits leave open; the others take it exactly."""


def of_number(leaf: NumberIs, statement: Statement) -> str:
    """Return what holds for a row of a number, whatever its unit."""
    low, high = leaf.low, leaf.high
    if leaf.comparison not in _BY_PRECISION:
        low = high = leaf.exact
    return ordered(leaf.comparison, low, high, "float8", statement)


def of_date(comparison: Comparison, low: int, high: int, statement: Statement) -> str:
    """Return what holds for a row of a date.

    How late a range ends, no index knows; but most are short, so that they begin soon before, and
    those that are not have an index of their own.
    """
    found = ordered(comparison, low, high, "bigint", statement)
    ends_after = {
        Comparison.GREATER: high,
        Comparison.GREATER_OR_EQUAL: low,
        Comparison.APPROXIMATELY: low,
    }.get(comparison)
    if ends_after is not None:
        begins = statement.argument(max(ends_after - LONG, DATE_MIN), "bigint")
        return f"{found} and (v.low > {begins} or v.low < v.high - {LONG})"
    if comparison is Comparison.ENDS_BEFORE:
        return f"{found} and v.low <= {statement.argument(low, 'bigint')}"
    return found


def ordered(
    comparison: Comparison, low: float, high: float, cast: str, statement: Statement
) -> str:
    """Compare the stored range [v.low, v.high) with the asked one, as the specification's table."""
    template = _RANGES[comparison]
    return template(lambda: statement.argument(low, cast), lambda: statement.argument(high, cast))


_Argument = Callable[[], str]
_RANGES: Final[dict[Comparison, Callable[[_Argument, _Argument], str]]] = {
    Comparison.EQUAL: lambda low, high: (
        f"v.low >= {low()} and v.low <= {(top := high())} and v.high <= {top}"
    ),
    Comparison.NOT_EQUAL: lambda low, high: f"(v.low < {low()} or v.high > {high()})",
    Comparison.GREATER: lambda _, high: f"v.high > {high()}",
    Comparison.LESS: lambda low, _: f"v.low < {low()}",
    Comparison.GREATER_OR_EQUAL: lambda low, _: f"v.high > {low()}",
    Comparison.LESS_OR_EQUAL: lambda _, high: f"v.low < {high()}",
    Comparison.STARTS_AFTER: lambda _, high: f"v.low >= {high()}",
    Comparison.ENDS_BEFORE: lambda low, _: f"v.high <= {low()}",
    Comparison.APPROXIMATELY: lambda low, high: f"v.low < {high()} and v.high > {low()}",
    Comparison.INCLUDES: lambda low, high: (
        f"v.low <= {(least := low())} and v.high > {least} and v.high >= {high()}"
    ),
}


def last_updated(comparison: Comparison, low: int, high: int, statement: Statement) -> str:
    """Compare the moment of the last update, a point, with the asked range."""
    return _MOMENTS[comparison](
        lambda: moment(statement.argument(low, "bigint")),
        lambda: moment(statement.argument(high, "bigint")),
    )


_MOMENTS: Final[dict[Comparison, Callable[[_Argument, _Argument], str]]] = {
    Comparison.EQUAL: lambda start, end: (
        f"(r.last_updated >= {start()} and r.last_updated < {end()})"
    ),
    Comparison.NOT_EQUAL: lambda start, end: (
        f"(r.last_updated < {start()} or r.last_updated >= {end()})"
    ),
    Comparison.GREATER: lambda _, end: f"r.last_updated >= {end()}",
    Comparison.LESS: lambda start, _: f"r.last_updated < {start()}",
    Comparison.GREATER_OR_EQUAL: lambda start, _: f"r.last_updated >= {start()}",
    Comparison.LESS_OR_EQUAL: lambda _, end: f"r.last_updated < {end()}",
    Comparison.STARTS_AFTER: lambda _, end: f"r.last_updated >= {end()}",
    Comparison.ENDS_BEFORE: lambda start, _: f"r.last_updated < {start()}",
    Comparison.APPROXIMATELY: lambda start, end: (
        f"(r.last_updated >= {start()} and r.last_updated < {end()})"
    ),
    Comparison.INCLUDES: lambda start, end: (
        f"(r.last_updated <= {start()} and r.last_updated + interval '1 microsecond' >= {end()})"
    ),
}
