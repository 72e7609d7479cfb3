"""Dates of a life: ages, months, working days and FHIR instants (all instants are UTC)."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Final

DAYS_PER_YEAR: Final = 365.25
DAYS_PER_MONTH: Final = 30.4375
_MONTHS: Final = 12
_WORKING_DAYS: Final = 5


def age_in_years(birth: date, day: date) -> int:
    """Return the age in completed years on a day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def age_in_months(birth: date, day: date) -> float:
    """Return the age in months of 30.4375 days, as the growth references count them."""
    return (day - birth).days / DAYS_PER_MONTH


def years_between(start: date, end: date) -> float:
    """Return the years from start to end; negative when end is earlier."""
    return (end - start).days / DAYS_PER_YEAR


def add_months(day: date, months: int) -> date:
    """Return the same day some months later; the 31st becomes the last day of a shorter month."""
    year, month = divmod(day.year * _MONTHS + day.month - 1 + months, _MONTHS)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def last_working_day(day: date) -> date:
    """Return the day itself, or the Friday before when it falls on a weekend."""
    return day - timedelta(days=max(0, day.weekday() - _WORKING_DAYS + 1))


def working_day(today: date, offset: int) -> date:
    """Return the working day `offset` working days after today (before, when negative)."""
    monday_count = last_working_day(today)
    weeks, weekday = divmod(monday_count.weekday() + offset, _WORKING_DAYS)
    monday = monday_count - timedelta(days=monday_count.weekday())
    return monday + timedelta(days=7 * weeks + weekday)


def instant(day: date, minute: int) -> str:
    """Return the FHIR instant of a minute of the day, for example 2026-03-02T09:20:00Z."""
    hours, minutes = divmod(minute, 60)
    return f"{day.isoformat()}T{hours:02d}:{minutes:02d}:00Z"
