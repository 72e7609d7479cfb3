"""Numbers that keep their digits.

http://hl7.org/fhirpath/N1/#decimal
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

ARITHMETIC: Final = Context(
    prec=64,
    rounding=ROUND_HALF_EVEN,
    Emin=-9_999,
    Emax=9_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[],
)
"""How we reckon: 64 digits; what cannot be is no error but no number.

FHIRPath asks for 28 digits; FHIR allows numbers with more.
"""
GIVEN_DIGITS: Final = Context(prec=28, rounding=ROUND_HALF_EVEN, Emin=-9_999, Emax=9_999, traps=[])
"""How the result of a root or a logarithm is given."""


def decimals(value: Decimal) -> int:
    """Return how many decimal places a number has, zeros at its end left out."""
    exponent = value.normalize(ARITHMETIC).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
