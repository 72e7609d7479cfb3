"""FHIRPath Patch on a resource: Parameters in which each ``operation`` is a change.

https://hl7.org/fhir/R4/fhirpatch.html

Numbers are read as decimals, so that a patch of one element leaves 1.00 in another as it was.
"""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.fhirpath import FhirPathError, Limits
from polyclinic.kernel.fhirpath.places import Place, Places
from polyclinic.kernel.rest.patch_values import (
    NOTHING,
    Content,
    Items,
    Part,
    Refused,
    content,
    element_of,
    put,
)
from polyclinic.kernel.types import parse
from polyclinic.kernel.types.definitions import Property

MOST_OPERATIONS: Final = 1000
_MOST_CHARACTERS: Final = 65_536
"""Of all paths together."""
_MOST_STEPS: Final = 200_000
_encode = msgspec.json.Encoder(decimal_format="number").encode

Json = Any
Parts = dict[str, dict[str, Json]]
"""The parts of an operation by their names."""


def apply(resource: bytes, patch: bytes) -> bytes:
    """Return the resource with every operation of the patch applied, or with none.

    Raise ``InvalidResource`` for what is no Parameters resource, and ``BadRequest`` naming the
    operation that cannot be applied.
    """
    body = parse(patch, resource_type="Parameters", resource_id="patch").body
    operations = _read(body).get("parameter", [])
    if len(operations) > MOST_OPERATIONS:
        message = f"A FHIRPath Patch has at most {MOST_OPERATIONS} operations."
        raise BadRequest(message)
    patching = _Patching(_read(resource))
    for number, operation in enumerate(operations):
        try:
            patching.apply(operation)
        except (Refused, FhirPathError, RecursionError) as error:
            told = error.issues[0].diagnostics if isinstance(error, FhirPathError) else str(error)
            message = f"Operation {number} of the patch cannot be applied: {told}"
            raise BadRequest(message, expression=f"Parameters.parameter[{number}]") from None
    return _encode(patching.document)


def _read(data: bytes) -> dict[str, Json]:
    found: dict[str, Json] = json.loads(data, parse_float=Decimal)
    return found


class _Patching:
    """A resource while it is patched."""

    def __init__(self, document: dict[str, Json]) -> None:
        self.document = document
        self._steps = _MOST_STEPS
        self._characters = _MOST_CHARACTERS

    def apply(self, operation: dict[str, Json]) -> None:
        """Apply one operation. Raise ``Refused`` or ``FhirPathError``."""
        if operation["name"] != "operation":
            message = "each parameter is named operation."
            raise Refused(message)
        parts = _parts(operation)
        kind, path = _text(parts, "type"), _text(parts, "path")
        run = _OPERATIONS.get(kind)
        if run is None:
            message = f"its type is one of {', '.join(_OPERATIONS)}."
            raise Refused(message)
        self._characters -= len(path)
        if self._characters < 0:
            message = f"all paths have over {_MOST_CHARACTERS} characters together."
            raise Refused(message)
        places = Places(self.document, Limits(steps=self._steps, seconds=1.0))
        run(places, path, parts)
        self._steps = max(self._steps - places.steps, 1)


def _add(places: Places, path: str, parts: Parts) -> None:
    place, part = _single(places.of(path)), _value(parts)
    element = element_of(place.node, _text(parts, "name"), part)
    target = _object(place)
    if element.element.many:
        Items(target, element).insert(None, content(part, element))
        return
    definition = place.node.type.definition
    assert definition is not None
    same = [one.name for one in definition.properties.values() if one.element == element.element]
    if any(name in target or f"_{name}" in target for name in same):
        message = f"{element.element.name} is there already and does not repeat; replace it."
        raise Refused(message)
    put(target, element, content(part, element))


def _insert(places: Places, path: str, parts: Parts) -> None:
    items, element = _list(places, path)
    index = _number(parts, "index")
    if index > items.size:
        message = f"its index is behind the end of the list, which has {items.size} items."
        raise Refused(message)
    items.insert(index, content(_value(parts), element))


def _delete(places: Places, path: str, _: Parts) -> None:
    if found := places.of(path):
        _remove(_single(found))


def _replace(places: Places, path: str, parts: Parts) -> None:
    place, part = _single(places.of(path)), _value(parts)
    above, element = _stands(place)
    target = _object(above)
    if place.index is not None:
        value, items = content(part, element), Items(target, element)
        items.remove(place.index)
        items.insert(place.index, value)
        return
    chosen = element_of(above.node, element.element.name, part)
    value = content(part, chosen)
    put(target, element, NOTHING)
    put(target, chosen, value)


def _move(places: Places, path: str, parts: Parts) -> None:
    items, _ = _list(places, path)
    source, destination = _number(parts, "source"), _number(parts, "destination")
    if max(source, destination) >= items.size:
        message = f"its source or destination is beyond the list, which has {items.size} items."
        raise Refused(message)
    items.insert(destination, items.remove(source))


_OPERATIONS: Final[dict[str, Callable[[Places, str, Parts], None]]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}


def _parts(operation: dict[str, Json]) -> Parts:
    given = operation.get("part", [])
    found = {part["name"]: part for part in given}
    if len(found) != len(given):
        message = "one of its parts is given twice."
        raise Refused(message)
    return found


def _text(parts: Parts, name: str) -> str:
    part = parts.get(name, {})
    found = part.get("valueString", part.get("valueCode"))
    if not isinstance(found, str):
        message = f"it needs a part {name} with a valueString."
        raise Refused(message)
    return found


def _number(parts: Parts, name: str) -> int:
    part = parts.get(name, {})
    found = next((part[key] for key in _INTEGERS if key in part), None)
    if not isinstance(found, int) or found < 0:
        message = f"it needs a part {name} with a valueInteger of at least 0."
        raise Refused(message)
    return found


_INTEGERS: Final = ("valueInteger", "valueUnsignedInt", "valuePositiveInt")


def _value(parts: Parts) -> Part:
    if "value" not in parts:
        message = "it needs a part value."
        raise Refused(message)
    return parts["value"]


def _single(found: Sequence[Place]) -> Place:
    if len(found) != 1:
        message = f"its path leads to {'several elements' if found else 'nothing'}."
        raise Refused(message)
    return found[0]


def _stands(place: Place) -> tuple[Place, Property]:
    """Return where an element stands. Raise ``Refused`` for the resource itself."""
    if place.above is None or place.element is None:
        message = "its path leads to the whole resource; update or delete that."
        raise Refused(message)
    return place.above, place.element


def _list(places: Places, path: str) -> tuple[Items, Property]:
    """Return the one whole list that a path leads to."""
    found = places.of(path)
    if not found:
        message = "its path leads to nothing; add makes a list."
        raise Refused(message)
    above, element = _stands(found[0])
    items = Items(_object(above), element)
    is_whole = len(found) == items.size and {id(one.above) for one in found} == {id(above)}
    if not element.element.many or not is_whole:
        message = "its path does not lead to one whole list."
        raise Refused(message)
    return items, element


def _object(place: Place) -> dict[str, Json]:
    """Return the object that has what is below an element; of a primitive it may be made."""
    found = place.object
    if found is not None:
        return found
    above, element = _stands(place)
    if not element.extensible:
        message = f"{element.element.name} takes no extensions."
        raise Refused(message)
    made: dict[str, Json] = {}
    _set_sibling(_object(above), place, made)
    return made


def _set_sibling(target: dict[str, Json], place: Place, sibling: Json) -> None:
    """Give a primitive an id and extensions, or none."""
    _, element = _stands(place)
    if place.index is None:
        put(target, element, Content(place.node.value, sibling))
        return
    items = Items(target, element)
    items.insert(place.index, Content(items.remove(place.index).value, sibling))


def _remove(place: Place) -> None:
    """Remove an element, and what is left empty above it."""
    above, element = _stands(place)
    target = _object(above)
    if place.index is None:
        put(target, element, NOTHING)
    else:
        Items(target, element).remove(place.index)
    if target or above.above is None:
        return
    if above.node.value is None or not above.node.type.primitive:
        _remove(above)
    else:
        _set_sibling(_object(above.above), above, None)
