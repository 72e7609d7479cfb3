"""What quantities are compared by. https://hl7.org/fhir/R4/search.html#quantity"""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.search import values
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.index_values import Measure, QuantityValue
from polyclinic.kernel.search.quantities import Extent, asked, measured, measures
from polyclinic.kernel.search.ranges import exact_range, number_range
from polyclinic.kernel.types import from_json
from polyclinic.kernel.ucum import SYSTEM, parse

MASSES = ["kg", "g", "mg", "ug", "10.mg", "[lb_av]", "g{dry}"]
NUMBERS = st.decimals(0, 10**4, allow_nan=False, places=3).map(str) | st.integers(1, 10**4).map(str)


def quantity(**fields):
    """Return the value-quantity of an Observation."""
    observation = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "x"},
        "valueQuantity": fields,
    }
    found = extract(from_json(observation)).quantities
    return next(value for value in found if value.param == "value-quantity")


def matches(value, text):
    """Return whether a query without a prefix finds a quantity."""
    query = values.parse_quantity(text)
    return any(
        query.low <= one.low <= query.high and one.high <= query.high
        for one in measures(value)
        if (one.system, one.code) == (query.system, query.code)
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5", True),
        ("6", False),
        (f"5|{SYSTEM}|mg", True),
        (f"0.005|{SYSTEM}|g", True),
        (f"5000|{SYSTEM}|ug", False),
        (f"5e3|{SYSTEM}|ug", True),
        (f"0.0050|{SYSTEM}|g", False),
        (f"0.01|{SYSTEM}|g", False),
        (f"1e-2|{SYSTEM}|g", False),
        (f"0e-2|{SYSTEM}|g", False),
        (f"5|{SYSTEM}|mL", False),
        (f"5|{SYSTEM}|g", False),
        ("5||mg", True),
        ("5||milligram", True),
        ("5||g", False),
        ("0.005||g", False),
        ("5|urn:other|mg", False),
    ],
)
def test_five_milligrams_are_found(text, found):
    value = quantity(value=5, unit="milligram", system=SYSTEM, code="mg")

    assert matches(value, text) is found


@pytest.mark.parametrize(
    ("fields", "text", "found"),
    [
        ({"system": "urn:units", "code": "tab"}, "2|urn:units|tab", True),
        ({"system": "urn:units", "code": "tab"}, "2||tab", True),
        ({"system": "urn:units", "code": "tab"}, "2|urn:others|tab", False),
        ({"system": SYSTEM, "code": "TAB"}, f"2|{SYSTEM}|TAB", True),
        ({"code": "mg"}, f"2|{SYSTEM}|mg", False),
        ({"code": "mg"}, "2||mg", True),
        ({"unit": "tablets"}, "2||tablets", True),
        ({"unit": "tablets"}, "2", True),
        ({}, "2", True),
        ({}, "2||mg", False),
    ],
)
def test_other_units_are_themselves_only(fields, text, found):
    assert matches(quantity(value=2, **fields), text) is found


@pytest.mark.parametrize(
    ("comparator", "low", "high"),
    [
        ("<", -math.inf, 0.005),
        ("<=", -math.inf, math.nextafter(0.005, 1)),
        (">=", 0.005, math.inf),
        (">", math.nextafter(0.005, 1), math.inf),
    ],
)
def test_a_comparator_is_one_in_base_units_too(comparator, low, high):
    value = quantity(value=5, comparator=comparator, system=SYSTEM, code="mg")

    assert value.base == Measure(SYSTEM, "g", low, high)


@pytest.mark.parametrize(("comparator", "unbound"), [("<", "high"), (">=", "low")])
def test_a_comparator_turns_under_ph(comparator, unbound):
    value = quantity(value=7, comparator=comparator, system=SYSTEM, code="[pH]")

    assert value.base is not None
    assert value.base.falling
    assert math.isinf(getattr(value.base, unbound))
    assert measures(value)[0] == Measure(None, None, value.low, value.high)


def test_what_is_sorted_by_is_in_base_units():
    value = quantity(value=5, unit="mg", system=SYSTEM, code="mg")

    assert measures(value) == [
        Measure(SYSTEM, "g", 0.0045, 0.0055),
        Measure(None, None, 4.5, 5.5),
        Measure(None, "mg", 4.5, 5.5),
    ]


def test_a_range_and_a_series_are_in_base_units():
    ends = {"low": {"value": 1, "system": SYSTEM, "code": "wk"}}
    age = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p"},
        "onsetRange": ends,
    }
    series = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "x"},
        "valueSampledData": {
            "origin": {"value": 1, "system": SYSTEM, "code": "mV"},
            "period": 1,
            "factor": 0.1,
            "dimensions": 1,
            "data": "-5 20",
        },
    }

    (weeks,) = extract(from_json(age)).quantities
    voltage = extract(from_json(series)).quantities[0]

    assert weeks.base == Measure(SYSTEM, "s", 604800.0, math.inf)
    assert voltage.base == Measure(SYSTEM, "C-1.g.m2.s-2", 0.5, math.nextafter(3.0, 4))


@given(NUMBERS, st.sampled_from(MASSES), NUMBERS, st.sampled_from(MASSES))
def test_a_quantity_is_found_where_its_range_lies_in_the_asked_one(text, code, asked_text, unit):
    value = QuantityValue(
        "x", SYSTEM, code, code, *number_range(text), text, measured(text, None, code)
    )
    of, by = parse(code).magnitude, parse(unit).magnitude
    low, high = (end * of for end in exact_range(text))
    asked_low, asked_high = (end * by for end in exact_range(asked_text))

    found = matches(value, f"{asked_text}|{SYSTEM}|{unit}")

    assert found is (asked_low <= low and high <= asked_high)


@given(NUMBERS, st.sampled_from(MASSES), st.integers(-6, 6))
def test_a_quantity_is_found_by_itself_in_a_unit_of_another_size(text, code, power):
    value = QuantityValue(
        "x", SYSTEM, code, code, *number_range(text), text, measured(text, None, code)
    )
    number = Decimal(text).scaleb(-power)

    assert matches(value, f"{number}|{SYSTEM}|10*{power}.{code}")
    assert not matches(value, f"{number}|{SYSTEM}|10*{power}.s")


@given(NUMBERS)
def test_without_a_unit_the_exact_range_is_the_usual_one(text):
    assert Extent.of(text).floats() == number_range(text)


@given(st.from_regex(r"-?[0-9]{1,40}(\.[0-9]{1,40})?(e[+-]?[0-9]{1,3})?", fullmatch=True))
@pytest.mark.parametrize("code", ["g", "Cel", "[pH]", "dB", "[p'diop]", "[m/s2/Hz^(1/2)]"])
def test_any_decimal_is_found_by_itself_or_has_no_value_in_base_units(code, text):
    measure = measured(text, None, code)
    found = asked("eq", text, code)

    assert (measure is None) is (found is None)
    assert found is None or (found[1] == measure and measure.low < measure.high)
