"""From an element to the elements below it by name: the path that nearly all work is spent on.

For Structs a function is written for each path and class: nested loops over attributes, which is
several times faster than one call for each name. What JSON holds is read name by name, and may be
any JSON: what is not of the shape that the type asks for is passed over.

http://hl7.org/fhirpath/N1/#path-selection, https://hl7.org/fhir/R4/fhirpath.html#polymorphism
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Any, Final

import msgspec
from msgspec import UNSET

from polyclinic.kernel.fhirpath.model import (
    DECIMAL,
    ELEMENT,
    QUANTITY,
    STRING,
    Type,
    fhir_type,
)
from polyclinic.kernel.fhirpath.node import Collection, Node, resource_node
from polyclinic.kernel.fhirpath.run import Run
from polyclinic.kernel.types.definitions import Property, type_definition
from polyclinic.kernel.types.shapes import COMMON_TYPES, Shape
from polyclinic.kernel.types.structs import struct_class

Walk = Callable[[Any, Callable[[Node], None]], None]
"""Called with a Struct and what takes the elements that are found."""

_NAMESPACE: Final[dict[str, Any]] = {"U": UNSET, "N": Node}
_LONGEST: Final = 12
"""Names that one function takes: Python refuses more than 20 loops within one another."""
_RANK: Final = {name: rank for rank, name in enumerate(COMMON_TYPES)}


def elements(node: Node, name: str) -> Collection:
    """Return the elements below a node of one name, that of a choice without its type."""
    value = node.value
    if isinstance(value, msgspec.Struct):
        found: Collection = []
        walk, _ = struct_walk(type(value), (name,))
        walk(value, found.append)
        return found
    if node.type.primitive:
        return [] if node.element is None else elements(Node(node.element, ELEMENT), name)
    if node.type.system:
        return _system_elements(node, name)
    if not isinstance(value, dict):
        return []
    return list(_json_elements(value, node.type, name))


def _system_elements(node: Node, name: str) -> Collection:
    if node.type is QUANTITY:
        quantity = node.value
        found = {"value": Node(quantity.value, DECIMAL), "unit": Node(quantity.unit, STRING)}
        return [found[name]] if name in found else []
    if isinstance(node.value, Type):
        namespace, own = node.value.label
        text = {"namespace": namespace, "name": own}.get(name)
        return [] if text is None else [Node(text, STRING)]
    return []


def _json_elements(value: dict[str, Any], type_: Type, name: str) -> Iterator[Node]:
    element = type_.elements.get(name)
    if element is None:
        return
    if not element.choice:
        yield from _json_values(value, _property(type_, name))
        return
    for key in value:  # fewer than the types of a choice
        plain = key.removeprefix("_")
        if plain.startswith(name) and (plain is key or plain not in value):
            found = _properties(type_).get(plain)
            if found is not None and found.element is element:
                yield from _json_values(value, found)


def _properties(type_: Type) -> dict[str, Property]:
    return dict(type_.definition.properties) if type_.definition else {}


def _property(type_: Type, name: str) -> Property:
    assert type_.definition is not None  # it has elements
    return type_.definition.properties[name]


def _json_values(value: dict[str, Any], property_: Property) -> Iterator[Node]:
    own = value.get(property_.name)
    if not property_.primitive:
        yield from _json_objects(_items(own), property_.type)
        return
    type_ = fhir_type(property_.type)
    siblings = value.get("_" + property_.name) if property_.extensible else None
    for item, element in zip_longest(_items(own), _items(siblings)):
        if element is not None and not isinstance(element, dict):
            element = None  # noqa: PLW2901 - what is no object holds no extensions
        if isinstance(item, (dict, list)):
            continue
        if item is not None or element is not None:
            yield Node(item, type_, element)


def _json_objects(items: Sequence[Any], type_name: str) -> Iterator[Node]:
    for item in items:
        if not isinstance(item, dict):
            continue
        if type_name != "Resource":
            yield Node(item, fhir_type(type_name))
        elif isinstance(item.get("resourceType"), str):
            yield resource_node(item)


def _items(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


Follow = Callable[[Run, Collection], Collection]
"""Follows a path from each element of a collection."""


def follow(names: tuple[str, ...]) -> Follow:
    """Return the function that follows a path."""
    known: dict[type, tuple[Walk, Follow | None]] = {}
    from_json = _json_follow(names)

    def plan(class_: type) -> tuple[Walk, Follow | None]:
        walk, taken = struct_walk(class_, names)
        made = known[class_] = walk, follow(names[taken:]) if taken < len(names) else None
        return made

    def followed(run: Run, nodes: Collection) -> Collection:
        found: Collection = []
        for node in nodes:
            value = node.value
            if not isinstance(value, msgspec.Struct):
                found.extend(from_json(run, node))
                continue
            walk, rest = known.get(value.__class__) or plan(type(value))
            if rest is None:
                walk(value, found.append)
            else:
                halfway: Collection = []
                walk(value, halfway.append)
                found.extend(rest(run, halfway))
        run.budget -= 1 + len(found)
        if run.budget < 0:
            run.renew()
        return found

    return followed


def _json_follow(names: tuple[str, ...]) -> Callable[[Run, Node], Collection]:
    """Return the function that follows a path from what is no Struct, name by name."""
    rest = follow(names[1:]) if len(names) > 1 else None

    def followed(run: Run, node: Node) -> Collection:
        found = elements(node, names[0])
        return rest(run, found) if rest and found else found

    return followed


def children(node: Node) -> Collection:
    """Return all elements directly below a node, in the order of its type's definition.

    http://hl7.org/fhirpath/N1/#children--collection
    """
    type_ = node.type
    if type_.system:
        names: tuple[str, ...] = ("value", "unit") if type_ is QUANTITY else ()
        return [child for name in names for child in elements(node, name)]
    if isinstance(node.value, dict):
        here = {key.removeprefix("_") for key in node.value}
        wanted = {_properties(type_)[key].element.name for key in here & _properties(type_).keys()}
        return [
            child for name in type_.elements if name in wanted for child in elements(node, name)
        ]
    return [child for name in type_.elements for child in elements(node, name)]


@lru_cache(maxsize=4096)
def struct_walk(class_: type[msgspec.Struct], names: tuple[str, ...]) -> tuple[Walk, int]:
    """Return the function that walks a path from a Struct of a class, and how many names it takes.

    It ends where the type of what follows depends on the value: at a choice, at a resource within
    another, and at the extensions of a primitive.
    """
    writer = _Writer()
    taken = writer.path(class_, "value", names, 1)
    source = "\n".join(["def walk(value, out):", *writer.lines, "    return"])
    namespace = {**_NAMESPACE, **writer.names}
    # The text holds names from the committed tables and nothing that a client sent.
    exec(compile(source, "<path>", "exec"), namespace)  # noqa: S102
    walk: Walk = namespace["walk"]
    return walk, taken


class _Writer:
    """Writes the loops of one path."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"paired": _paired, "resource": _resource}

    def path(self, class_: Any, variable: str, names: Sequence[str], taken: int) -> int:
        """Write the walk over the names from a variable of a class; return how many are taken."""
        definition = type_definition(class_.fhir_type)
        found = [
            field for field in definition.properties.values() if field.element.name == names[0]
        ]
        if len(names) > 1 and taken < _LONGEST and len(found) == 1 and not found[0].primitive:
            field = found[0]
            if field.type != "Resource":
                inner = f"v{taken}"
                self._begin(field, variable, inner, taken)
                below = _class_of(class_, field.type)
                return self.path(below, inner, names[1:], taken + 1)
        for field in sorted(found, key=lambda field: _RANK.get(field.type, len(_RANK))):
            if not _left_out(class_, field.attribute):
                self._take(class_, field, variable, taken)
        return taken

    def _write(self, depth: int, line: str) -> None:
        self.lines.append("    " * depth + line)

    def _begin(self, field: Property, variable: str, inner: str, depth: int) -> None:
        # Each level stands one deeper than the one before.
        if field.element.many:
            self._write(depth, f"for {inner} in {variable}.{field.attribute} or ():")
        else:
            self._write(depth, f"{inner} = {variable}.{field.attribute}")
            self._write(depth, f"if {inner} is not U:")

    def _take(self, class_: Any, field: Property, variable: str, depth: int) -> None:
        """Write what makes the nodes of a field."""
        own = f"{variable}.{field.attribute}"
        if field.type == "Resource":
            loop = f"{own} or ()" if field.element.many else f"[{own}] if {own} is not U else ()"
            self._write(depth, f"for w in {loop}: out(resource(w))")
            return
        kind = f"T_{field.type.replace('.', '_')}"
        self.names[kind] = fhir_type(field.type)
        if field.extensible and not _left_out(class_, field.extension_attribute):
            sibling = f"{variable}.{field.extension_attribute}"
            self._write(depth, f"if {own} is not U or {sibling} is not U:")
            many = field.element.many
            self._write(depth + 1, f"paired({own}, {sibling}, {kind}, out, {many})")
        elif field.element.many:
            self._write(depth, f"for w in {own} or ():")
            self._write(depth + 1, f"out(N(w, {kind}))")
        else:
            self._write(depth, f"w = {own}")
            self._write(depth, f"if w is not U: out(N(w, {kind}))")


def _left_out(class_: Any, attribute: str) -> bool:
    return attribute not in class_.__struct_fields__


def _class_of(class_: Any, type_name: str) -> Any:
    """Return the class of another type in the shape of this one."""
    shape = Shape.COMMON if class_.__module__.endswith("common") else Shape.COMPLETE
    return struct_class(type_name, shape)


def _paired(own: Any, siblings: Any, type_: Type, out: Callable[[Node], None], many: bool) -> None:  # noqa: FBT001 - the written loops call it
    """Hand over the values of a primitive, each with its id and extensions."""
    if not many:
        value, element = (None if own is UNSET else own), (None if siblings is UNSET else siblings)
        out(Node(value, type_, element))
        return
    for value, element in zip_longest(own or (), siblings or ()):
        if value is not None or element is not None:
            out(Node(value, type_, element))


def _resource(value: Any) -> Node:
    return Node(value, fhir_type(type(value).fhir_type))
