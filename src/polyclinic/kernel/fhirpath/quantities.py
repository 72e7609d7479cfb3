"""Quantities with a unit, and durations of the calendar.

http://hl7.org/fhirpath/N1/#quantity, http://hl7.org/fhirpath/N1/#time-valued-quantities
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from typing_extensions import override

from polyclinic.kernel.ucum import Canonical, canonical, convert

UCUM: Final = "http://unitsofmeasure.org"

_UNITS: Final = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
CALENDAR: Final = {form: unit for unit in _UNITS for form in (unit, unit + "s")}
"""The words of calendar durations, with their singular."""
UCUM_CODES: Final = dict(zip(_UNITS, ("a", "mo", "wk", "d", "h", "min", "s", "ms"), strict=True))
"""The UCUM code of each calendar duration."""
DEFINITE: Final = {code: unit for unit, code in UCUM_CODES.items() if code not in {"a", "mo"}}
"""UCUM codes of which a calendar duration is the same; a year and a month of UCUM are means."""
_CALENDAR_MONTHS: Final = {"year": 12, "month": 1}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value with a unit."""

    value: Decimal
    unit: str
    """A code of UCUM, a word of the calendar, or what stands in a resource."""
    calendar: bool = False
    """Whether the unit is a word of the calendar, ``year``, and no code."""
    ucum: bool = True
    """Whether the unit is of UCUM or the calendar."""

    @override
    def __str__(self) -> str:
        unit = self.unit if self.calendar else f"'{self.unit}'"
        return f"{self.value:f} {unit}"


def code_of(quantity: Quantity) -> str:
    """Return the UCUM code of the unit; a year and a month of the calendar have none of their own.

    They get a name that no unit of UCUM has.
    """
    if not quantity.ucum:
        return f"[{quantity.unit}] of no system"
    return UCUM_CODES[CALENDAR[quantity.unit]] if quantity.calendar else quantity.unit


def base_value(quantity: Quantity) -> Canonical | None:
    """Return the quantity in base units, or None for a unit that is not known.

    Years and months of the calendar have a base of their own, not that of seconds.
    """
    if quantity.calendar:
        months = _CALENDAR_MONTHS.get(CALENDAR[quantity.unit])
        if months is not None:
            return Canonical(quantity.value * months, "calendar month")
    if not quantity.ucum:
        return Canonical(quantity.value, code_of(quantity))
    return canonical(quantity.value, code_of(quantity))


def compare_quantities(left: Quantity, right: Quantity) -> int | None:
    """Return -1, 0 or 1, or None when the two cannot be compared."""
    one, other = base_value(left), base_value(right)
    if one is None or other is None or one.unit != other.unit:
        return None
    return (one.value > other.value) - (one.value < other.value)


def converted(quantity: Quantity, unit: Quantity) -> Decimal | None:
    """Return the value of a quantity in the unit of another, or None."""
    source, target = code_of(quantity), code_of(unit)
    if source == target:
        return quantity.value
    return convert(quantity.value, source, target) if quantity.ucum and unit.ucum else None
