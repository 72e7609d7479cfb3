"""Which texts are units. https://ucum.org/ucum#section-Grammar-of-Units-and-Unit-Terms"""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.ucum import MAX_LENGTH, UnknownUnit, known, parse
from polyclinic.kernel.ucum.grammar import MAX_DEPTH

UNITS = {
    "1": ("1", "1"),
    "m": ("1", "m"),
    "mg": ("1/1000", "g"),
    "dag": ("10", "g"),
    "KiBy": ("8192", "1"),
    "mmol/L": ("602214076000000000000000", "m-3"),
    "/min": ("1/60", "s-1"),
    "10*3/uL": ("1000000000000", "m-3"),
    "10^-3": ("1/1000", "1"),
    "10*+3/ul": ("1000000000000", "m-3"),
    "mm[Hg]": ("133322", "g.m-1.s-2"),
    "[lb_av]": ("45359237/100000", "g"),
    "kg/m2": ("1000", "g.m-2"),
    "m3.kg-1.s-2": ("1/1000", "g-1.m3.s-2"),
    "g/(8.h.kg)": ("1/28800000", "s-1"),
    "g/8.h": ("450", "g.s"),
    "((m))": ("1", "m"),
    "m0": ("1", "1"),
    "{score}": ("1", "1"),
    "{}": ("1", "1"),
    "1{count}": ("1", "1"),
    "mL/min/{1.73_m2}": ("1/60000000", "m3.s-1"),
    "rad2{a}.{b}": ("1", "rad2"),
    "%": ("1/100", "1"),
    "[IU]/mL": ("1000000", "[iU].m-3"),
    "k[iU]": ("1000", "[iU]"),
    "[ft_us]": ("1200/3937", "m"),
    "[MET]": ("35/600000000000", "g-1.m3.s-1"),
    "cd": ("1", "cd"),
    "Pa": ("1000", "g.m-1.s-2"),
    "pH": ("1/1000000000", "C-2.g.m2"),
}


@pytest.mark.parametrize("code", UNITS)
def test_a_code_is_a_magnitude_in_base_units(code):
    magnitude, canonical = UNITS[code]

    unit = parse(code)

    assert (unit.magnitude, unit.canonical) == (Fraction(magnitude), canonical)


@pytest.mark.parametrize("code", ["'", "''", "cal_[15]", "B[10.nV]", "dB[SPL]", "%[slope]"])
def test_atoms_may_hold_what_else_separates(code):
    assert parse(code).dimension or parse(code).function


OPEN = "an annotation of other than ASCII characters, or not closed"
SPECIAL = "a special unit takes a prefix or a number, no other unit and no exponent"


@pytest.mark.parametrize(
    ("code", "position", "reason"),
    [
        ("", 0, "a unit is missing"),
        ("/", 1, "a unit is missing"),
        ("m/", 2, "a unit is missing"),
        (".m", 0, "a unit is missing"),
        ("g//m", 2, "a unit is missing"),
        ("-1", 0, "a unit is missing"),
        ("(/m)", 1, "a unit is missing"),
        ("g/12h", 4, "a . or / is missing"),
        ("ug(8.h)", 2, "a . or / is missing"),
        ("{a}rad2", 3, "a . or / is missing"),
        ("m{}-2", 3, "not understood"),
        ("10+3", 2, "not understood"),
        ("mg ", 2, "not understood"),
        ("m^2", 0, "no such unit"),
        ("da", 0, "no such unit"),
        ("kg[H2O]", 0, "no such unit"),
        ("k[ft_i]", 0, "no such unit"),
        ("ft_i", 0, "no such unit (perhaps [ft_i])"),
        ("mEq/L", 0, "no such unit (perhaps meq)"),
        ("mmol/[L]", 5, "no such unit (perhaps L)"),
        ("[BETH'U]", 0, "no such unit (perhaps [beth'U])"),
        ("(m", 0, "the parenthesis is not closed"),
        ("m)", 1, "not understood"),
        ("m{a", 1, OPEN),
        ("m{\N{GREEK SMALL LETTER MU}}", 1, OPEN),
        ("m{a b}", 1, OPEN),
        ("m/0", 2, "a factor of 0"),
        ("m100", 1, "too large a number"),
        ("10*99.10*99.10*99.10*99.10*99.10*99.10*99", 35, "too large a number"),
        ("Cel2", 3, SPECIAL),
        ("Cel/m", 3, SPECIAL),
        ("m.Cel", 1, SPECIAL),
    ],
)
def test_an_error_says_what_is_wrong_and_where(code, position, reason):
    with pytest.raises(UnknownUnit) as error:
        parse(code)

    assert (error.value.position, error.value.reason) == (position, reason)
    assert str(error.value) == f"No UCUM unit: {reason} at character {position + 1}."


def test_a_long_code_is_refused_before_it_is_read():
    code = "m." * MAX_LENGTH

    assert known(code) is None
    with pytest.raises(UnknownUnit, match="more than 200 characters"):
        parse(code)


def test_parentheses_have_a_limit():
    deepest = f"{'(' * MAX_DEPTH}m{')' * MAX_DEPTH}"

    assert parse(deepest) == parse("m")
    with pytest.raises(UnknownUnit, match="more than 16 parentheses"):
        parse(f"({deepest})")


PIECES = [
    "m",
    "g",
    "Cel",
    "[iU]",
    "10*",
    "k",
    "da",
    "2",
    "-3",
    "0",
    ".",
    "/",
    "(",
    ")",
    "{a}",
    "{",
    "%",
]


@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_text_is_a_unit_or_has_a_place_where_it_is_none(text):
    unit = known(text)

    if unit is None:
        with pytest.raises(UnknownUnit) as error:
            parse(text)
        assert 0 <= error.value.position <= min(len(text), MAX_LENGTH)
    else:
        assert parse(unit.canonical).dimension == unit.dimension
