"""From an element to the elements below it by name: the path that nearly all work is spent on.

For Structs a function is written for each path and class: nested loops over attributes, which is
several times faster than one call for each name. JSON is read name by name.

http://hl7.org/fhirpath/N1/#path-selection, https://hl7.org/fhir/R4/fhirpath.html#polymorphism
"""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import zip_longest
from typing import Any, Final

import msgspec
from msgspec import UNSET

from polyclinic.kernel.fhirpath.json_elements import json_elements, json_names
from polyclinic.kernel.fhirpath.model import DECIMAL, ELEMENT, STRING, TEXTS, Type, fhir_type
from polyclinic.kernel.fhirpath.node import Collection, Node
from polyclinic.kernel.fhirpath.quantities import Quantity
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


Follow = Callable[[Run, Collection], Collection]
"""Follows a path from each element of a collection."""


def follow(names: tuple[str, ...]) -> Follow:
    """Return the function that follows a path."""
    known: dict[type, Walk] = {}
    other = _other_follow(names, known)

    def followed(run: Run, nodes: Collection) -> Collection:
        found: Collection = []
        take = found.append
        for node in nodes:
            walk = known.get(node.value.__class__)
            if walk is None:
                found.extend(other(run, node))
            else:
                walk(node.value, take)
        run.budget -= 1 + len(found)
        if run.budget < 0:
            run.renew()
        return found

    return followed


def _other_follow(
    names: tuple[str, ...], known: dict[type, Walk]
) -> Callable[[Run, Node], Collection]:
    """Return the function that follows a path from what no single walk is known for.

    It adds to the walks that are known.
    """
    rest = follow(names[1:]) if len(names) > 1 else None
    halves: dict[type, tuple[Walk, Follow]] = {}

    def divided(run: Run, value: Any) -> Collection:
        class_: Any = type(value)
        if class_ not in halves:
            walk, taken = struct_walk(class_, names)
            if taken == len(names):
                known[class_] = walk
            halves[class_] = walk, follow(names[taken:]) if taken < len(names) else _stay
        walk, after = halves[class_]
        halfway: Collection = []
        walk(value, halfway.append)
        return after(run, halfway)

    def followed(run: Run, node: Node) -> Collection:
        if isinstance(node.value, msgspec.Struct):
            return divided(run, node.value)
        found = elements(node, names[0])
        return rest(run, found) if rest and found else found

    return followed


def _stay(_: Run, nodes: Collection) -> Collection:
    return nodes


def elements(node: Node, name: str) -> Collection:
    """Return the elements below a node of one name, that of a choice without its type."""
    value = node.value
    if isinstance(value, dict):
        return json_elements(value, node.type, name)
    if isinstance(value, msgspec.Struct):
        found: Collection = []
        walk, _ = struct_walk(type(value), (name,))
        walk(value, found.append)
        return found
    if node.type.primitive:
        return [] if node.element is None else elements(Node(node.element, ELEMENT), name)
    return _system_elements(node, name)


def _system_elements(node: Node, name: str) -> Collection:
    if isinstance(node.value, Quantity):
        quantity = node.value
        found = {"value": Node(quantity.value, DECIMAL), "unit": Node(quantity.unit, STRING)}
        return [found[name]] if name in found else []
    if isinstance(node.value, Type):
        namespace, own = node.value.label
        text = {"namespace": namespace, "name": own}.get(name)
        return [] if text is None else [Node(text, STRING)]
    return []


@lru_cache(maxsize=4096)
def text_attribute(class_: Any, name: str) -> str | None:
    """Return the attribute of a Struct class that holds the one String of a name.

    None where a value may be something else, stand in a list, or have extensions.
    """
    if not hasattr(class_, "fhir_type"):
        return None
    field = type_definition(class_.fhir_type).properties.get(name)
    if field is None or field.element.many or fhir_type(field.type) not in TEXTS:
        return None
    if field.element.choice or field.extension_attribute in class_.__struct_fields__:
        return None
    return field.attribute


def children(node: Node) -> Collection:
    """Return all elements directly below a node, in the order of its type's definition.

    http://hl7.org/fhirpath/N1/#children--collection
    """
    value = node.value
    if isinstance(value, dict):
        names = json_names(value, node.type)
        return [child for name in names for child in json_elements(value, node.type, name)]
    if isinstance(value, msgspec.Struct):
        return _struct_children(value)
    if node.type.primitive:
        return [] if node.element is None else children(Node(node.element, ELEMENT))
    return [child for name in ("value", "unit") for child in _system_elements(node, name)]


def _struct_children(value: msgspec.Struct) -> Collection:
    found: Collection = []
    items = msgspec.structs.astuple(value)
    for item, field in zip(items, _fields(type(value)), strict=True):
        if item is UNSET:
            continue
        own, sibling, type_, many = field
        if type_ is None:
            found.extend(map(_resource, item if many else (item,)))
        elif sibling < 0:
            found.extend([Node(one, type_) for one in item] if many else [Node(item, type_)])
        elif item is items[own] or items[own] is UNSET:  # a sibling counts where it is alone
            _paired(items[own], items[sibling], type_, found.append, many)
    return found


@cache
def _fields(class_: Any) -> tuple[tuple[int, int, Type | None, bool], ...]:
    """Return for each field of a class where value and sibling stand, the type, whether many.

    The place of the sibling is -1 where there is none, the type None for a resource.
    """
    places = {name: place for place, name in enumerate(class_.__struct_fields__)}
    found: dict[int, tuple[int, int, Type | None, bool]] = {}
    for field in type_definition(class_.fhir_type).properties.values():
        own = places.get(field.attribute)
        if own is not None:
            sibling = places.get(field.extension_attribute, -1) if field.extensible else -1
            type_ = None if field.type == "Resource" else fhir_type(field.type)
            found[own] = own, sibling, type_, field.element.many
            if sibling >= 0:
                found[sibling] = found[own]
    return tuple(found[place] for place in range(len(places)))


@lru_cache(maxsize=2048)
def struct_walk(class_: Any, names: tuple[str, ...]) -> tuple[Walk, int]:
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
        # There may be no such element: a resource within another is of any type.
        self._write(taken, "pass")
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
        plain = depth
        if field.extensible and not _left_out(class_, field.extension_attribute):
            many = field.element.many
            self._write(depth, f"s = {variable}.{field.extension_attribute}")
            self._write(depth, f"if s is not U: paired({own}, s, {kind}, out, {many})")
            self._write(depth, "else:")
            plain = depth + 1
        if field.element.many:
            self._write(plain, f"for w in {own} or (): out(N(w, {kind}))")
        else:
            self._write(plain, f"w = {own}")
            self._write(plain, f"if w is not U: out(N(w, {kind}))")


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
