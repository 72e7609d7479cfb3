"""Dates and times of partial precision, compared in three values.

http://hl7.org/fhirpath/N1/#date, #datetime, #time, #comparison
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from typing_extensions import override

_DAY: Final = r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?"
_CLOCK: Final = r"([0-9]{2})(?::([0-9]{2})(?::([0-9]{2}(?:\.[0-9]+)?))?)?"
_ZONE: Final = r"(Z|[+-][0-9]{2}:[0-9]{2})?"
_date = re.compile(_DAY).fullmatch
_date_time = re.compile(rf"{_DAY}(?:(T)(?:{_CLOCK}{_ZONE})?)?").fullmatch
_time = re.compile(_CLOCK).fullmatch

MAX_MOMENT: Final = 64
"""Characters of a moment: fractions of a second may have any number of digits."""
DAY_PARTS: Final = 3
ALL_PARTS: Final = 6
_DAYS_OF_MONTH: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MOST: Final = (23, 59, 60)
_FIRST: Final = (1, 1, 1, 0, 0, 0)
_EARLIEST, _LATEST = timedelta(hours=14), timedelta(hours=12)
"""How far the world's zones lie from UTC, ahead and behind."""

Part = int | Decimal


@dataclass(frozen=True, slots=True)
class Moment:
    """A Date, DateTime or Time, as precise as it was written."""

    kind: str
    """``Date``, ``DateTime`` or ``Time``."""
    parts: tuple[Part, ...]
    """Year, month, day, hour, minute, second; a Time begins with the hour.

    The second is a Decimal with its digits, everything else an int.
    """
    offset: int | None
    """Minutes ahead of UTC; None when no zone was given."""

    @override
    def __str__(self) -> str:
        if self.kind == "Time":
            return _clock_text(self.parts)
        day, clock = self.parts[:DAY_PARTS], self.parts[DAY_PARTS:]
        text = "-".join(f"{part:0{2 if place else 4}}" for place, part in enumerate(day))
        if not clock:
            return text
        return f"{text}T{_clock_text(clock)}{_zone_text(self.offset)}"

    @property
    def precision(self) -> int:
        """Return the count of digits, of which milliseconds are three."""
        digits = self.parts if self.kind == "Time" else self.parts[1:]
        count = 2 * len(digits) + (0 if self.kind == "Time" else 4)
        last = self.parts[-1]
        return count + _fraction_digits(last) if isinstance(last, Decimal) else count


def _fraction_digits(second: Decimal) -> int:
    exponent = second.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _clock_text(parts: tuple[Part, ...]) -> str:
    return ":".join(_second_text(p) if isinstance(p, Decimal) else f"{p:02}" for p in parts)


def _second_text(second: Decimal) -> str:
    whole, dot, fraction = f"{second:f}".partition(".")
    return f"{whole:0>2}{dot}{fraction}"


def _zone_text(offset: int | None) -> str:
    if offset is None:
        return ""
    if offset == 0:
        return "Z"
    return f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"


def parse_moment(text: str, kind: str) -> Moment | None:
    """Return a moment from its text without ``@``, or None when it is none of this kind.

    A DateTime needs no ``T`` here; FHIR writes it without.
    """
    return _parsed(text, kind) if len(text) <= MAX_MOMENT else None


@lru_cache(maxsize=4096)
def _parsed(text: str, kind: str) -> Moment | None:
    match = {"Date": _date, "DateTime": _date_time, "Time": _time}[kind](text)
    if match is None:
        return None
    groups = match.groups()
    offset: int | None = None
    if kind == "DateTime":
        groups, zone = (*groups[:3], *groups[4:7]), groups[7]
        offset = _offset(zone)
    parts = _parts([group for group in groups if group is not None], is_time=kind == "Time")
    return Moment(kind, parts, offset) if _possible(parts, offset, kind) else None


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone == "Z":
        return 0
    minutes = 60 * int(zone[1:3]) + int(zone[4:])
    return -minutes if zone[0] == "-" else minutes


def _parts(groups: list[str], *, is_time: bool) -> tuple[Part, ...]:
    seconds = 2 if is_time else 5
    return tuple(
        Decimal(group) if place == seconds else int(group) for place, group in enumerate(groups)
    )


def _possible(parts: tuple[Part, ...], offset: int | None, kind: str) -> bool:
    if offset is not None and abs(offset) > 14 * 60:
        return False
    clock = parts if kind == "Time" else parts[DAY_PARTS:]
    if any(part > most for part, most in zip(clock, _MOST, strict=False)):
        return False
    return kind == "Time" or _is_day(parts[:DAY_PARTS])


def _is_day(parts: tuple[Part, ...]) -> bool:
    year, month, day = (*map(int, parts), 1, 1)[:3]
    return year >= 1 and 1 <= month <= 12 and 1 <= day <= days_of_month(year, month)  # noqa: PLR2004


def days_of_month(year: int, month: int) -> int:
    """Return how many days a month has."""
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)  # noqa: PLR2004
    return _DAYS_OF_MONTH[month - 1] + leap


def compare_moments(left: Moment, right: Moment) -> int | None:
    """Return -1, 0 or 1 as left is before, at or after right, or None when it is uncertain.

    Both have to be Times, or neither. A zone on one side alone leaves the other as far as zones
    go: what is then still certain is answered.
    """
    if left.offset is None and right.offset is None:
        return _compare_parts(left.parts, right.parts)
    if left.offset is not None and right.offset is not None:
        return _compare_parts(utc_parts(left), utc_parts(right))
    low, high = _bounds(left)
    other_low, other_high = _bounds(right)
    if high < other_low:
        return -1
    return 1 if low > other_high else None


def _compare_parts(left: tuple[Part, ...], right: tuple[Part, ...]) -> int | None:
    for one, other in zip(left, right, strict=False):
        if one != other:
            return -1 if one < other else 1
    return 0 if len(left) == len(right) else None


def utc_parts(moment: Moment) -> tuple[Part, ...]:
    """Return the parts in UTC, as many as there are; those of a moment without zone as they are."""
    if not moment.offset or len(moment.parts) <= DAY_PARTS:
        return moment.parts
    full = (*moment.parts, *_FIRST[len(moment.parts) :])
    year, month, day, hour, minute = full[:5]
    there = datetime(int(year), int(month), int(day), int(hour), int(minute))  # noqa: DTZ001 - zone follows
    try:
        here = there - timedelta(minutes=moment.offset)
    except OverflowError:  # the first or last day of all years
        return moment.parts
    whole = (here.year, here.month, here.day, here.hour, here.minute, full[5])
    return whole[: max(len(moment.parts), 5 if moment.offset % 60 else 0)]


def _bounds(moment: Moment) -> tuple[datetime, datetime]:
    """Return the first and the last instant that the moment may mean, in UTC."""
    try:
        low, high = _instant(moment.parts, last=False), _instant(moment.parts, last=True)
        if moment.offset is None:
            return low - _EARLIEST, high + _LATEST
        zone = timedelta(minutes=moment.offset)
        return low - zone, high - zone
    except OverflowError:
        return datetime.min, datetime.max  # noqa: DTZ901 - all are UTC here


def _instant(parts: tuple[Part, ...], *, last: bool) -> datetime:
    year, month = int(parts[0]), int(parts[1]) if len(parts) > 1 else (12 if last else 1)
    limits = (0, 12, days_of_month(year, month), 23, 59, 59) if last else _FIRST
    whole = [int(part) for part in (*parts, *limits[len(parts) :])]
    whole[5] = min(whole[5], 59)
    start = datetime(*whole)  # type: ignore[arg-type] # noqa: DTZ001 - six numbers; all are UTC here
    exact = parts[5] if len(parts) == ALL_PARTS else None
    if exact is not None:
        return start + timedelta(microseconds=int(Decimal(exact) % 1 * 1_000_000))
    return start + timedelta(microseconds=999_999 if last else 0)


def from_datetime(value: datetime, kind: str) -> Moment:
    """Return an aware moment of the clock as a Date, DateTime or Time, to the millisecond."""
    second = Decimal(value.second) + Decimal(value.microsecond // 1000).scaleb(-3)
    clock = (value.hour, value.minute, second.quantize(Decimal("0.001")))
    if kind == "Time":
        return Moment(kind, clock, None)
    day = (value.year, value.month, value.day)
    if kind == "Date":
        return Moment(kind, day, None)
    zone = value.utcoffset()
    return Moment(kind, (*day, *clock), None if zone is None else int(zone.total_seconds()) // 60)
