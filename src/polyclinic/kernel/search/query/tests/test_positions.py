"""``near`` of a Location."""

from typing import Any

import pytest

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.predicate import AnyOf, Near
from polyclinic.kernel.search.query import parse_query


def part(value: str) -> Any:
    query, _ = parse_query("Location", [("near", value)], "https://clinic.example/fhir")
    return query.where.parts[0]


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("48.85|2.35|10|km", (48.85, 2.35, 10_000)),
        ("48.85|2.35|10", (48.85, 2.35, 10_000)),
        ("48.85|2.35|10|", (48.85, 2.35, 10_000)),
        ("-48.85|-2.35|250|m", (-48.85, -2.35, 250)),
        ("0|180|1|[mi_i]", (0, 180, 1_609.344)),
        ("48.85|2.35", (48.85, 2.35, 50_000)),
        ("48.85|2.35||", (48.85, 2.35, 50_000)),
    ],
)
def test_a_place_has_a_distance_in_metres(value: str, place: tuple[float, float, float]):
    found = part(value)

    assert isinstance(found, Near)
    assert (found.latitude, found.longitude, found.metres) == place


def test_one_of_several_places_is_enough():
    assert isinstance(part("1|1,2|2"), AnyOf)


@pytest.mark.parametrize(
    "value",
    [
        "48.85",
        "91|0",
        "0|181",
        "a|0",
        "nan|0",
        "1e1|0",
        "0|0|-1",
        "0|0|0",
        "0|0|30000",
        "0|0|1|miles",
        "0|0|1|km|x",
        "0|0||parsec",
    ],
)
def test_what_is_no_place_is_refused(value: str):
    with pytest.raises(BadRequest, match="near"):
        part(value)
