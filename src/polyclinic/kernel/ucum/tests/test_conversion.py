"""Values from one unit to another."""

from decimal import Context, Decimal
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from polyclinic.kernel.ucum import Canonical, canonical, commensurable, convert, known, parse
from polyclinic.kernel.ucum.atoms import table
from polyclinic.kernel.ucum.special import DIGITS

RATIO = [code for code, unit in table().units.items() if not unit.function]
METRIC = [code for code in RATIO if table().units[code].metric]
SIMPLE = st.sampled_from(RATIO) | st.builds(
    str.__add__, st.sampled_from(sorted(table().prefixes)), st.sampled_from(METRIC)
)
EXPONENTS = st.integers(-3, 3).map(str)
UNITS = (
    st.lists(st.builds(str.__add__, SIMPLE, EXPONENTS), min_size=1, max_size=3)
    .map(".".join)
    .filter(known)  # a product of large units has more digits than are taken
)
PAIRS = st.sampled_from(
    [pair for pair in product(RATIO, RATIO) if pair[0] != pair[1] and commensurable(*pair)]
)
VALUES = st.decimals(-(10**9), 10**9, allow_nan=False).filter(lambda value: value.is_finite())


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        ("5", "mg", "g", "0.005"),
        ("1", "[lb_av]", "g", "453.59237"),
        ("180", "mg/dL", "g/L", "1.8"),
        ("1", "[in_i]", "cm", "2.54"),
        ("120", "mm[Hg]", "kPa", "15.99864"),
        ("72", "/min", "Hz", "1.2"),
        ("1", "{beats}/min", "{breaths}/min", "1"),
        ("140", "meq/L", "mmol/L", "140"),
        ("1", "mmol/L", "umol/mL", "1"),
        ("2", "k[iU]/L", "[IU]/mL", "2"),
        ("37", "Cel", "K", "310.15"),
        ("37", "Cel", "[degF]", "98.6"),
        ("-40", "[degF]", "Cel", "-40"),
        ("80", "[degRe]", "Cel", "100"),
        ("20", "10.Cel", "Cel", "200"),
        ("3", "mCel", "Cel", "0.003"),
        ("7.4", "[pH]", "umol/L", "0.039810717055349725077025230508775204348767703729738"),
        ("2", "B", "1", "100"),
        ("30", "dB[W]", "kW", "1"),
        ("0", "B[SPL]", "uPa", "20"),
        ("1", "B[10.nV]", "nV", "31.622776601683793319988935444327185337195551393252"),
        ("4", "bit_s", "1", "16"),
        ("16", "1", "bit_s", "4"),
        ("3", "[hp'_C]", "1", "0.000001"),
        ("9", "[m/s2/Hz^(1/2)]", "m2/s4/Hz", "81"),
        ("-9", "[m/s2/Hz^(1/2)]", "m2/s4/Hz", "-81"),
        ("81", "m2/s4/Hz", "[m/s2/Hz^(1/2)]", "9"),
        ("1", "Np", "1", "2.7182818284590452353602874713526624977572470937000"),
    ],
)
def test_a_value_is_converted_exactly(value, source, target, expected):
    assert convert(Decimal(value), source, target) == Decimal(expected)


@pytest.mark.parametrize("code", ["[p'diop]", "%[slope]"])
def test_a_slope_of_one_to_one_is_45_degrees(code):
    degrees = convert(Decimal(100), code, "deg")

    assert degrees is not None
    assert Context(prec=DIGITS - 2).plus(degrees) == 45


@pytest.mark.parametrize(
    ("value", "source", "target"),
    [
        ("1", "m", "s"),
        ("1", "m", "metre"),
        ("1", "TAB", "g"),
        ("1", "[iU]", "1"),
        ("1", "[iU]", "[arb'U]"),
        ("1", "[hp_X]", "[hp_C]"),
        ("0", "mol/L", "[pH]"),
        ("1e400", "[pH]", "mol/L"),
        ("NaN", "g", "kg"),
        ("Infinity", "g", "kg"),
        ("1e999999", "g", "kg"),
    ],
)
def test_what_has_no_value_in_the_other_unit_is_none(value, source, target):
    assert convert(Decimal(value), source, target) is None


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("mol", "1", True),
        ("S", "A/V", True),
        ("Sv", "Gy", True),
        ("[degF]", "Cel", True),
        ("[iU]/L", "m[IU]/mL", True),
        ("[iU]/L", "/L", False),
        ("m", "m2", False),
        ("m", "furlong", False),
    ],
)
def test_units_of_one_dimension_are_commensurable(first, second, expected):
    assert commensurable(first, second) is expected


def test_commensurable_units_have_one_canonical_unit():
    assert canonical(Decimal("0.005"), "g") == canonical(Decimal(5), "mg")
    assert canonical(Decimal(5), "mg/dL{fasting}") == Canonical(Decimal(50), "g.m-3")
    assert canonical(Decimal(5), "mg per dL") is None


@given(VALUES, UNITS)
def test_a_value_comes_back_exactly(value, code):
    unit = parse(code)

    base = unit.to_base(Fraction(value))

    assert base is not None
    assert unit.from_base(base) == Fraction(value)


@given(VALUES, PAIRS)
def test_decimals_come_back_to_the_digits_that_are_kept(value, pair):
    source, target = pair

    there = convert(value, source, target)
    back = None if there is None else convert(there, target, source)

    assert back is not None
    assert Context(prec=DIGITS - 2).plus(back) == Context(prec=DIGITS - 2).plus(value)


@given(UNITS, UNITS)
def test_the_canonical_form_of_a_product_is_the_product(first, second):
    assume(known(f"{first}.({second})"))
    assume(known(f"({first})/({second})"))
    one, other, product = parse(first), parse(second), parse(f"{first}.({second})")

    assert product == parse(f"{second}.{first}")
    assert product.magnitude == one.magnitude * other.magnitude
    assert product == one.times(other)
    assert parse(f"({first})/({second})") == one.over(other)
    assert product.over(other) == one


SPECIAL = [code for code, unit in table().units.items() if unit.function]


@given(st.decimals(-50, 50, places=3), st.sampled_from(SPECIAL))
def test_a_value_of_a_special_unit_comes_back(value, code):
    unit = parse(code)
    there = unit.to_base(Fraction(value))
    back = None if there is None else unit.from_base(there)

    assert back is not None
    assert abs(back - Fraction(value)) < Fraction(1, 10 ** (DIGITS - 30))


@given(st.decimals(-50, 50, places=2), st.decimals(-50, 50, places=2), st.sampled_from(SPECIAL))
def test_a_special_unit_keeps_or_turns_the_order(first, second, code):
    assume(first < second)
    unit = parse(code)
    low, high = unit.to_base(Fraction(first)), unit.to_base(Fraction(second))

    assert low is not None
    assert high is not None
    assert (low > high) is unit.falling
