"""The elements of what JSON holds, with the types that the definitions give them.

It may be any JSON: what is not of the shape that the type asks for is passed over.

https://hl7.org/fhir/R4/json.html, https://hl7.org/fhir/R4/fhirpath.html#polymorphism
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from itertools import zip_longest
from math import isfinite
from typing import Any

from polyclinic.kernel.fhirpath.model import Type, fhir_type, is_fhir_type
from polyclinic.kernel.fhirpath.node import EMPTY, Collection, Node
from polyclinic.kernel.types.definitions import Property
from polyclinic.kernel.types.primitives import INTEGERS

Json = dict[str, Any]
Read = Callable[[Json], Collection]


def json_elements(value: Json, type_: Type, name: str) -> Collection:
    """Return the elements of one name, that of a choice without its type."""
    read = _readers(type_).get(name)
    return EMPTY if read is None else read(value)


def json_names(value: Json, type_: Type) -> list[str]:
    """Return the names of the elements that are there, in the order of the definition."""
    definition = type_.definition
    if definition is None:
        return []
    properties = definition.properties
    here = (properties.get(key.removeprefix("_")) for key in value)
    found = {property_.element.name for property_ in here if property_ is not None}
    return [name for name in type_.elements if name in found]


@cache
def _readers(type_: Type) -> dict[str, Read]:
    """Return what reads each element of a type."""
    found: dict[str, list[Property]] = {}
    if type_.definition is not None:
        for property_ in type_.definition.properties.values():
            found.setdefault(property_.element.name, []).append(property_)
    return {name: _reader(properties) for name, properties in found.items()}


def _reader(properties: list[Property]) -> Read:
    if len(properties) == 1:
        return _single(properties[0])
    keys: dict[str, Read] = {}
    for property_ in properties:
        keys[property_.name] = keys["_" + property_.name] = _single(property_)
    start = properties[0].element.name

    def read(value: Json) -> Collection:
        found: Collection = []
        for key in value:  # they are fewer than the types of a choice
            if start not in key or key not in keys:
                continue
            if key[0] != "_" or key[1:] not in value:
                found += keys[key](value)
        return found

    return read


def _single(property_: Property) -> Read:
    """Return what reads one JSON property and its sibling ``_x``."""
    name, many = property_.name, property_.element.many
    if property_.type == "Resource":
        return lambda value: _resources(_items(value.get(name)))
    type_ = fhir_type(property_.type)
    if not property_.primitive:
        return lambda value: [
            Node(item, type_) for item in _items(value.get(name)) if isinstance(item, dict)
        ]
    sibling = "_" + name if property_.extensible else ""
    fits = _fits(property_.type)

    def read(value: Json) -> Collection:
        own = value.get(name)
        if sibling in value:
            return _paired(_items(own), _items(value[sibling]), type_, fits)
        if own is None:
            return EMPTY
        if many and isinstance(own, list):
            return [Node(item, type_) for item in own if fits(item)]
        return [Node(own, type_)] if fits(own) else EMPTY

    return read


def _fits(type_name: str) -> Callable[[Any], bool]:
    """Return what tells whether a JSON value may be one of a primitive type."""
    classes: tuple[type, ...] = (str,)
    if type_name == "boolean":
        classes = (bool,)
    elif type_name in INTEGERS:
        classes = (int,)
    elif type_name == "decimal":
        return _is_number
    return lambda value: value.__class__ in classes


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    return value.__class__ is int or (isinstance(value, Decimal) and value.is_finite())


def _paired(
    own: Sequence[Any], siblings: Sequence[Any], type_: Type, fits: Callable[[Any], bool]
) -> Collection:
    found: Collection = []
    for item, sibling in zip_longest(own, siblings):
        value = item if fits(item) else None
        element = sibling if isinstance(sibling, dict) else None
        if value is not None or element is not None:
            found.append(Node(value, type_, element))
    return found


def _resources(items: Sequence[Any]) -> Collection:
    return [
        Node(item, fhir_type(item["resourceType"]))
        for item in items
        if isinstance(item, dict) and _names_type(item.get("resourceType"))
    ]


def _names_type(name: Any) -> bool:
    return isinstance(name, str) and is_fhir_type(name)


def _items(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)
