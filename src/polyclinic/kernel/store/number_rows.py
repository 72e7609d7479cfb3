"""The rows of what has a number: numbers, quantities, places, and composites of these."""

from collections.abc import Iterable, Iterator
from typing import Final

from polyclinic.kernel.search.composites import Tie, ties
from polyclinic.kernel.search.index_values import IndexValues, NumberValue, QuantityValue
from polyclinic.kernel.search.quantities import measures
from polyclinic.kernel.search.tied_keys import tied_keys, under_unit
from polyclinic.kernel.search.unions import unions
from polyclinic.kernel.store.numbers import marked, param_number, unit_number

Row = tuple[int, int, int, float, float]
"""Parameter, extreme, unit, low, high."""

LATITUDE: Final = "lat"
LONGITUDE: Final = "lon"
_ORDINALS: Final = 2**15
"""Elements that a row of a composite can tell apart."""


def number_rows(values: IndexValues, key: bytes) -> list[Row]:
    """Return the rows of a resource.

    A quantity has a row for each of its measures, of which only the first, which it is sorted by,
    can be its parameter's lowest or highest. A component of a composite stands under what it is
    tied to, and a place is two rows; theirs have the number of their element as the extreme.
    """
    rows: list[Row] = []
    if values.numbers or values.quantities:
        rows = _own(values, key)
    if values.positions:
        rows += _places(values)
    if values.composites:
        rows += sorted(set(_tied(values, key)))
    return rows


def place_number(resource_type: str, code: str, axis: str) -> int:
    """Return the number of one of the two rows of a place."""
    return param_number(resource_type, f"{code}#{axis}")


def tied_number(resource_type: str, tie: Tie, component: int) -> int:
    """Return the number of a component of a composite in index rows."""
    return param_number(resource_type, f"{tie.name}#{component}")


def _own(values: IndexValues, key: bytes) -> list[Row]:
    resource_type = values.resource_type
    united = unions(resource_type)
    rows = {
        (param_number(resource_type, value.param), value.low, value.high, 0)
        for value in values.numbers
    }
    others: set[tuple[int, float, float, int]] = set()
    for quantity in values.quantities:
        param = param_number(resource_type, quantity.param)
        ranges = _measures(quantity, key)
        rows.add((param, *ranges[0]))
        # What has the values of others is searched for by theirs, and only sorted by its own.
        if quantity.param not in united:
            others.update([(param, *one) for one in ranges[1:]])
    found = [*marked(rows), *((row[0], 0, *row[1:]) for row in sorted(others - rows))]
    return [(param, mark, unit, low, high) for param, mark, low, high, unit in found]


def _places(values: IndexValues) -> Iterator[Row]:
    for at, place in enumerate(values.positions):
        for axis, degrees in ((LATITUDE, place.latitude), (LONGITUDE, place.longitude)):
            param = place_number(values.resource_type, place.param, axis)
            yield param, at % _ORDINALS, 0, degrees, degrees


def _tied(values: IndexValues, key: bytes) -> Iterator[Row]:
    resource_type = values.resource_type
    of_type = ties(resource_type) if values.custom is None else values.custom.ties
    for ordinal, composite in enumerate(values.composites):
        tie = of_type[composite.param][composite.at]
        if tie.code != composite.param or not tie.ordered:
            continue
        tied = tied_keys(composite, tie, values, key)
        for at in tie.ordered:
            param = tied_number(resource_type, tie, at)
            for low, high, unit in _ranges(composite.components[at], key):
                for one in tied:
                    yield param, ordinal % _ORDINALS, under_unit(one, unit, key), low, high


def _ranges(rows: Iterable[object], key: bytes) -> Iterator[tuple[float, float, int]]:
    for row in rows:
        match row:
            case NumberValue(_, low, high):
                yield low, high, 0
            case QuantityValue():
                yield from _measures(row, key)
            case _:
                raise NotImplementedError(type(row).__name__)


def _measures(quantity: QuantityValue, key: bytes) -> list[tuple[float, float, int]]:
    """Return the ranges of a quantity, each with the number of its unit."""
    return [
        (one.low, one.high, unit_number(one.system, one.code, key) if one.code else 0)
        for one in measures(quantity)
    ]
