"""The table of UCUM holds together."""

from itertools import product

import pytest

from polyclinic.kernel.ucum import parse
from polyclinic.kernel.ucum.atoms import split, table
from polyclinic.kernel.ucum.special import FUNCTIONS

CODES = [*table().base, *table().units]
METRIC = [*table().base, *(code for code, unit in table().units.items() if unit.metric)]


def test_the_table_is_whole():
    assert (table().version, len(table().prefixes), len(table().base)) == ("2.2", 24, 7)
    assert len(table().units) == 305


@pytest.mark.parametrize("code", CODES)
def test_every_unit_resolves_to_base_units(code):
    unit = parse(code)

    assert unit.magnitude > 0
    assert parse(unit.canonical).dimension == unit.dimension


def test_no_symbol_has_two_meanings():
    prefixed = [prefix + code for prefix, code in product(table().prefixes, METRIC)]

    assert len({*prefixed, *CODES}) == len(prefixed) + len(CODES)


def test_every_prefix_is_read_before_every_metric_unit():
    pairs = list(product(table().prefixes, METRIC))

    assert [split(prefix + code) for prefix, code in pairs] == pairs


def test_every_function_is_that_of_a_unit():
    named = {unit.function for unit in table().units.values()} - {""}

    assert named == FUNCTIONS.keys()
