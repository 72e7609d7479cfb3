"""Distances on the earth, and the boxes that hold what is near."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from polyclinic.kernel.search.distance import box, metres_between

LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180)
PLACES = st.tuples(LATITUDES, LONGITUDES)


@pytest.mark.parametrize(
    ("first", "second", "kilometres"),
    [
        ((48.8566, 2.3522), (51.5074, -0.1278), 343.6),
        ((0.0, 179.5), (0.0, -179.5), 111.2),
        ((90.0, 0.0), (-90.0, 77.0), 20015.1),
    ],
)
def test_a_distance_is_that_of_the_great_circle(
    first: tuple[float, float], second: tuple[float, float], kilometres: float
):
    assert metres_between(first, second) / 1000 == pytest.approx(kilometres, abs=0.1)


@given(PLACES, PLACES, st.floats(1, 2))
def test_what_is_near_lies_in_the_box(
    place: tuple[float, float], other: tuple[float, float], farther: float
):
    found = box(*place, metres_between(place, other) * farther)

    assert found.south <= other[0] <= found.north
    assert not found.longitudes or any(west <= other[1] <= east for west, east in found.longitudes)


@given(PLACES, st.floats(1, 50_000), st.floats(-1, 1), st.floats(-1, 1))
def test_what_is_close_by_lies_in_a_box_of_its_size(
    place: tuple[float, float], metres: float, north: float, east: float
):
    degrees = metres / 111_320
    other = place[0] + north * degrees, place[1] + east * degrees
    assume(abs(other[0]) <= 90 and abs(other[1]) <= 180)
    assume(metres_between(place, other) <= metres)
    found = box(*place, metres)

    assert found.south <= other[0] <= found.north
    assert found.north - found.south <= 3 * degrees
    assert not found.longitudes or any(west <= other[1] <= east for west, east in found.longitudes)


def test_a_box_across_the_date_line_has_two_ranges():
    found = box(0.0, 179.9, 50_000)

    assert [(round(west, 1), round(east, 1)) for west, east in found.longitudes] == [
        (179.5, 180.0),
        (-180.0, -179.7),
    ]


def test_a_box_around_a_pole_has_every_longitude():
    assert box(89.9, 10.0, 50_000).longitudes == ()
