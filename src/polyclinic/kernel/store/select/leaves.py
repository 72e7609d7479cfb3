"""Single values of a query as conditions on ``k`` (keys) and ``r`` (resource)."""

from collections.abc import Callable
from typing import Final

from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import (
    Comparison,
    DateIs,
    IdIs,
    Leaf,
    Missing,
    NumberIs,
    StringIs,
)
from polyclinic.kernel.store.select.statement import Among, Statement, moment

_LAST: Final = "\U0010ffff"
"""Sorts behind every character in "C" order."""


def condition(leaf: Leaf, statement: Statement) -> str:
    """Return what holds for a match of a leaf."""
    keys = statement.keys.of(leaf)
    if keys is not None:
        return f"k.keys && {statement.argument(keys, 'bigint[]')}"
    match leaf:
        case StringIs():
            return _string(leaf, statement)
        case DateIs():
            return _date(leaf, statement)
        case NumberIs():
            return _number(leaf, statement)
        case IdIs(ids):
            return f"r.id = any({statement.argument(list(ids), 'text[]')})"
        case Missing(param, missing=True):
            return f"not k.keys && {statement.argument(statement.keys.present(param), 'bigint[]')}"
        case _:
            raise NotImplementedError(type(leaf).__name__)


def _string(leaf: StringIs, statement: Statement) -> str:
    low = statement.argument(leaf.text, "text")
    high = statement.argument(leaf.text + _LAST, "text")
    condition = f"v.value >= {low} and v.value < {high}"
    return _within("string_value", leaf.param, condition, statement)


def _date(leaf: DateIs, statement: Statement) -> str:
    if leaf.param is None:
        return _last_updated(leaf.comparison, leaf.low, leaf.high, statement)
    condition = _ordered(leaf.comparison, leaf.low, leaf.high, "bigint", statement)
    return _within("date_value", leaf.param, condition, statement)


def _within(table: str, param: SearchParameter, condition: str, statement: Statement) -> str:
    return Among.of(
        f"select v.rid from {table} v where v.tenant = $1"  # noqa: S608 - names of tables
        f" and {statement.of_param('v', param)} and {condition}"
    )


def _number(leaf: NumberIs, statement: Statement) -> str:
    low, high = leaf.low, leaf.high
    if leaf.comparison not in (Comparison.EQUAL, Comparison.NOT_EQUAL, Comparison.APPROXIMATELY):
        low = high = leaf.exact
    condition = _ordered(leaf.comparison, low, high, "float8", statement)
    if leaf.code:
        unit = statement.keys.unit(leaf.system, leaf.code)
        condition += f" and v.unit = {statement.argument(unit, 'bigint')}"
    return _within("number_value", leaf.param, condition, statement)


def _ordered(
    comparison: Comparison, low: float, high: float, cast: str, statement: Statement
) -> str:
    """Compare the stored range [v.low, v.high) with the asked one, as the specification's table.

    https://hl7.org/fhir/R4/search.html#prefix
    """
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
}


def _last_updated(comparison: Comparison, low: int, high: int, statement: Statement) -> str:
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
}
