"""The values of a FHIRPath Patch: what they are made of, and where they fit.

https://hl7.org/fhir/R4/fhirpatch.html#format, https://hl7.org/fhir/R4/fhirpatch.html#anonymous
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from polyclinic.kernel.fhirpath import Node
from polyclinic.kernel.fhirpath.model import fhir_type
from polyclinic.kernel.types import TypeDefinition, type_definition
from polyclinic.kernel.types.definitions import Property
from polyclinic.kernel.types.primitives import INTEGERS, PRIMITIVES

Json = Any
Part = Mapping[str, Json]
"""One part of an operation, as JSON."""

_VALUES: Final = {
    one.name: one.type
    for one in type_definition("Parameters.parameter").properties.values()
    if one.element.name == "value"
}
"""The type of a value by the name under which it stands."""


class Refused(Exception):
    """Why one operation cannot be applied."""


class Content(NamedTuple):
    """What an element is, as JSON."""

    value: Json
    sibling: Json = None
    """The id and extensions of a primitive."""


NOTHING: Final = Content(None)


def element_of(node: Node, name: str, part: Part) -> Property:
    """Return the JSON property to which a value goes below an element, by the name of the element.

    The name may have ``[x]`` or the type behind it. Raise ``Refused`` for none.
    """
    definition = node.type.definition
    if definition is None:
        message = f"{node.type.name} has no elements to add."
        raise Refused(message)
    return _chosen(definition, name, part)


def _chosen(definition: TypeDefinition, name: str, part: Part) -> Property:
    plain = name.removesuffix("[x]")
    known = [one for one in definition.properties.values() if plain in (one.name, one.element.name)]
    if not known:
        message = f"{definition.name} has no element {name[:64]}."
        raise Refused(message)
    if not known[0].element.choice:
        return known[0]
    kind = _kind(part)
    fitting = [one for one in known if one.type == kind]
    fitting = fitting or [one for one in known if kind is not None and _fits(one.type, kind)]
    if not fitting:
        message = f"{definition.name}.{plain[:64]} takes no {kind or 'value without a type'}."
        raise Refused(message)
    return fitting[0]


def content(part: Part, element: Property) -> Content:
    """Return a value for a property. Raise ``Refused`` where it is of another type, or none."""
    name = element.element.name
    if "resource" in part:
        return Content(_of("Resource", part["resource"], element))
    if "part" in part:
        if element.primitive or element.type == "Resource":
            message = f"{name} is a {element.type}, which is not made of parts."
            raise Refused(message)
        return Content(_object(part["part"], type_definition(element.type)))
    kind = _kind(part)
    if kind is None:
        message = "it needs a part value with a value."
        raise Refused(message)
    if not _fits(element.type, kind):
        message = f"{name} is a {element.type}, not a {kind}."
        raise Refused(message)
    given = next(one for one, type_ in _VALUES.items() if type_ == kind)
    sibling = part.get(f"_{given}")
    if sibling is not None and not element.extensible:
        message = f"{name} takes no extensions."
        raise Refused(message)
    return Content(part.get(given), sibling)


def _of(kind: str, value: Json, element: Property) -> Json:
    if element.type != kind:
        message = f"{element.element.name} is a {element.type}, not a {kind.lower()}."
        raise Refused(message)
    return value


def _kind(part: Part) -> str | None:
    """Return the type of a value; None where it is made of parts, or none."""
    names = (name.removeprefix("_") for name in part)
    return next((_VALUES[name] for name in names if name in _VALUES), None)


def _object(parts: Sequence[Part], definition: TypeDefinition) -> dict[str, Json]:
    """Return what some parts make of a type, each the element of its name."""
    found: dict[str, Json] = {}
    for part in parts:
        element = _chosen(definition, part["name"], part)
        value = content(part, element)
        if element.element.many:
            Items(found, element).insert(None, value)
        elif element.name in found:
            message = f"{element.name} does not repeat, and is given twice."
            raise Refused(message)
        else:
            put(found, element, value)
    return found


def _fits(wanted: str, given: str) -> bool:
    """Say whether a value of one type may stand where another is wanted.

    Primitives that are written alike may; whether the text is one, the resource tells as a whole.
    """
    if wanted in PRIMITIVES and given in PRIMITIVES:
        written = _written(given)
        return written == _written(wanted) or (wanted == "decimal" and written == "integer")
    if wanted == given:
        return True
    if wanted in PRIMITIVES or given in PRIMITIVES or "." in wanted or wanted == "Resource":
        return False
    one, other = fhir_type(wanted), fhir_type(given)
    quantity = fhir_type("Quantity")
    return quantity in one.ancestors and quantity in other.ancestors


def _written(name: str) -> str:
    if name in INTEGERS:
        return "integer"
    return name if name in ("boolean", "decimal") else "string"


def put(target: dict[str, Json], element: Property, value: Content) -> None:
    """Put a value under a property that does not repeat; ``NOTHING`` removes what is there."""
    for name, one in ((element.name, value.value), (f"_{element.name}", value.sibling)):
        if one is None:
            target.pop(name, None)
        else:
            target[name] = one


class Items:
    """The list under a property, with the siblings of primitives."""

    def __init__(self, target: dict[str, Json], element: Property) -> None:
        """Take the object that has it, or has none yet."""
        self._target = target
        self._names = element.name, f"_{element.name}"
        values, siblings = (list(target.get(name) or ()) for name in self._names)
        self.size = max(len(values), len(siblings))
        self._columns = [
            column + [None] * (self.size - len(column)) for column in (values, siblings)
        ]

    def insert(self, index: int | None, value: Content) -> None:
        """Put a value before that of an index; behind the last one for None."""
        at = self.size if index is None else index
        for column, one in zip(self._columns, value, strict=True):
            column.insert(at, one)
        self._keep()

    def remove(self, index: int) -> Content:
        """Take a value away and return it."""
        found = Content(*(column.pop(index) for column in self._columns))
        self._keep()
        return found

    def _keep(self) -> None:
        self.size = len(self._columns[0])
        for name, column in zip(self._names, self._columns, strict=True):
            if any(one is not None for one in column):
                self._target[name] = column
            else:
                self._target.pop(name, None)
