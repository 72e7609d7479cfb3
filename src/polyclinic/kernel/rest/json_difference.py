"""From one JSON document to another, as a JSON Patch.

RFC 6902, RFC 6901. Numbers differ when they are written differently: 1.0 is not 1.00 in FHIR.
"""

import json
from decimal import Decimal
from typing import Any, Final

import msgspec

_encode = msgspec.json.Encoder(decimal_format="number").encode
_ESCAPES: Final = str.maketrans({"~": "~0", "/": "~1"})

Json = Any
Operation = dict[str, Json]


def difference(before: bytes, after: bytes) -> bytes:
    """Return the JSON Patch that makes one document of another.

    Members are compared by name; items of lists by place, behind what both lists begin with and
    before what both end with.
    """
    found: list[Operation] = []
    _compare(_read(before), _read(after), "", found)
    return _encode(found)


def _escaped(name: str) -> str:
    return name.translate(_ESCAPES)


def _read(document: bytes) -> Json:
    return json.loads(document, parse_float=Decimal)


def _compare(before: Json, after: Json, path: str, found: list[Operation]) -> None:
    if isinstance(before, dict) and isinstance(after, dict):
        _compare_members(before, after, path, found)
    elif isinstance(before, list) and isinstance(after, list):
        _compare_items(before, after, path, found)
    elif _encode(before) != _encode(after):
        found.append({"op": "replace", "path": path, "value": after})


def _compare_members(
    before: dict[str, Json], after: dict[str, Json], path: str, found: list[Operation]
) -> None:
    found += [
        {"op": "remove", "path": f"{path}/{_escaped(name)}"} for name in before if name not in after
    ]
    for name, value in after.items():
        place = f"{path}/{_escaped(name)}"
        if name in before:
            _compare(before[name], value, place, found)
        else:
            found.append({"op": "add", "path": place, "value": value})


def _compare_items(
    before: list[Json], after: list[Json], path: str, found: list[Operation]
) -> None:
    start, end = _common(before, after)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    for at, (one, other) in enumerate(zip(old, new, strict=False), start):
        _compare(one, other, f"{path}/{at}", found)
    # From the last to the first, so that the places of the others stay.
    gone = reversed(range(len(new), len(old)))
    found += [{"op": "remove", "path": f"{path}/{start + at}"} for at in gone]
    found += [
        {"op": "add", "path": f"{path}/{start + at}", "value": new[at]}
        for at in range(len(old), len(new))
    ]


def _common(before: list[Json], after: list[Json]) -> tuple[int, int]:
    """Return how many items two lists have in common at their beginning, and then at their end."""
    old, new = [_encode(one) for one in before], [_encode(one) for one in after]
    least = min(len(old), len(new))
    start = next((at for at in range(least) if old[at] != new[at]), least)
    rest = least - start
    end = next((at for at in range(rest) if old[-1 - at] != new[-1 - at]), rest)
    return start, end
