"""Boundaries, precision and comparability.

http://hl7.org/fhirpath/#lowboundaryprecision-integer-decimal--date--datetime--time
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, Final

from polyclinic.kernel.fhirpath.decimals import ARITHMETIC
from polyclinic.kernel.fhirpath.errors import EvaluationError
from polyclinic.kernel.fhirpath.functions.function import INPUT, Function
from polyclinic.kernel.fhirpath.moments import DAY_PARTS, Moment, Part, days_of_month
from polyclinic.kernel.fhirpath.node import (
    EMPTY,
    Collection,
    boolean,
    decimal,
    integer,
    moment,
    quantity,
)
from polyclinic.kernel.fhirpath.quantities import Quantity, base_value
from polyclinic.kernel.fhirpath.run import Run
from polyclinic.kernel.fhirpath.singleton import single_of, single_value

_DECIMALS: Final = 8
_MOST_DECIMALS: Final = 28
_PRECISIONS: Final = {"Date": (4, 6, 8), "DateTime": (4, 6, 8, 10, 12, 14), "Time": (2, 4, 6)}
"""Digits that a moment of so many parts has; milliseconds are three more."""
_MILLISECONDS: Final = 3
_HIGHEST_SECOND: Final = Decimal("59.999")


def _boundary(*, high: bool) -> Callable[..., Collection]:
    """Return the function that gives the greatest or the least that a value may mean."""

    def call(_: Run, nodes: Collection, *precision: Collection) -> Collection:
        value = single_value(nodes)
        digits = single_of(precision[0], int) if precision else None
        if value is None or (precision and digits is None):
            return EMPTY
        if isinstance(value, Quantity):
            found = _number_boundary(value.value, digits, high=high)
            return [] if found is None else quantity(replace(value, value=found))
        if isinstance(value, Moment):
            return moment(_moment_boundary(value, digits, high=high))
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            message = "Only numbers, quantities, dates and times have boundaries."
            raise EvaluationError(message)
        found = _number_boundary(Decimal(value), digits, high=high)
        return EMPTY if found is None else decimal(found)

    return call


def _number_boundary(value: Decimal, digits: int | None, *, high: bool) -> Decimal | None:
    """Return a number half a unit of its last digit away, with so many decimal places.

    The side away from zero is rounded, the other cut off.
    """
    places = _DECIMALS if digits is None else digits
    exponent = value.as_tuple().exponent
    if not 0 <= places <= _MOST_DECIMALS or not isinstance(exponent, int):
        return None
    half = Decimal(5).scaleb(exponent - 1)
    exact = ARITHMETIC.add(value, half if high else -half)
    outwards = (value >= 0) is high
    return exact.quantize(
        Decimal(1).scaleb(-places), ROUND_HALF_UP if outwards else ROUND_DOWN, ARITHMETIC
    )


def _moment_boundary(value: Moment, digits: int | None, *, high: bool) -> Moment | None:
    steps = _PRECISIONS[value.kind]
    most = steps[-1] + (_MILLISECONDS if value.kind != "Date" else 0)
    digits = most if digits is None else digits
    if digits != most and digits not in steps:
        return None
    full = _filled(value, high=high)
    count = len(steps) if digits == most else steps.index(digits) + 1
    parts = full[:count]
    if digits == most and value.kind != "Date":
        parts = (*parts[:-1], Decimal(parts[-1]).quantize(Decimal("0.001"), ROUND_DOWN))
    offset = value.offset
    if value.kind == "DateTime" and count > DAY_PARTS:
        zone = -12 * 60 if high else 14 * 60
        offset = zone if offset is None else offset
    return Moment(value.kind, parts, offset if count > DAY_PARTS else None)


def _filled(value: Moment, *, high: bool) -> tuple[Part, ...]:
    """Return all parts, the missing ones as late or as early as can be.

    FHIR has no hour without minutes: there the minutes are 0.
    """
    if value.kind == "Time":
        return (*value.parts, *_clock(len(value.parts), high=high))
    parts = value.parts
    if len(parts) == 1:
        parts = (*parts, 12 if high else 1)
    if len(parts) == DAY_PARTS - 1:
        parts = (*parts, days_of_month(int(parts[0]), int(parts[1])) if high else 1)
    return (*parts, *_clock(len(parts) - DAY_PARTS, high=high))


def _clock(given: int, *, high: bool) -> tuple[Part, ...]:
    minute = 59 if high and given != 1 else 0
    full: tuple[Part, ...] = (
        23 if high else 0,
        minute,
        _HIGHEST_SECOND if high else Decimal(0),
    )
    return full[given:]


def _precision(_: Run, nodes: Collection) -> Collection:
    value: Any = single_value(nodes)
    if value is None:
        return EMPTY
    if isinstance(value, Moment):
        return integer(value.precision)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        message = "Only numbers, dates and times have a precision."
        raise EvaluationError(message)
    exponent = Decimal(value).as_tuple().exponent
    return integer(max(0, -exponent)) if isinstance(exponent, int) else EMPTY


def _comparable(_: Run, nodes: Collection, other: Collection) -> Collection:
    left, right = single_of(nodes, Quantity), single_of(other, Quantity)
    if left is None or right is None:
        return EMPTY
    one, two = base_value(left), base_value(right)
    return boolean(one is not None and two is not None and one.unit == two.unit)


FUNCTIONS: Final = {
    "lowBoundary": Function(_boundary(high=False), (0, 1), gives=INPUT),
    "highBoundary": Function(_boundary(high=True), (0, 1), gives=INPUT),
    "precision": Function(_precision, gives="Integer"),
    "comparable": Function(_comparable, (1, 1), gives="Boolean"),
}
