"""Distances on the earth, for ``near``.

https://hl7.org/fhir/R4/location.html#positional, which leaves the formula to the server.
"""

import math
from typing import Final

EARTH_METRES: Final = 6_371_008.8
"""The mean radius of the earth (IUGG, Geodetic Reference System 1980)."""


def metres_between(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Return the metres between two places (latitude, longitude in degrees), on a sphere.

    The haversine formula; the earth is flattened, so that up to 0.6 % may be wrong.
    """
    north, other = math.radians(first[0]), math.radians(second[0])
    half = math.sin((other - north) / 2) ** 2
    turn = math.sin(math.radians(second[1] - first[1]) / 2) ** 2
    part = half + math.cos(north) * math.cos(other) * turn
    return 2 * EARTH_METRES * math.asin(math.sqrt(min(1.0, part)))
