"""Values from one unit to another.

Exact: a result that ends within EXACT digits is given whole; one that has no end, such as 1/3, is
rounded to ``special.DIGITS`` digits.
"""

from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact
from fractions import Fraction
from typing import Final

from polyclinic.kernel.ucum.grammar import known
from polyclinic.kernel.ucum.special import ROUNDED

EXACT: Final = 300
"""Significant digits of a result at most."""

MAX_DIGITS: Final = 1_000
"""Digits of a value, and its powers of ten, at most."""

_EXACT: Final = Context(prec=EXACT, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class Canonical:
    """A value in base units."""

    value: Decimal
    unit: str
    """A code that is the same for all commensurable units."""


def canonical(value: Decimal, code: str) -> Canonical | None:
    """Return a value in base units.

    None for a code that is not UCUM, and for a value that the unit cannot have or that is beyond
    MAX_DIGITS.
    """
    unit, number = known(code), _fraction(value)
    if unit is None or number is None:
        return None
    found = unit.to_base(number)
    return None if found is None else Canonical(as_decimal(found), unit.canonical)


def convert(value: Decimal, from_code: str, to_code: str) -> Decimal | None:
    """Return a value of one unit in another.

    None for codes that are not UCUM or not commensurable, and for a value that a unit cannot have.
    """
    source, target, number = known(from_code), known(to_code), _fraction(value)
    if source is None or target is None or number is None or source.dimension != target.dimension:
        return None
    if source == target:
        return value
    found = source.to_base(number)
    if found is not None:
        found = target.from_base(found)
    return None if found is None else as_decimal(found)


def commensurable(first: str, second: str) -> bool:
    """Return whether values of one unit have a value in the other; of no unit, False."""
    one, other = known(first), known(second)
    return one is not None and other is not None and one.dimension == other.dimension


def _fraction(value: Decimal) -> Fraction | None:
    if not value.is_finite() or abs(value.adjusted()) > MAX_DIGITS:
        return None
    return Fraction(value) if len(value.as_tuple().digits) <= MAX_DIGITS else None


def as_decimal(value: Fraction) -> Decimal:
    """Return a fraction whole where its decimals end, and else rounded."""
    if value.denominator == 1:
        return Decimal(value.numerator)
    numerator, denominator = Decimal(value.numerator), Decimal(value.denominator)
    try:
        return _EXACT.divide(numerator, denominator)
    except Inexact:
        return ROUNDED.divide(numerator, denominator)
