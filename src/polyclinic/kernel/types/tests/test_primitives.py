"""The formats of primitive values: https://hl7.org/fhir/R4/datatypes.html#primitive."""

import calendar
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.types.primitives import TEXT_CHECKS, is_decimal
from polyclinic.kernel.types.values import Number, value_fault


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("base64Binary", "aGVsbG8="),
        ("base64Binary", "aGVs\nbG8h"),
        ("canonical", "http://example.org/a|1#b"),
        ("code", "entered in-error"),
        ("date", "1900"),
        ("date", "2020-02-29"),
        ("date", "2000-02-29"),
        ("dateTime", "2020-12"),
        ("dateTime", "2016-12-31T23:59:60Z"),
        ("dateTime", "2020-01-01T00:00:00.123456789-12:00"),
        ("id", "a" * 64),
        ("instant", "2020-01-01T00:00:00+14:00"),
        ("oid", "urn:oid:2.16.840.1"),
        ("time", "23:59:59.9"),
        ("uri", "urn:uuid:a"),
        ("uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
    ],
)
def test_a_value_of_the_format_is_taken(type_, value):
    assert TEXT_CHECKS[type_](value)
    assert value_fault(value, type_, None) is None


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("base64Binary", "aGVsbG8"),
        ("base64Binary", "a-b_"),
        ("base64Binary", "===="),
        ("canonical", "a b"),
        ("code", " a"),
        ("code", "a "),
        ("code", "a  b"),
        ("code", "a\tb"),
        ("date", "0000"),
        ("date", "20-01-01"),
        ("date", "2020-13"),
        ("date", "2020-00"),
        ("date", "2020-1-1"),
        ("date", "2023-02-29"),
        ("date", "1900-02-29"),
        ("date", "2020-04-31"),
        ("date", "2020-01-32"),
        ("date", "2020-01-01T10:00:00Z"),
        ("date", "2020-01-01\n"),
        ("date", "٢٠٢٠"),
        ("dateTime", "2020-01-01T10:00:00"),
        ("dateTime", "2020-01-01T10:00Z"),
        ("dateTime", "2020-01-01 10:00:00Z"),
        ("dateTime", "2020-01-01T24:00:00Z"),
        ("dateTime", "2020-01-01T10:60:00Z"),
        ("dateTime", "2020-01-01T10:00:00.Z"),
        ("dateTime", "2020-01-01T10:00:00+14:01"),
        ("dateTime", "2020-01-01T10:00:00z"),
        ("id", "a" * 65),
        ("id", "a_b"),
        ("instant", "2020-01-01"),
        ("oid", "2.16.840.1"),
        ("oid", "urn:oid:2.016"),
        ("oid", "urn:oid:3.1"),
        ("time", "10:00"),
        ("time", "10:00:00Z"),
        ("uri", "a b"),
        ("url", "http://a.b/\tc"),
        ("uuid", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"),
        ("uuid", "c757873d-ec9a-4326-a141-556f43239520"),
    ],
)
def test_a_value_of_another_format_is_refused(type_, value):
    assert not TEXT_CHECKS[type_](value)
    assert value_fault(value, type_, None) is not None


@pytest.mark.parametrize("text", ["0", "-0", "1.00", "-1.5e-10", "1E+999", "9" * 100])
def test_a_decimal_is_any_json_number_of_some_length(text):
    assert is_decimal(text.encode())


@pytest.mark.parametrize(
    "text", ["", "01", "1.", ".5", "+1", "1e", "1e1000", "1e-1000", "0x1", "NaN", "9" * 101, "1 "]
)
def test_what_is_no_decimal_is_refused(text):
    assert not is_decimal(text.encode())


@pytest.mark.parametrize(
    ("type_", "text", "taken"),
    [
        ("integer", "-2147483648", True),
        ("integer", "-2147483649", False),
        ("integer", "1.0", False),
        ("integer", "1e2", False),
        ("unsignedInt", "0", True),
        ("unsignedInt", "-1", False),
        ("positiveInt", "0", False),
        ("positiveInt", "2147483647", True),
        ("positiveInt", "2147483648", False),
        ("positiveInt", "9" * 5000, False),
    ],
)
def test_an_integer_has_a_range(type_, text, taken):
    assert (value_fault(Number(text), type_, None) is None) == taken


@given(st.integers(1, 9999), st.integers(0, 13), st.integers(0, 32))
def test_a_day_is_one_of_the_calendar(year, month, day):
    exists = 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]

    assert bool(TEXT_CHECKS["date"](f"{year:04}-{month:02}-{day:02}")) == exists


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_every_moment_is_an_instant(moment):
    assert TEXT_CHECKS["instant"](moment.isoformat())
