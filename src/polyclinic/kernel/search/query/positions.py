"""Places within a distance: ``near`` of a Location, https://hl7.org/fhir/R4/location.html#search.

``latitude|longitude|distance|unit``; the unit is one of UCUM, kilometres when there is none.
"""

import math
import re
from typing import Final

from polyclinic.kernel.search import values
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import Near
from polyclinic.kernel.search.query.limits import refuse
from polyclinic.kernel.search.query.searched import Searched

DEFAULT_METRES: Final = 50_000.0
"""Of a search that names no distance; R4 leaves it to the server."""

FARTHEST: Final = 20_037_508.0
"""Metres: half the equator of WGS 84."""

METRES: Final = {
    "m": 1.0,
    "km": 1_000.0,
    "cm": 0.01,
    "[mi_i]": 1_609.344,
    "[mi_us]": 1_609.347_219,
    "[nmi_i]": 1_852.0,
    "[ft_i]": 0.304_8,
    "[yd_i]": 0.914_4,
}
"""Units of length by their UCUM code, https://ucum.org/ucum; the US mile to a micrometre."""

_DECIMAL: Final = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,18})?")
_LATITUDE: Final = 90.0
_LONGITUDE: Final = 180.0
_EXAMPLE: Final = "near=48.8566|2.3522|10|km"


def near(_: Searched, param: SearchParameter, __: str, text: str) -> Near:
    """Return the place and distance of one value."""
    parts = [values.unescape(part) for part in values.split(text, "|")]
    if not 2 <= len(parts) <= 4:  # noqa: PLR2004 - latitude and longitude, distance, unit
        refuse(f"A place is a latitude and a longitude, a distance and its unit: {_EXAMPLE}.")
    distance, unit = (*parts[2:], "", "")[:2]
    return Near(
        param,
        _degrees(parts[0], _LATITUDE, "latitude"),
        _degrees(parts[1], _LONGITUDE, "longitude"),
        _metres(distance, unit),
    )


def _degrees(text: str, most: float, name: str) -> float:
    found = float(text) if _DECIMAL.fullmatch(text) else math.inf
    if abs(found) > most:
        refuse(f"A {name} is a decimal from -{most:g} to {most:g}: {_EXAMPLE}.")
    return found


def _metres(distance: str, unit: str) -> float:
    if unit and unit not in METRES:
        refuse(f"A distance is in {', '.join(METRES)}: {_EXAMPLE}.")
    if not distance:
        return DEFAULT_METRES
    found = float(distance) * METRES[unit or "km"] if _DECIMAL.fullmatch(distance) else -1.0
    if not 0 < found <= FARTHEST:
        refuse(f"A distance is above 0 and at most half way round the earth: {_EXAMPLE}.")
    return found
