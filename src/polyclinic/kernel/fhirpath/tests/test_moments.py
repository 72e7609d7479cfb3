"""Dates and times: partial, with and without zone, later and earlier."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.fhirpath import EvaluationError
from polyclinic.kernel.fhirpath.moments import (
    Moment,
    compare_moments,
    from_datetime,
    parse_moment,
)


@given(st.datetimes(), st.sampled_from(["Date", "DateTime", "Time"]))
def test_a_moment_is_read_as_it_is_written(moment, kind):
    written = from_datetime(moment, kind)

    assert parse_moment(str(written), kind) == written


@given(st.datetimes(timezones=st.timezones()), st.datetimes(timezones=st.timezones()))
def test_moments_with_zones_have_the_order_of_the_clock(one, other):
    left, right = (from_datetime(moment, "DateTime") for moment in (one, other))
    seconds = (one - other).total_seconds()

    found = compare_moments(left, right)

    # Zones of old have seconds, and the written moment has no microseconds.
    assert abs(seconds) <= 61 or found == (seconds > 0) - (seconds < 0)


@given(st.datetimes(), st.integers(1, 6), st.integers(1, 6))
def test_less_precision_never_contradicts_more(moment, one, other):
    full = from_datetime(moment, "DateTime")
    left, right = (Moment("DateTime", full.parts[:count], None) for count in (one, other))

    assert compare_moments(left, right) == (0 if one == other else None)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("@2014-01-31 + 1 month", "2014-02-28"),
        ("@2012-02-29 + 1 year", "2013-02-28"),
        ("@2014 + 24 months", "2016"),
        ("@2014-03 - 40 days", "2014-02"),
        ("@2014-03-01 - 25 hours", "2014-02-28"),
        ("@2014-03-01T23:59:59.500 + 500 milliseconds", "2014-03-02T00:00:00.000"),
        ("@2014-03-01T10:30:00-05:00 + 14 hours", "2014-03-02T00:30:00-05:00"),
        ("@T23:30 + 45 minutes", "00:15"),
        ("@T00:10 - 20 minutes", "23:50"),
        ("@2014-03-01T10 + 90 minutes", "2014-03-01T11"),
    ],
)
def test_a_duration_is_added_to_the_precision_of_the_moment(ask, expression, expected):
    assert [str(moment) for moment in ask(expression)] == [expected]


@pytest.mark.parametrize(
    "expression",
    ["@9999-12-31 + 1 day", "@0001-01-01 - 1 month", "@2014 + 1000000000000000000 years"],
)
def test_beyond_the_calendar_there_is_nothing(ask, expression):
    assert ask(expression) == []


@pytest.mark.parametrize("expression", ["@2014-01-01 + 1 'mg'", "@2014 - 1 'mo'", "@T10 + 1 day"])
def test_only_durations_of_the_calendar_are_added(ask, expression):
    with pytest.raises(EvaluationError):
        ask(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("@2012-04-15T10:00:00 < @2012-04-17T10:00:00Z", [True]),
        ("@2012-04-15T10:00:00 < @2012-04-15T12:00:00Z", []),
        ("@2012-04-15 = @2012-04-15T10:00:00", []),
        ("@2012-04-15 != @2012-05", [True]),
        ("@T10:30 < @T10:30:01", []),
        ("now() = now()", [True]),
        ("today().toString()", ["2026-03-02"]),
        ("timeOfDay().toString()", ["08:30:00.000"]),
        ("now().toString()", ["2026-03-02T08:30:00.000Z"]),
    ],
)
def test_what_is_uncertain_is_empty(ask, expression, expected):
    assert ask(expression) == expected
