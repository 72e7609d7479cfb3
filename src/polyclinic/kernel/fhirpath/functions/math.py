"""Math.

http://hl7.org/fhirpath/N1/#math
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

from polyclinic.kernel.fhirpath.decimals import ARITHMETIC, GIVEN_DIGITS
from polyclinic.kernel.fhirpath.errors import EvaluationError
from polyclinic.kernel.fhirpath.functions.function import INPUT, Function
from polyclinic.kernel.fhirpath.node import EMPTY, Collection, decimal, integer, quantity
from polyclinic.kernel.fhirpath.quantities import Quantity
from polyclinic.kernel.fhirpath.run import Run
from polyclinic.kernel.fhirpath.singleton import single_value

MAX_PLACES: Final = 31
"""Decimal places that ``round`` gives at most."""


def _number(nodes: Collection) -> int | Decimal | None:
    value = single_value(nodes)
    if not nodes or (value is None and nodes[0].type.primitive):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        message = "A number is needed."
        raise EvaluationError(message)
    return value


def _abs(_: Run, nodes: Collection) -> Collection:
    value = single_value(nodes)
    if isinstance(value, Quantity):
        return quantity(replace(value, value=abs(value.value)))
    found = _number(nodes)
    if found is None:
        return EMPTY
    return integer(abs(found)) if isinstance(found, int) else decimal(ARITHMETIC.abs(found))


def _to_whole(rounding: str) -> Callable[[Run, Collection], Collection]:
    def call(_: Run, nodes: Collection) -> Collection:
        value = _number(nodes)
        if value is None or abs(Decimal(value)) > _BEYOND_INTEGERS:
            return EMPTY
        return integer(int(Decimal(value).to_integral_value(rounding)))

    return call


_BEYOND_INTEGERS: Final = 2**33


def _round(_: Run, nodes: Collection, *precision: Collection) -> Collection:
    value = _number(nodes)
    places = _number(precision[0]) if precision else 0
    if value is None or places is None:
        return EMPTY
    if not isinstance(places, int) or not 0 <= places <= MAX_PLACES:
        message = f"The precision is an Integer from 0 to {MAX_PLACES}."
        raise EvaluationError(message)
    digits = Decimal(1).scaleb(-places)
    return decimal(Decimal(value).quantize(digits, ROUND_HALF_UP, ARITHMETIC))


def _given(value: Decimal) -> Collection:
    return decimal(GIVEN_DIGITS.plus(value))


def _function(call: Callable[[Decimal], Decimal]) -> Callable[[Run, Collection], Collection]:
    def function(_: Run, nodes: Collection) -> Collection:
        value = _number(nodes)
        return EMPTY if value is None else _given(call(Decimal(value)))

    return function


def _log(_: Run, nodes: Collection, base: Collection) -> Collection:
    value, other = _number(nodes), _number(base)
    if value is None or other is None:
        return EMPTY
    divisor = ARITHMETIC.ln(Decimal(other))
    return _given(ARITHMETIC.divide(ARITHMETIC.ln(Decimal(value)), divisor))


def _power(_: Run, nodes: Collection, exponent: Collection) -> Collection:
    value, power = _number(nodes), _number(exponent)
    if value is None or power is None:
        return EMPTY
    found = ARITHMETIC.power(Decimal(value), Decimal(power))
    if isinstance(value, int) and isinstance(power, int) and power >= 0:
        return integer(int(found)) if abs(found) < _BEYOND_INTEGERS else EMPTY
    return _given(found)


FUNCTIONS: Final = {
    "abs": Function(_abs, takes="Number", gives=INPUT),
    "ceiling": Function(_to_whole(ROUND_CEILING), takes="Number", gives="Integer"),
    "exp": Function(_function(ARITHMETIC.exp), takes="Number", gives="Decimal"),
    "floor": Function(_to_whole(ROUND_FLOOR), takes="Number", gives="Integer"),
    "ln": Function(_function(ARITHMETIC.ln), takes="Number", gives="Decimal"),
    "log": Function(_log, (1, 1), takes="Number", gives="Decimal"),
    "power": Function(_power, (1, 1), takes="Number"),
    "round": Function(_round, (0, 1), takes="Number", gives="Decimal"),
    "sqrt": Function(_function(ARITHMETIC.sqrt), takes="Number", gives="Decimal"),
    "truncate": Function(_to_whole(ROUND_DOWN), takes="Number", gives="Integer"),
}
