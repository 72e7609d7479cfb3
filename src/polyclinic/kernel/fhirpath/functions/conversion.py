"""Conversion.

http://hl7.org/fhirpath/N1/#conversion
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from polyclinic.kernel.fhirpath.errors import EvaluationError
from polyclinic.kernel.fhirpath.functions.function import RESULTS, Function
from polyclinic.kernel.fhirpath.moments import DAY_PARTS, Moment, parse_moment
from polyclinic.kernel.fhirpath.node import (
    EMPTY,
    Collection,
    boolean,
    decimal,
    integer,
    moment,
    quantity,
    string,
)
from polyclinic.kernel.fhirpath.quantities import CALENDAR, Quantity, converted
from polyclinic.kernel.fhirpath.run import Evaluator, Run
from polyclinic.kernel.fhirpath.singleton import single, single_of, single_value, truth

_TRUE: Final = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0", "0.0"})
_integer = re.compile(r"[+-]?[0-9]{1,20}").fullmatch
_decimal = re.compile(r"[+-]?[0-9]{1,64}(?:\.[0-9]{1,64})?").fullmatch
_quantity = re.compile(
    r"([+-]?[0-9]{1,64}(?:\.[0-9]{1,64})?)\s*(?:'([^']+)'|([a-zA-Z]+))?"
).fullmatch

Conversion = Callable[[Any], Collection]
"""From a value to a collection of the other type; empty when it cannot be converted."""


def to_boolean(value: Any) -> Collection:
    """Return a Boolean. http://hl7.org/fhirpath/N1/#toboolean--boolean."""
    if isinstance(value, bool):
        return boolean(value)
    if isinstance(value, str):
        word = value.lower()
        return boolean(word in _TRUE) if word in _TRUE or word in _FALSE else EMPTY
    if isinstance(value, (int, Decimal)) and value in {0, 1}:
        return boolean(value)
    return EMPTY


def to_integer(value: Any) -> Collection:
    """Return an Integer. http://hl7.org/fhirpath/N1/#tointeger--integer."""
    if isinstance(value, int):
        return integer(int(value))
    return integer(int(value)) if isinstance(value, str) and _integer(value) else EMPTY


def to_decimal(value: Any) -> Collection:
    """Return a Decimal. http://hl7.org/fhirpath/N1/#todecimal--decimal."""
    if isinstance(value, (int, Decimal)):
        return decimal(Decimal(value))
    return decimal(Decimal(value)) if isinstance(value, str) and _decimal(value) else EMPTY


def to_string(value: Any) -> Collection:
    """Return a String. http://hl7.org/fhirpath/N1/#tostring--string."""
    return string(as_text(value))


def as_text(value: Any) -> str:
    """Return a value of FHIRPath's own types as it is written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def to_quantity(value: Any) -> Collection:
    """Return a Quantity. http://hl7.org/fhirpath/N1/#toquantityunit--string--quantity."""
    if isinstance(value, Quantity):
        return quantity(value)
    if isinstance(value, (int, Decimal)):
        return quantity(Quantity(Decimal(value), "1"))
    match = _quantity(value) if isinstance(value, str) else None
    if match is None or (match[3] and match[3] not in CALENDAR):
        return EMPTY
    return quantity(Quantity(Decimal(match[1]), match[2] or match[3] or "1", bool(match[3])))


def _to_date(value: Any) -> Collection:
    if isinstance(value, str):
        return moment(parse_moment(value, "Date"))
    if isinstance(value, Moment) and value.kind != "Time":
        return moment(Moment("Date", value.parts[:DAY_PARTS], None))
    return EMPTY


def _to_date_time(value: Any) -> Collection:
    if isinstance(value, str):
        return moment(parse_moment(value, "DateTime"))
    if isinstance(value, Moment) and value.kind != "Time":
        return moment(Moment("DateTime", value.parts, value.offset))
    return EMPTY


def _to_time(value: Any) -> Collection:
    if isinstance(value, str):
        return moment(parse_moment(value, "Time"))
    return moment(value) if isinstance(value, Moment) and value.kind == "Time" else EMPTY


def _converter(convert: Conversion) -> Callable[..., Collection]:
    def call(run: Run, nodes: Collection, *unit: Collection) -> Collection:
        value = single_value(nodes)
        if value is None:
            return EMPTY
        found = convert(value)
        if found and isinstance(found[0].value, str):
            run.check_length(len(found[0].value))
        return _in_unit(run, found, single_of(unit[0], str)) if unit and found else found

    return call


def _in_unit(_: Run, found: Collection, unit: str | None) -> Collection:
    """Return a quantity in another unit."""
    value: Quantity = found[0].value
    if unit is None:
        return EMPTY
    target = Quantity(Decimal(1), unit, unit in CALENDAR)
    amount = converted(value, target)
    return EMPTY if amount is None else quantity(Quantity(amount, unit, target.calendar))


def _test(convert: Conversion) -> Callable[..., Collection]:
    call = _converter(convert)

    def test(run: Run, nodes: Collection, *unit: Collection) -> Collection:
        return EMPTY if single(nodes) is None else boolean(call(run, nodes, *unit))

    return test


def _iif(
    run: Run,
    nodes: Collection,
    criterion: Evaluator,
    *results: Evaluator,
) -> Collection:
    """Return the first result if the criterion is true, else the second; only one is looked at."""
    if len(nodes) > 1:
        message = "iif() works on a single element."
        raise EvaluationError(message)
    this = run.this
    run.this = nodes
    chosen = results[:1] if truth(criterion(run)) else results[1:]
    found = chosen[0](run) if chosen else EMPTY
    run.this = this
    return found


_CONVERSIONS: Final[dict[str, Conversion]] = {
    "Boolean": to_boolean,
    "Integer": to_integer,
    "Decimal": to_decimal,
    "String": to_string,
    "Quantity": to_quantity,
    "Date": _to_date,
    "DateTime": _to_date_time,
    "Time": _to_time,
}
_UNIT: Final = {"Quantity": (0, 1)}

FUNCTIONS: Final = {
    "iif": Function(_iif, (2, 3), lazy=True, gives=RESULTS),
    **{
        f"to{name}": Function(_converter(convert), _UNIT.get(name, (0, 0)), gives=name)
        for name, convert in _CONVERSIONS.items()
    },
    **{
        f"convertsTo{name}": Function(_test(convert), _UNIT.get(name, (0, 0)), gives="Boolean")
        for name, convert in _CONVERSIONS.items()
    },
}
