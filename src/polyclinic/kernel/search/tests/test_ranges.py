"""Dates and decimals as ranges."""

import math
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.search.ranges import DAY, SECOND, date_range, is_date, number_range

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


@given(st.dates())
def test_a_day_lasts_a_day_in_utc(day: date):
    low, high = date_range(day.isoformat())

    assert low == micros(datetime(day.year, day.month, day.day, tzinfo=UTC))
    assert high - low == DAY


@given(st.dates(max_value=date(9999, 11, 30)))
def test_a_month_lasts_until_the_next(day: date):
    after = (day.replace(day=1) + timedelta(days=31)).replace(day=1)

    low, high = date_range(day.isoformat()[:7])

    assert low == date_range(day.replace(day=1).isoformat())[0]
    assert high == date_range(after.isoformat())[0]


@given(st.integers(1, 9998))
def test_a_year_lasts_until_the_next(year: int):
    assert date_range(f"{year:04}")[1] == date_range(f"{year + 1:04}-01-01")[0]


def test_the_last_year_ends():
    assert date_range("9999")[1] == date_range("9999-12-31")[1]


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)), ZONES)  # noqa: DTZ001 - the zone is drawn apart
def test_a_second_is_where_its_zone_puts_it(moment: datetime, zone: timezone):
    whole = moment.replace(microsecond=0, tzinfo=zone)

    assert date_range(whole.isoformat()) == (micros(whole), micros(whole) + SECOND)


@pytest.mark.parametrize(
    ("text", "low", "width"),
    [
        ("1970-01-01T00:00", 0, 60 * SECOND),
        ("1970-01-01T00:00Z", 0, 60 * SECOND),
        ("1970-01-01T00:01:00", 60 * SECOND, SECOND),
        ("1970-01-01T00:00:00.5Z", 500_000, 100_000),
        ("1970-01-01T00:00:00.123Z", 123_000, 1_000),
        ("1970-01-01T00:00:00.123456789Z", 123_456, 1),
        ("1970-01-01T01:00:00+01:00", 0, SECOND),
        ("2016-12-31T23:59:60Z", 1_483_228_800 * SECOND, SECOND),
    ],
)
def test_a_moment_is_as_long_as_its_last_digit(text: str, low: int, width: int):
    assert date_range(text) == (low, low + width)


@pytest.mark.parametrize("text", ["2023-02-29", "1900-02-29", "2023-04-31"])
def test_a_day_that_does_not_exist_is_refused(text: str):
    with pytest.raises(ValueError):  # noqa: PT011 - it has no message
        date_range(text)


@pytest.mark.parametrize("text", ["2023-13", "23", "2023-1-1", "2023-01-01T24:00", "2023-01-01T10"])
def test_what_has_not_the_form_of_a_date_is_none(text: str):
    assert not is_date(text)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("100", 99.5, 100.5),
        ("100.00", 99.995, 100.005),
        ("1.0", 0.95, 1.05),
        ("5.40e-3", 0.005395, 0.005405),
        ("1e2", 50, 150),
        ("0", -0.5, 0.5),
        ("-2.5", -2.55, -2.45),
        ("007", 6.5, 7.5),
    ],
)
def test_a_number_leaves_half_a_unit_of_its_last_digit_open(text: str, low: float, high: float):
    assert number_range(text) == (low, high)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_each_bound_is_the_nearest_double(number: Decimal):
    text = format(number, "f")
    half = Fraction(5, 10 ** (len(text.partition(".")[2]) + 1))

    low, high = number_range(text)

    assert low == float(Fraction(number) - half)
    assert high >= float(Fraction(number) + half)
    assert low <= float(number) < high


def test_more_digits_than_a_double_has_still_leave_a_range():
    low, high = number_range("174.28635861748953123456")

    assert low <= 174.28635861748953123456 < high


def test_what_no_double_holds_reaches_to_infinity():
    assert number_range("1e999") == (sys.float_info.max, math.inf)
    assert number_range("-1e999") == (-math.inf, -sys.float_info.max)


@pytest.mark.parametrize(
    "text", ["", "-", "1.", ".5", "1e", "NaN", "Infinity", "0x1", "1,5", "\u0661"]
)
def test_what_is_no_decimal_is_refused(text: str):
    with pytest.raises(ValueError):  # noqa: PT011 - the text alone is its message
        number_range(text)
