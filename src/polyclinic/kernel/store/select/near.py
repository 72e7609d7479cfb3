"""Places near another: found in a box by the index, then measured."""

from polyclinic.kernel.search.distance import EARTH_METRES, box
from polyclinic.kernel.search.predicate import Near
from polyclinic.kernel.store.number_rows import LATITUDE, LONGITUDE
from polyclinic.kernel.store.select.statement import Among, Statement


def near(leaf: Near, statement: Statement) -> str:
    """Return what holds for what has a place within the distance."""
    found = box(leaf.latitude, leaf.longitude, leaf.metres)
    south, north = (_degrees(value, statement) for value in (found.south, found.north))
    conditions = [
        "v.tenant = $1",
        statement.numbered("v", statement.keys.places(leaf.param, LATITUDE)),
        f"v.unit = 0 and v.low >= {south} and v.low <= {north}",
        statement.numbered("w", statement.keys.places(leaf.param, LONGITUDE)),
        _between(found.longitudes, statement),
        f"{_metres(leaf, statement)} <= {_degrees(leaf.metres, statement)}",
    ]
    return Among.of(
        "select v.rid from number_value v join number_value w"  # noqa: S608 - conditions
        " on w.rid = v.rid and w.extreme = v.extreme"
        f" where {' and '.join(one for one in conditions if one)}"
    )


def _degrees(value: float, statement: Statement) -> str:
    return statement.argument(value, "float8")


def _between(longitudes: tuple[tuple[float, float], ...], statement: Statement) -> str:
    if not longitudes:
        return ""
    ranges = " or ".join(
        f"w.low >= {_degrees(west, statement)} and w.low <= {_degrees(east, statement)}"
        for west, east in longitudes
    )
    return f"({ranges})"


def _metres(leaf: Near, statement: Statement) -> str:
    """Return the distance, as ``metres_between`` computes it."""
    latitude, longitude = (_degrees(one, statement) for one in (leaf.latitude, leaf.longitude))
    along = f"sin((radians(v.low) - radians({latitude})) / 2)"
    across = f"sin((radians(w.low) - radians({longitude})) / 2)"
    cosines = f"cos(radians({latitude})) * cos(radians(v.low))"
    share = f"power({along}, 2) + {cosines} * power({across}, 2)"
    return f"2 * {_degrees(EARTH_METRES, statement)} * asin(least(1, sqrt({share})))"
