"""Dates and decimals as the ranges that their precision leaves open.

https://hl7.org/fhir/R4/search.html#date, https://hl7.org/fhir/R4/search.html#number
"""

import math
import re
import sys
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Final

SECOND: Final = 1_000_000
"""Microseconds."""
MINUTE: Final = 60 * SECOND
DAY: Final = 86_400 * SECOND

_EPOCH_DAY: Final = 719_163
"""The proleptic Gregorian ordinal of 1970-01-01, as ``date.toordinal`` counts."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_END: Final = len("2024")
_MONTH_END: Final = len("2024-05")
_DAY_END: Final = len("2024-05-17")
_MINUTE_END: Final = len("2024-05-17T14:30")
_SECOND_END: Final = len("2024-05-17T14:30:10")
_DECEMBER: Final = 12
_BEFORE_MONTH: Final = (0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_DAYS: Final = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY: Final = 2

_DATE_TIME: Final = re.compile(
    r"[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01])"
    r"(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::(?:[0-5][0-9]|60)(?:\.[0-9]{1,12})?)?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?)?)?)?"
)


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _day_number(year: int, month: int, day: int) -> int:
    """Return the days since 1970-01-01, also for the day after 9999-12-31."""
    before = year - 1
    leaps = before // 4 - before // 100 + before // 400
    into = _BEFORE_MONTH[month] + (month > _FEBRUARY and _leap(year)) + day
    return before * 365 + leaps + into - _EPOCH_DAY


@lru_cache(maxsize=4096)
def date_range(text: str) -> tuple[int, int]:
    """Return the range [low, high) of a date, dateTime or instant, in microseconds since 1970 UTC.

    A year, month, day, minute or second is as long as it lasts; a fraction as long as its last
    digit, at least a microsecond. Without a zone it is UTC. Second 60 is the next minute's first.

    Raise ValueError for what is no such date.
    """
    length = len(text)
    if length <= _DAY_END:
        return _whole_days(text, length)
    return _moment(text)


def _whole_days(text: str, length: int) -> tuple[int, int]:
    year = int(text[:_YEAR_END])
    if length == _DAY_END:
        month, day = int(text[5:7]), int(text[8:])
        if not 1 <= day <= _DAYS[month] + (month == _FEBRUARY and _leap(year)):
            raise ValueError
        low = _day_number(year, month, day) * DAY
        return low, low + DAY
    if length == _MONTH_END:
        month = int(text[5:])
        after = (year + 1, 1) if month == _DECEMBER else (year, month + 1)
        return _day_number(year, month, 1) * DAY, _day_number(*after, 1) * DAY
    return _day_number(year, 1, 1) * DAY, _day_number(year + 1, 1, 1) * DAY


def _moment(text: str) -> tuple[int, int]:
    width = SECOND
    if text[_SECOND_END - 2 : _SECOND_END] == "60" and text[_MINUTE_END] == ":":
        return _leap_second(text)
    if text[_SECOND_END : _SECOND_END + 1] == ".":
        width = _fraction(text)
    elif text[_MINUTE_END : _MINUTE_END + 1] != ":":
        width = MINUTE
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    passed = moment - _EPOCH
    low = (passed.days * 86_400 + passed.seconds) * SECOND + passed.microseconds
    return low, low + width


def _fraction(text: str) -> int:
    """Return how long the last digit of the seconds lasts; datetime keeps six of them."""
    at = _SECOND_END + 1
    while at < len(text) and text[at].isdigit():
        at += 1
    digits = at - _SECOND_END - 1
    return int(10 ** (6 - digits)) if digits < 6 else 1  # noqa: PLR2004 - microseconds


def _leap_second(text: str) -> tuple[int, int]:
    low, high = _moment(f"{text[: _SECOND_END - 2]}59{text[_SECOND_END:]}")
    return low + SECOND, high + SECOND


def is_date(text: str) -> bool:
    """Return whether the text has the form of a date in a query, which may end at the minute."""
    return _DATE_TIME.fullmatch(text) is not None


_NUMBER: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?")


@lru_cache(maxsize=4096)
def number_range(text: str) -> tuple[float, float]:
    """Return the range [low, high) that the digits of a decimal leave open.

    Half a unit of the last digit to either side: 100 is [99.5, 100.5), 1.0 is [0.95, 1.05), and
    5.40e-3 is [0.005395, 0.005405). By the same rule 1e2 is [50, 150); the example [95, 105) that
    the standard prints for it contradicts its own rule. Each bound is the nearest double.

    A number beyond the doubles reaches from the last of them to infinity.

    Raise ValueError for what is no decimal.
    """
    return _range(text, 1, 1)


def scaled_range(text: str, factor: Fraction) -> tuple[float, float]:
    """Return the same range times a positive factor. Raise ValueError for what is no decimal."""
    return _range(text, factor.numerator, factor.denominator)


def _range(text: str, times: int, over: int) -> tuple[float, float]:
    ten, scale = _tenfold(text)
    if scale < 0:
        over *= 10**-scale
    else:
        times *= 10**scale
    low, high = _quotient((ten - 5) * times, over), _quotient((ten + 5) * times, over)
    # With more digits than a double has, the bounds may be the same double as the number.
    number = min(_quotient(ten * times, over), sys.float_info.max)
    return min(low, number), max(high, math.nextafter(number, math.inf))


def exact_range(text: str) -> tuple[Fraction, Fraction]:
    """Return the same range exactly. Raise ValueError for what is no decimal."""
    ten, scale = _tenfold(text)
    digit = Fraction(10) ** scale
    return (ten - 5) * digit, (ten + 5) * digit


def _tenfold(text: str) -> tuple[int, int]:
    """Return a decimal as ten times its digits, and the power of ten of the digit after them."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(text)
    sign, whole, fraction, exponent = match.groups()
    scale = -1
    digits = int(whole)
    if fraction:
        digits = int(whole + fraction)
        scale -= len(fraction)
    if exponent:
        scale += int(exponent)
    return (-digits if sign else digits) * 10, scale


def _quotient(value: int, over: int) -> float:
    """Return the nearest double; the division of two ints is rounded once, correctly."""
    try:
        return value / over
    except OverflowError:
        return -math.inf if value < 0 else math.inf
