"""Distances on the earth, for ``near``.

https://hl7.org/fhir/R4/location.html#positional, which leaves the formula to the server.
"""

import math
from typing import Final, NamedTuple

EARTH_METRES: Final = 6_371_008.8
"""The mean radius of the earth (IUGG, Geodetic Reference System 1980)."""

_POLE: Final = 90.0
_DATE_LINE: Final = 180.0
_MARGIN: Final = 1e-9
"""Degrees, a tenth of a millimetre, by which a box is larger than what it is computed for."""


def metres_between(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Return the metres between two places (latitude, longitude in degrees), on a sphere.

    The haversine formula, which the store has in SQL too; the earth is flattened, so that up to
    0.6 % may be wrong.
    """
    north, other = math.radians(first[0]), math.radians(second[0])
    half = math.sin((other - north) / 2) ** 2
    turn = math.sin(math.radians(second[1] - first[1]) / 2) ** 2
    part = half + math.cos(north) * math.cos(other) * turn
    return 2 * EARTH_METRES * math.asin(math.sqrt(min(1.0, part)))


class Box(NamedTuple):
    """What holds every place within a distance, in degrees."""

    south: float
    north: float
    longitudes: tuple[tuple[float, float], ...]
    """Ranges from west to east; empty where every longitude is in it."""


def box(latitude: float, longitude: float, metres: float) -> Box:
    """Return the box around all places within a distance of one."""
    angle = metres / EARTH_METRES
    reach = math.degrees(angle) + _MARGIN
    south, north = latitude - reach, latitude + reach
    if south <= -_POLE or north >= _POLE:
        return Box(max(south, -_POLE), min(north, _POLE), ())
    ratio = math.sin(angle) / math.cos(math.radians(latitude))
    if ratio >= 1:
        return Box(south, north, ())
    width = math.degrees(math.asin(ratio)) + _MARGIN
    west, east = longitude - width, longitude + width
    if west < -_DATE_LINE:
        return Box(south, north, ((west + 360, _DATE_LINE), (-_DATE_LINE, east)))
    if east > _DATE_LINE:
        return Box(south, north, ((west, _DATE_LINE), (-_DATE_LINE, east - 360)))
    return Box(south, north, ((west, east),))
