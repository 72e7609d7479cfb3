"""A date or time some duration later or earlier.

http://hl7.org/fhirpath/N1/#datetime-arithmetic
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from polyclinic.kernel.fhirpath.errors import EvaluationError
from polyclinic.kernel.fhirpath.moments import DAY_PARTS, Moment, Part, days_of_month
from polyclinic.kernel.fhirpath.quantities import CALENDAR, DEFINITE, Quantity

_UNITS: Final = ("year", "month", "day", "hour", "minute", "second")
"""The unit of each part of a DateTime."""
_MILLISECONDS: Final = {
    "week": 604_800_000,
    "day": 86_400_000,
    "hour": 3_600_000,
    "minute": 60_000,
    "second": 1_000,
    "millisecond": 1,
}
_DAYS: Final = {"year": 365, "month": 30}
"""What a year and a month count for where days are too precise."""
_DAY: Final = _MILLISECONDS["day"]
_OF_A_TIME: Final = frozenset({"hour", "minute", "second", "millisecond"})
_LARGEST: Final = 10**15


def later(moment: Moment, duration: Quantity, sign: int) -> Moment | None:
    """Return the moment a duration later, or with the sign -1 earlier; None beyond year 1 to 9999.

    What is finer than the moment's precision is converted to that and cut off. Raise
    EvaluationError for a unit that is no duration of the calendar.
    """
    unit = _unit(duration)
    if abs(duration.value) > _LARGEST:
        return None
    amount = sign * int(duration.value)
    if moment.kind == "Time":
        return _later_time(moment, unit, amount)
    precision = len(moment.parts) - 1
    if unit == "year" or precision == 0:
        return _months_later(moment, 12 * _coarse(unit, amount, "year"))
    if unit == "month" or precision == 1:
        return _months_later(moment, _coarse(unit, amount, "month"))
    step = _MILLISECONDS[_UNITS[precision]] if precision < len(_UNITS) - 1 else 1
    milliseconds = amount * _MILLISECONDS[unit]
    return _milliseconds_later(moment, _cut(milliseconds, step))


def _unit(duration: Quantity) -> str:
    """Return the calendar's word for a unit; a year and a month of UCUM are no calendar's."""
    found = CALENDAR.get(duration.unit) or DEFINITE.get(duration.unit)
    if found is None:
        message = "Only a duration can be added to or taken from a date or time."
        raise EvaluationError(message)
    return found


def _cut(value: int, step: int) -> int:
    """Return a value without what is no multiple of a step, towards zero."""
    return (abs(value) // step) * step * (1 if value >= 0 else -1)


def _coarse(unit: str, amount: int, target: str) -> int:
    """Return years or months of any unit."""
    if unit == target:
        return amount
    if unit == "year":
        return 12 * amount
    sign = 1 if amount >= 0 else -1
    if unit == "month":
        return sign * (abs(amount) // 12)
    days = abs(amount) * _MILLISECONDS[unit] // _DAY
    return sign * (days // _DAYS[target])


def _months_later(moment: Moment, months: int) -> Moment | None:
    year, month = int(moment.parts[0]), int((*moment.parts, 1)[1])
    count = year * 12 + month - 1 + months
    year, month = count // 12, count % 12 + 1
    if not 1 <= year <= 9999:  # noqa: PLR2004 - the years that a date can have
        return None
    parts: tuple[Part, ...] = (year, month)[: len(moment.parts)]
    if len(moment.parts) >= DAY_PARTS:
        parts = (*parts, min(int(moment.parts[2]), days_of_month(year, month)))
    return Moment(moment.kind, (*parts, *moment.parts[DAY_PARTS:]), moment.offset)


def _milliseconds_later(moment: Moment, milliseconds: int) -> Moment | None:
    parts = moment.parts
    year, month, day, hour, minute, _ = (*parts, 0, 0, 0)[:6]
    second, fraction = _second(parts, 5)
    start = datetime(int(year), int(month), int(day), int(hour), int(minute), second)  # noqa: DTZ001 - the zone stays
    try:
        end = start + timedelta(milliseconds=milliseconds + int(fraction * 1000))
    except OverflowError:
        return None
    rest = fraction * 1000 % 1 / 1000
    whole = (end.year, end.month, end.day, end.hour, end.minute)
    last = _with_fraction(end.second, end.microsecond, rest, fraction)
    return Moment(moment.kind, (*whole, last)[: len(parts)], moment.offset)


def _second(parts: tuple[Part, ...], place: int) -> tuple[int, Decimal]:
    if len(parts) <= place:
        return 0, Decimal(0)
    exact = Decimal(parts[place])
    return min(int(exact), 59), exact % 1


def _with_fraction(second: int, microsecond: int, rest: Decimal, fraction: Decimal) -> Decimal:
    """Return a second with at least as many decimal places as there were."""
    value = Decimal(second) + Decimal(microsecond).scaleb(-6) + rest
    exponent = fraction.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    if microsecond % 1000 == 0 and microsecond and places < 3:  # noqa: PLR2004 - milliseconds
        places = 3
    return value.quantize(Decimal(1).scaleb(-places)) if places else Decimal(int(value))


def _later_time(moment: Moment, unit: str, amount: int) -> Moment:
    """Return a time of the day, that goes on from midnight."""
    if unit not in _OF_A_TIME:
        message = "Only hours and what is finer can be added to a time."
        raise EvaluationError(message)
    day = Moment("DateTime", (2000, 1, 1, *moment.parts), None)
    step = _MILLISECONDS[_UNITS[2 + len(moment.parts)]] if len(moment.parts) < DAY_PARTS else 1
    moved = _milliseconds_later(day, _cut(amount * _MILLISECONDS[unit], step) % _DAY)
    assert moved is not None  # a day later is a date
    return Moment("Time", moved.parts[DAY_PARTS:], None)
