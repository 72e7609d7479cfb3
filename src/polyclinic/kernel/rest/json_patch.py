"""JSON Patch on a resource.

RFC 6902, RFC 6901, https://hl7.org/fhir/R4/http.html#patch

Numbers are read as decimals, so that a patch of one element leaves 1.00 in another as it was.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any, Final

import msgspec

from polyclinic.kernel.errors import BadRequest

_MOST_OPERATIONS: Final = 1000
_MOST_COPIED: Final = 4 * 1024 * 1024
"""Values and characters that copies may add; each copy can double what there is."""
_LARGEST_INDEX_DIGITS: Final = 9
_encode = msgspec.json.Encoder(decimal_format="number").encode

Json = Any
Pointer = list[str]


def apply(resource: bytes, patch: bytes) -> bytes:
    """Return the resource with every operation of the patch applied, or with none.

    Raise ``BadRequest`` naming the operation that cannot be applied.
    """
    operations = _read(patch, "patch")
    if not isinstance(operations, list) or len(operations) > _MOST_OPERATIONS:
        message = f"A JSON Patch is an array of at most {_MOST_OPERATIONS} operations."
        raise BadRequest(message)
    document, room = _read(resource, "resource"), _MOST_COPIED
    for number, operation in enumerate(operations):
        try:
            room -= _copied(document, operation, room)
            document = _apply_one(document, operation)
        except (_Refused, RecursionError) as error:
            message = f"Operation {number} of the patch cannot be applied: {error}"
            raise BadRequest(message) from None
    try:
        return _encode(document)
    except (UnicodeEncodeError, RecursionError):
        message = "The patch makes a resource that is too deep, or holds half a character."
        raise BadRequest(message) from None


class _Refused(Exception):
    """Why one operation cannot be applied."""


def _read(data: bytes, what: str) -> Json:
    try:
        return json.loads(data, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        message = f"The {what} is not JSON."
        raise BadRequest(message) from None


def _no_constant(name: str) -> None:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _copied(document: Json, operation: Json, room: int) -> int:
    """Return how much an operation copies. Raise ``_Refused`` when that is more than the room."""
    if not isinstance(operation, dict) or operation.get("op") != "copy":
        return 0
    size, waiting = 0, [_find(document, _pointer(operation, "from"))]
    while waiting:
        value = waiting.pop()
        size += 1 + (len(value) if isinstance(value, str) else 0)
        if isinstance(value, dict):
            size += sum(map(len, value))
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        if size > room:
            message = "the patch copies too much."
            raise _Refused(message)
    return size


def _apply_one(document: Json, operation: Json) -> Json:
    if not isinstance(operation, dict):
        message = "it is not an object."
        raise _Refused(message)
    run = _OPERATIONS.get(str(operation.get("op")))
    if run is None:
        message = f"op must be one of {', '.join(_OPERATIONS)}."
        raise _Refused(message)
    return run(document, operation)


def _add(document: Json, operation: Json) -> Json:
    return _insert(document, _pointer(operation, "path"), _value(operation))


def _remove(document: Json, operation: Json) -> Json:
    path = _pointer(operation, "path")
    if not path:
        message = "the whole resource cannot be removed; delete it."
        raise _Refused(message)
    parent = _find(document, path[:-1])
    key = _key(parent, path[-1])
    del parent[key]
    return document


def _replace(document: Json, operation: Json) -> Json:
    path, value = _pointer(operation, "path"), _value(operation)
    if not path:
        return value
    parent = _find(document, path[:-1])
    parent[_key(parent, path[-1])] = value
    return document


def _move(document: Json, operation: Json) -> Json:
    source, target = _pointer(operation, "from"), _pointer(operation, "path")
    if target[: len(source)] == source and target != source:
        message = "a value cannot be moved into itself."
        raise _Refused(message)
    value = _find(document, source)
    return _insert(_remove(document, {"path": operation["from"]}), target, value)


def _copy(document: Json, operation: Json) -> Json:
    value = deepcopy(_find(document, _pointer(operation, "from")))
    return _insert(document, _pointer(operation, "path"), value)


def _test(document: Json, operation: Json) -> Json:
    found, expected = _find(document, _pointer(operation, "path")), _value(operation)
    if not _same(found, expected):
        message = "the value at its path is not the one that it tests for."
        raise _Refused(message)
    return document


_OPERATIONS: Final[dict[str, Callable[[Json, Json], Json]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _value(operation: Json) -> Json:
    if "value" not in operation:
        message = "it has no value."
        raise _Refused(message)
    return operation["value"]


def _pointer(operation: Json, member: str) -> Pointer:
    text = operation.get(member)
    if not isinstance(text, str) or (text and not text.startswith("/")):
        message = f"{member} must be a JSON Pointer, such as /name/0/family."
        raise _Refused(message)
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _find(document: Json, path: Pointer) -> Json:
    for part in path:
        document = document[_key(document, part)]
    return document


def _key(parent: Json, part: str) -> Any:
    """Return the existing member or index that a part of a path names."""
    if isinstance(parent, dict) and part in parent:
        return part
    if isinstance(parent, list) and (index := _index(part)) < len(parent):
        return index
    message = "its path names nothing in the resource."
    raise _Refused(message)


def _insert(document: Json, path: Pointer, value: Json) -> Json:
    if not path:
        return value
    parent = _find(document, path[:-1])
    part = path[-1]
    if isinstance(parent, dict):
        parent[part] = value
    elif isinstance(parent, list):
        index = len(parent) if part == "-" else _index(part)
        if index > len(parent):
            message = "its index is behind the end of the list."
            raise _Refused(message)
        parent.insert(index, value)
    else:
        message = "its path leads into a value that has no members."
        raise _Refused(message)
    return document


def _index(part: str) -> int:
    canonical = part.isascii() and part.isdigit() and (part == "0" or part[0] != "0")
    if not canonical or len(part) > _LARGEST_INDEX_DIGITS:
        message = "a list is addressed by a number."
        raise _Refused(message)
    return int(part)


def _same(left: Json, right: Json) -> bool:
    """Compare as RFC 6902 section 4.6 does: numbers by value, true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(_same(one, other) for one, other in pairs)
    return (type(left) is type(right) and bool(left == right)) or _numbers(left, right)


def _numbers(left: Json, right: Json) -> bool:
    both = isinstance(left, int | Decimal) and isinstance(right, int | Decimal)
    return both and bool(left == right)
