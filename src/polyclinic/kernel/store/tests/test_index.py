"""Numbers of parameters and marks of extremes."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.search.composites import ties
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.store.number_rows import LATITUDE, LONGITUDE, place_number, tied_number
from polyclinic.kernel.store.numbers import HIGHEST, LOWEST, edge_number, marked, param_number
from polyclinic.kernel.types import RESOURCE_TYPES

EVERY = [(kind, code) for kind in RESOURCE_TYPES for code in parameters(kind)]


def test_no_two_parameters_share_a_number():
    repeated = [
        number
        for number, times in Counter(param_number(*each) for each in EVERY).items()
        if times > 1
    ]

    assert len(EVERY) > 1400
    assert repeated == []


def test_no_row_of_a_composite_or_a_place_shares_a_number():
    own = {param_number(*each) for each in EVERY}
    found = [
        tied_number(kind, tie, at)
        for kind in RESOURCE_TYPES
        for tie in {one for several in ties(kind).values() for one in several}
        for at in tie.ordered
    ]
    found += [place_number("Location", "near", axis) for axis in (LATITUDE, LONGITUDE)]

    assert len(found) > 30
    assert len({*found, *own}) == len(found) + len(own)


def test_edges_of_different_elements_have_different_numbers():
    references = [each for each in EVERY if parameters(each[0])[each[1]].type == "reference"]
    keys = {(kind, parameters(kind)[code].keyed_as) for kind, code in references}

    assert len({edge_number(*each) for each in references}) == len(keys)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(-5, 5))))
def test_each_parameter_has_one_lowest_and_one_highest(rows):
    found = marked(rows)

    lowest = {param: value for param, mark, value in found if mark & LOWEST}
    highest = {param: value for param, mark, value in found if mark & HIGHEST}
    params = {param for param, _ in rows}
    assert lowest == {p: min(v for q, v in rows if q == p) for p in params}
    assert highest == {p: max(v for q, v in rows if q == p) for p in params}
    assert sum(mark & LOWEST for _, mark, _ in found) == LOWEST * len(params)
