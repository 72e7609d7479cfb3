"""The functions of special units, which are not on a ratio scale.

A special unit is defined by a function and a unit: ``apply`` leads from values of that unit to
values of the special one, ``inverse`` back. The temperatures are exact; the others are computed
with WORKING digits and given with DIGITS.

https://ucum.org/ucum#section-Special-Units-on-non-ratio-Scales, and the names as in the table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction
from typing import Final

DIGITS: Final = 50
"""Significant digits of a result that has no end in decimals."""

WORKING: Final = 64

MOST: Final = 1_000
"""Powers of ten beyond which a value has no result."""

ROUNDED: Final = Context(prec=DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN)
_WORKING: Final = Context(prec=WORKING, Emax=MAX_EMAX, Emin=MIN_EMIN)


@dataclass(frozen=True, slots=True)
class Function:
    """A function with its inverse; None where it has no result."""

    apply: Callable[[Fraction], Fraction | None]
    inverse: Callable[[Fraction], Fraction | None]
    falling: bool = False
    """Whether greater values have smaller results."""


def _decimal(value: Fraction) -> Decimal:
    return _WORKING.divide(Decimal(value.numerator), Decimal(value.denominator))


def _fraction(value: Decimal) -> Fraction:
    return Fraction(ROUNDED.plus(value))


def _offset(by: str) -> Function:
    """Return f(x) = x - by."""
    zero = Fraction(by)
    return Function(lambda value: value - zero, lambda value: value + zero)


def _logarithm(base: str, times: int = 1) -> Function:
    """Return f(x) = times * log(x) to a base."""
    ten = _WORKING.ln(Decimal(10))
    number = _WORKING.exp(Decimal(1)) if base == "e" else Decimal(base)
    length = _WORKING.divide(_WORKING.ln(number), ten) if base == "e" else _WORKING.log10(number)

    def apply(value: Fraction) -> Fraction | None:
        if value <= 0:
            return None
        found = _WORKING.divide(_WORKING.log10(_decimal(value)), length)
        return _fraction(_WORKING.multiply(Decimal(times), found))

    def inverse(value: Fraction) -> Fraction | None:
        exponent = _decimal(value / times)
        if _WORKING.multiply(_WORKING.abs(exponent), length) > MOST:
            return None
        return _fraction(_WORKING.power(number, exponent))

    return Function(apply, inverse, falling=times < 0)


def _root() -> Function:
    """Return the square root, and below 0 that of the absolute value, so that order is kept."""

    def apply(value: Fraction) -> Fraction:
        found = _fraction(_WORKING.sqrt(_decimal(abs(value))))
        return -found if value < 0 else found

    return Function(apply, lambda value: value * abs(value))


def _tangent(*, degrees: bool) -> Function:
    """Return f(x) = 100 * tan(x), of an angle in radians or degrees."""
    unit = _WORKING.divide(_PI, Decimal(180)) if degrees else Decimal(1)

    def apply(value: Fraction) -> Fraction | None:
        angle = _WORKING.multiply(_decimal(value), unit)
        if 2 * _WORKING.abs(angle) >= _PI:
            return None
        return _fraction(_WORKING.multiply(Decimal(100), _tan(angle)))

    def inverse(value: Fraction) -> Fraction:
        return _fraction(_WORKING.divide(_atan(_decimal(value / 100)), unit))

    return Function(apply, inverse)


_PI: Final = Decimal("3.1415926535897932384626433832795028841971693993751058209749445923")


def _tan(angle: Decimal) -> Decimal:
    """Return the tangent by the series of sine and cosine."""
    square = _WORKING.multiply(angle, angle)
    sine = term = angle
    cosine = other = Decimal(1)
    for step in range(1, WORKING):
        even, odd = Decimal(-2 * step * (2 * step - 1)), Decimal(-2 * step * (2 * step + 1))
        other = _WORKING.divide(_WORKING.multiply(other, square), even)
        term = _WORKING.divide(_WORKING.multiply(term, square), odd)
        cosine, sine = _WORKING.add(cosine, other), _WORKING.add(sine, term)
    return _WORKING.divide(sine, cosine)


def _atan(value: Decimal) -> Decimal:
    """Return the arc tangent: four times halved, atan x = 2 atan(x / (1 + sqrt(1 + x²)))."""
    for _ in range(4):
        root = _WORKING.sqrt(_WORKING.add(Decimal(1), _WORKING.multiply(value, value)))
        value = _WORKING.divide(value, _WORKING.add(Decimal(1), root))
    square = _WORKING.multiply(value, value)
    total, power = Decimal(0), value
    for step in range(WORKING):
        sign = -1 if step % 2 else 1
        total = _WORKING.add(total, _WORKING.divide(power, Decimal(sign * (2 * step + 1))))
        power = _WORKING.multiply(power, square)
    return _WORKING.multiply(Decimal(16), total)


FUNCTIONS: Final[dict[str, Function]] = {
    "Cel": _offset("273.15"),
    "degF": _offset("459.67"),
    "degRe": _offset("218.52"),
    "pH": _logarithm("10", -1),
    "ln": _logarithm("e"),
    "lg": _logarithm("10"),
    "lgTimes2": _logarithm("10", 2),
    "ld": _logarithm("2"),
    "hpX": _logarithm("10", -1),
    "hpC": _logarithm("100", -1),
    "hpM": _logarithm("1000", -1),
    "hpQ": _logarithm("50000", -1),
    "sqrt": _root(),
    "tanTimes100": _tangent(degrees=False),
    "100tan": _tangent(degrees=True),
}
"""By their names in the table of UCUM."""
