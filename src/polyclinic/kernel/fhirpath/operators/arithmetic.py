"""Reckoning with numbers, quantities and strings.

http://hl7.org/fhirpath/N1/#math-2
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from polyclinic.kernel.fhirpath.decimals import ARITHMETIC
from polyclinic.kernel.fhirpath.durations import later
from polyclinic.kernel.fhirpath.errors import EvaluationError
from polyclinic.kernel.fhirpath.moments import Moment
from polyclinic.kernel.fhirpath.node import (
    EMPTY,
    Collection,
    decimal,
    has_system_value,
    integer,
    moment,
    quantity,
    string,
)
from polyclinic.kernel.fhirpath.operators.equality import alike
from polyclinic.kernel.fhirpath.quantities import Quantity, converted
from polyclinic.kernel.fhirpath.run import Run
from polyclinic.kernel.fhirpath.singleton import single_of, single_value

Operation = Callable[[Run, Any, Any], Collection]


def _refused(symbol: str) -> EvaluationError:
    return EvaluationError(f"'{symbol}' does not work on two values of these types.")


def _operator(symbol: str, operations: dict[type, Operation]) -> Any:
    """Return the operator that does what it does on two values of one type."""

    def operate(run: Run, left: Collection, right: Collection) -> Collection:
        one, other = single_value(left), single_value(right)
        if not left or not right or _is_valueless(left, one) or _is_valueless(right, other):
            return EMPTY
        if isinstance(one, Moment) and symbol in _SIGNS:
            return _moved(one, other, symbol)
        one, other = alike(one, other)
        operation = operations.get(type(one))
        if operation is None or type(one) is not type(other):
            raise _refused(symbol)
        return operation(run, one, other)

    return operate


def _is_valueless(nodes: Collection, value: Any) -> bool:
    """Return whether an operand is a primitive or a quantity that has extensions only."""
    return value is None and has_system_value(nodes[0])


_SIGNS: Final = {"+": 1, "-": -1}


def _moved(one: Moment, other: Any, symbol: str) -> Collection:
    if not isinstance(other, Quantity):
        raise _refused(symbol)
    return moment(later(one, other, _SIGNS[symbol]))


def _concatenated(run: Run, one: str, other: str) -> Collection:
    run.check_length(len(one) + len(other))
    return string(one + other)


def _quantity_sum(sign: int) -> Operation:
    def add(_: Run, one: Quantity, other: Quantity) -> Collection:
        value = converted(other, one)
        if value is None:
            return EMPTY
        total = ARITHMETIC.add(one.value, sign * value)
        return _finite(Quantity(total, one.unit, one.calendar, one.ucum))

    return add


def _finite(value: Quantity) -> Collection:
    return quantity(value) if value.value.is_finite() else EMPTY


def _product(_: Run, one: Quantity, other: Quantity) -> Collection:
    value = ARITHMETIC.multiply(one.value, other.value)
    units = [_code(unit) for unit in (one, other)]
    factors = [unit for unit in units if unit != "1"]
    return _finite(Quantity(value, ".".join(map(_term, factors)) or "1"))


def _quotient(_: Run, one: Quantity, other: Quantity) -> Collection:
    if not other.value:
        return EMPTY
    value = ARITHMETIC.divide(one.value, other.value)
    dividend, divisor = _code(one), _code(other)
    if dividend == divisor:
        return _finite(Quantity(value, "1"))
    unit = dividend if divisor == "1" else f"{_term(dividend)}/{_term(divisor)}"
    return _finite(Quantity(value, unit))


def _code(value: Quantity) -> str:
    if not value.ucum or value.calendar:
        message = "A quantity without a UCUM unit cannot be multiplied or divided."
        raise EvaluationError(message)
    return value.unit


def _term(unit: str) -> str:
    return f"({unit})" if "/" in unit or "." in unit else unit


def _divided(_: Run, one: Any, other: Any) -> Collection:
    return decimal(ARITHMETIC.divide(Decimal(one), Decimal(other))) if other else EMPTY


def _whole_quotient(_: Run, one: Any, other: Any) -> Collection:
    if not other:
        return EMPTY
    found = ARITHMETIC.divide_int(Decimal(one), Decimal(other))
    return integer(int(found)) if found.is_finite() and abs(found) < _HUGE else EMPTY


_HUGE: Final = Decimal(2**32)


def _remainder(_: Run, one: Any, other: Any) -> Collection:
    if not other:
        return EMPTY
    found = ARITHMETIC.remainder(Decimal(one), Decimal(other))
    return integer(int(found)) if isinstance(one, int) else decimal(found)


def _joined(run: Run, left: Collection, right: Collection) -> Collection:
    """Return two strings as one; an empty collection counts as the empty string."""
    return _concatenated(run, single_of(left, str) or "", single_of(right, str) or "")


OPERATORS: Final[dict[str, Callable[[Run, Collection, Collection], Collection]]] = {
    "+": _operator(
        "+",
        {
            int: lambda _, one, other: integer(one + other),
            Decimal: lambda _, one, other: decimal(ARITHMETIC.add(one, other)),
            str: _concatenated,
            Quantity: _quantity_sum(1),
        },
    ),
    "-": _operator(
        "-",
        {
            int: lambda _, one, other: integer(one - other),
            Decimal: lambda _, one, other: decimal(ARITHMETIC.subtract(one, other)),
            Quantity: _quantity_sum(-1),
        },
    ),
    "*": _operator(
        "*",
        {
            int: lambda _, one, other: integer(one * other),
            Decimal: lambda _, one, other: decimal(ARITHMETIC.multiply(one, other)),
            Quantity: _product,
        },
    ),
    "/": _operator("/", {int: _divided, Decimal: _divided, Quantity: _quotient}),
    "div": _operator("div", {int: _whole_quotient, Decimal: _whole_quotient}),
    "mod": _operator("mod", {int: _remainder, Decimal: _remainder}),
    "&": _joined,
}


def polarity(sign: str, nodes: Collection) -> Collection:
    """Return a number or quantity with a sign; raise EvaluationError for anything else."""
    if not nodes:
        return EMPTY
    value = single_value(nodes)
    if _is_valueless(nodes, value):
        return EMPTY
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, Quantity)):
        message = f"'{sign}' needs a number or a quantity."
        raise EvaluationError(message)
    if sign == "+":
        return nodes
    if isinstance(value, Quantity):
        negative = ARITHMETIC.minus(value.value)
        return quantity(Quantity(negative, value.unit, value.calendar, value.ucum))
    return integer(-value) if isinstance(value, int) else decimal(ARITHMETIC.minus(value))
