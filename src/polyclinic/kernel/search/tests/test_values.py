"""The values of a query."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search import values
from polyclinic.kernel.search.ranges import date_range, number_range
from polyclinic.kernel.search.values import NumberText, ReferenceTo

BASE = "https://clinic.example/fhir/"
PARSERS = [
    values.split_or,
    values.parse_token,
    values.parse_of_type,
    values.parse_date,
    values.parse_number,
    values.parse_quantity,
    lambda text: values.parse_reference(text, BASE),
    lambda text: values.parse_string("name", text),
    lambda text: values.parse_string("phonetic", text),
]


def escaped(text: str) -> str:
    for char in "\\,|$":
        text = text.replace(char, f"\\{char}")
    return text


@given(st.sampled_from(PARSERS), st.text() | st.text("0123456789-+:TZ.|\\,$egtlr /"))
def test_a_parser_answers_or_refuses_and_never_fails(parse, text: str):
    with suppress(BadRequest):
        parse(text)


@given(st.lists(st.text(), min_size=1))
def test_values_are_divided_at_the_commas_that_are_not_escaped(parts: list[str]):
    text = ",".join(escaped(part) for part in parts)

    assert [values.unescape(part) for part in values.split_or(text)] == parts


@given(st.text(), st.text(min_size=1))
def test_a_token_is_read_as_it_was_written(system: str, code: str):
    assert values.parse_token(f"{escaped(system)}|{escaped(code)}") == (system, code)
    assert values.parse_token(escaped(code)) == (None, code)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("final", (None, "final")),
        ("http://loinc.org|8867-4", ("http://loinc.org", "8867-4")),
        ("|final", ("", "final")),
        ("http://loinc.org|", ("http://loinc.org", None)),
        (r"a\|b|c\,d", ("a|b", "c,d")),
    ],
)
def test_a_token_has_four_forms(text: str, token: tuple[str | None, str | None]):
    assert values.parse_token(text) == token


@pytest.mark.parametrize("text", ["", "|", "a|b|c", "a\\"])
def test_what_is_no_token_is_refused(text: str):
    with pytest.raises(BadRequest):
        values.parse_token(text)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("123", ReferenceTo(None, "123")),
        ("Patient/123", ReferenceTo("Patient", "123")),
        ("Patient/123/_history/2", ReferenceTo("Patient", "123")),
        (f"{BASE}Patient/123", ReferenceTo("Patient", "123")),
        (
            "https://other.example/Patient/1",
            ReferenceTo(None, "", "https://other.example/Patient/1"),
        ),
        ("urn:uuid:1", ReferenceTo(None, "", "urn:uuid:1")),
        ("http://example.org/v|2", ReferenceTo(None, "", "http://example.org/v|2")),
    ],
)
def test_a_reference_has_its_forms(text: str, reference: ReferenceTo):
    assert values.parse_reference(text, BASE) == reference


@pytest.mark.parametrize("text", ["", "Nothing/1", "Patient/", "a b", "Patient/1/2"])
def test_what_is_no_reference_is_refused(text: str):
    with pytest.raises(BadRequest, match="Patient/123"):
        values.parse_reference(text, BASE)


@given(st.sampled_from(["", *sorted(values.PREFIXES)]), st.dates())
def test_a_date_is_a_prefix_and_a_range(prefix: str, day):
    text = day.isoformat()

    assert values.parse_date(prefix + text) == (prefix or "eq", *date_range(text))


@pytest.mark.parametrize("text", ["2024-05-17T14:30:00 02:00", "2024-05-17T14:30:00+02:00"])
def test_a_plus_that_came_as_a_blank_is_a_plus(text: str):
    assert values.parse_date(text)[1:] == date_range("2024-05-17T14:30:00+02:00")


@pytest.mark.parametrize(
    "text", ["", "ge", "2024-02-30", "yesterday", "xx2024", "2024-05-17T25:00"]
)
def test_what_is_no_date_is_refused(text: str):
    with pytest.raises(BadRequest, match="ge2024-05"):
        values.parse_date(text)


@given(st.sampled_from(["", *sorted(values.PREFIXES - {"ap"})]), st.decimals(-(10**9), 10**9))
def test_a_number_is_a_prefix_and_a_range(prefix: str, number):
    text = format(number, "f")
    low, high = number_range(text)

    found = values.parse_number(prefix + text)

    assert found == NumberText(prefix or "eq", low, high, float(number))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("ap100", 90, 110), ("ap-100", -110, -90), ("ap1", 0.5, 1.5), ("ap0", -0.5, 0.5)],
)
def test_about_a_number_is_a_tenth_of_it_or_what_its_digits_leave_open(text, low, high):
    found = values.parse_number(text)

    assert (found.low, found.high) == (low, high)


def test_about_a_temperature_is_a_tenth_of_its_degrees():
    found = values.parse_quantity("ap37.0|http://unitsofmeasure.org|Cel")

    assert (found.low, found.high) == pytest.approx((273.15 + 33.3, 273.15 + 40.7))


@pytest.mark.parametrize(
    "text", ["", "lt", "five", "1e999", "-1e999", "1 2", "NaN", "inf", "9" * 400]
)
def test_what_is_no_number_is_refused(text: str):
    with pytest.raises(BadRequest, match="write for instance"):
        values.parse_number(text)


@pytest.mark.parametrize(
    ("text", "system", "code"),
    [
        ("5.4", None, None),
        ("5.4|http://unitsofmeasure.org|furlong", "http://unitsofmeasure.org", "furlong"),
        ("5.4|urn:units|mg", "urn:units", "mg"),
        ("5.4||mg", None, "mg"),
        ("5.4||", None, None),
    ],
)
def test_a_quantity_may_name_its_unit(text: str, system: str | None, code: str | None):
    assert values.parse_quantity(text) == NumberText("eq", 5.35, 5.45, 5.4, system, code)


def test_a_quantity_in_a_unit_of_ucum_is_in_base_units():
    found = values.parse_quantity("gt5.4|http://unitsofmeasure.org|mg")

    assert found == NumberText("gt", 0.00535, 0.00545, 0.0054, "http://unitsofmeasure.org", "g")


def test_less_acid_is_a_greater_ph():
    found = values.parse_quantity("gt7|http://unitsofmeasure.org|[pH]")

    assert (found.prefix, found.code) == ("lt", "m-3")
    assert found.low < found.exact < found.high


@pytest.mark.parametrize("text", ["", "|s|c", "5.4|mg", "5.4|s|", "5.4|s|c|d"])
def test_what_is_no_quantity_is_refused(text: str):
    with pytest.raises(BadRequest, match="write for instance"):
        values.parse_quantity(text)


def test_of_type_has_three_parts():
    assert values.parse_of_type("types|MR|12345") == ("types", "MR", "12345")


def test_the_parts_of_a_composite_keep_their_escapes():
    assert values.split_composite(r"http://loinc.org|a\$b$gt5") == [r"http://loinc.org|a\$b", "gt5"]


def test_a_string_is_compared_as_the_parameter_compares():
    assert values.parse_string("name", r"M\,Üller") == "m uller"
    assert values.parse_string("phonetic", "Robert") == "r163"


def test_a_value_that_is_too_long_is_refused():
    with pytest.raises(BadRequest, match="at most 4096"):
        values.split_or("x" * 4097)
