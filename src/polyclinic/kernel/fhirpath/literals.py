"""The values that stand in an expression.

http://hl7.org/fhirpath/N1/#literals
"""

from decimal import Decimal
from typing import Final

from polyclinic.kernel.fhirpath.errors import ExpressionSyntaxError
from polyclinic.kernel.fhirpath.lexer import Token
from polyclinic.kernel.fhirpath.moments import parse_moment
from polyclinic.kernel.fhirpath.node import (
    MAX_INTEGER,
    Collection,
    decimal,
    integer,
    moment,
    quantity,
)
from polyclinic.kernel.fhirpath.quantities import Quantity

MAX_DIGITS: Final = 64
"""Digits of a number in an expression."""
_KINDS: Final = {"date": "Date", "datetime": "DateTime", "time": "Time"}


def number_literal(token: Token, sign: int = 1) -> Collection:
    """Return an Integer or a Decimal; raise ExpressionSyntaxError beyond their range."""
    if len(token.text) > MAX_DIGITS:
        message = f"The number at character {token.position + 1} is too long; shorten it."
        raise ExpressionSyntaxError(message)
    if "." in token.text:
        return decimal(sign * Decimal(token.text))
    value = sign * int(token.text)
    if not -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
        message = f"The integer at character {token.position + 1} needs more than 32 bits."
        raise ExpressionSyntaxError(message)
    return integer(value)


def quantity_literal(token: Token, unit: str, *, calendar: bool) -> Collection:
    """Return a Quantity of the number and a unit."""
    if len(token.text) > MAX_DIGITS:
        message = f"The number at character {token.position + 1} is too long; shorten it."
        raise ExpressionSyntaxError(message)
    return quantity(Quantity(Decimal(token.text), unit, calendar))


def moment_literal(token: Token) -> Collection:
    """Return a Date, DateTime or Time; raise ExpressionSyntaxError for one that does not exist."""
    text = token.text.removesuffix("T") if token.kind == "datetime" else token.text
    found = parse_moment(text, _KINDS[token.kind])
    if found is None:
        message = f"There is no such date or time as at character {token.position + 1}."
        raise ExpressionSyntaxError(message)
    return moment(found)
