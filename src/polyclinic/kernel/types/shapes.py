"""Two shapes of every class: the common one for nearly all resources, the complete one for all.

An object costs what its class has fields, set or not, and an Extension can have 70. The common
shape leaves out what is rare: the siblings ``_x`` of primitives, nulls in lists, and the rarer
types of a choice among all types. What does not fit it is decoded again in the complete shape, so
that both together accept exactly R4. An attribute that a class leaves out is ``UNSET`` there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache

from polyclinic.kernel.types.definitions import Property, type_definition


class Shape(Enum):
    """Which of the two classes of a type."""

    COMMON = "common"
    COMPLETE = "complete"


_OPEN = 20
"""A choice among more types than this is open: Extension.value, Parameters.parameter.value, ..."""

COMMON_TYPES = (
    "string",
    "code",
    "Coding",
    "CodeableConcept",
    "Reference",
    "boolean",
    "decimal",
    "integer",
    "uri",
    "url",
    "date",
    "dateTime",
    "Period",
    "Quantity",
    "Identifier",
    "Address",
)
"""The types of an open choice that the common shape has, the most frequent first."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of a class in one shape, in the order of the definition."""

    type: str
    kind: str
    shape: Shape
    fields: tuple[Property, ...]
    left_out: tuple[str, ...]
    """Attributes of the type that this class has no field for."""

    def extensible(self, field: Property) -> bool:
        """Return whether the class has a field for the sibling ``_x`` of this one."""
        return self.shape is Shape.COMPLETE and field.extensible


@cache
def layout(type_: str, shape: Shape) -> Layout:
    """Return the fields of a type's class."""
    definition = type_definition(type_)
    fields = tuple(
        field
        for field in definition.properties.values()
        if shape is Shape.COMPLETE or _common(field)
    )
    attributes = {field.attribute for field in fields}
    left_out = tuple(_left_out(type_, attributes)) if shape is Shape.COMMON else ()
    return Layout(type_, definition.kind, shape, fields, left_out)


def _common(field: Property) -> bool:
    return len(field.element.types) <= _OPEN or field.type in COMMON_TYPES


def _left_out(type_: str, attributes: set[str]) -> Iterator[str]:
    for field in type_definition(type_).properties.values():
        if field.attribute not in attributes:
            yield field.attribute
        if field.extensible:
            yield field.extension_attribute
