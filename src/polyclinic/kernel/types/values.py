"""JSON values as the walker reads them, and what is wrong with a primitive one."""

import re
from typing import Any, Final, Self

from polyclinic.kernel.types.definitions import codes
from polyclinic.kernel.types.primitives import (
    FORMATS,
    INTEGERS,
    MAX_STRING,
    TEXT_CHECKS,
    UNLIMITED,
    is_decimal,
)

_SHOWN_CODES: Final = 12

# Of the control characters only tab, line feed and carriage return; no half of a surrogate pair.
_forbidden = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]").search
_integer = re.compile("-?(?:0|[1-9][0-9]{0,9})").fullmatch

FaultText = tuple[str, str]
"""The code of an issue, and its message."""


class Number(str):
    """The text of a JSON number."""

    __slots__ = ()


class Members(dict[str, Any]):
    """The members of a JSON object, and which of their names were repeated."""

    repeated: tuple[str, ...] = ()

    @classmethod
    def of(cls, pairs: list[tuple[str, Any]]) -> Self:
        """Return the members of an object from its pairs in order."""
        members = cls(pairs)
        if len(members) != len(pairs):
            names = [name for name, _ in pairs]
            members.repeated = tuple(sorted({name for name in names if names.count(name) > 1}))
        return members


def value_fault(value: Any, type_: str, binding: str | None) -> FaultText | None:
    """Return what is wrong with the value of a primitive element, or None."""
    if value is None:
        return "structure", "null is not a value; leave the element out."
    if type_ == "boolean":
        wrong = not isinstance(value, bool)
        return ("value", "This element is true or false, without quotes.") if wrong else None
    if type_ in INTEGERS:
        return _integer_fault(value, type_)
    if type_ == "decimal":
        return _decimal_fault(value)
    return _text_fault(value, type_, binding)


def _integer_fault(value: Any, type_: str) -> FaultText | None:
    low, high = INTEGERS[type_]
    if isinstance(value, Number) and _integer(value) and low <= int(value) <= high:
        return None
    return "value", f"This element is a whole number from {low} to {high}, without quotes."


def _decimal_fault(value: Any) -> FaultText | None:
    if isinstance(value, Number) and is_decimal(value.encode("ascii")):
        return None
    return "value", "This element is a decimal number, without quotes, of at most 100 digits."


def _text_fault(value: Any, type_: str, binding: str | None) -> FaultText | None:
    if type(value) is not str:
        return "structure", "This element is a JSON string; put it into quotes."
    if not value or _forbidden(value):
        return "value", "A string is not empty and holds no control characters; correct it."
    if binding is not None:
        return None if value in codes(binding) else ("code-invalid", _allowed(binding))
    check = TEXT_CHECKS.get(type_)
    if check is not None:
        return None if check(value) else ("value", f"Write {FORMATS[type_]}.")
    if len(value) > MAX_STRING and type_ not in UNLIMITED:
        return "too-long", f"A string has at most {MAX_STRING} characters; use an Attachment."
    return None


def _allowed(binding: str) -> str:
    known = codes(binding)
    if len(known) > _SHOWN_CODES:
        return f"The code is not in {binding}; use one that is."
    return f"The code is not in {binding}; use one of {', '.join(known)}."
