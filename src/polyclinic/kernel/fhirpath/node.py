"""One element of a collection, and its value in FHIRPath's own types."""

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import UNSET
from typing_extensions import override

from polyclinic.kernel.fhirpath.model import (
    BOOLEAN,
    DECIMAL,
    FHIR_QUANTITY,
    INTEGER,
    QUANTITY,
    STRING,
    SYSTEM,
    Type,
    fhir_type,
    is_fhir_type,
    system_type,
)
from polyclinic.kernel.fhirpath.moments import Moment, parse_moment
from polyclinic.kernel.fhirpath.quantities import UCUM, Quantity


class Node(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One element of a collection: a value with its type."""

    value: Any
    """As it stands in the resource: a Struct, a dict, a str, int, bool, ``msgspec.Raw`` or Decimal.

    A value of FHIRPath's own types is a bool, int, Decimal, str, Moment or Quantity. None stands
    for a primitive without value, that has extensions only.
    """
    type: Type
    element: Any = None
    """The sibling ``_x`` of a primitive: its id and extensions."""

    @override
    def __repr__(self) -> str:
        """Return the type alone: nothing about a patient comes into a log."""
        return f"Node({self.type})"


Collection: TypeAlias = list[Node]
"""In order; nobody changes a collection that somebody else made."""

EMPTY: Final[Collection] = []
TRUE: Final = [Node(value=True, type=BOOLEAN)]
FALSE: Final = [Node(value=False, type=BOOLEAN)]


def boolean(value: object) -> Collection:
    """Return true or false as a collection."""
    return TRUE if value else FALSE


def three_valued(value: bool | None) -> Collection:  # noqa: FBT001 - it is the value itself
    """Return true, false, or the empty collection for what is not known."""
    if value is None:
        return EMPTY
    return TRUE if value else FALSE


def string(value: str) -> Collection:
    """Return a String as a collection."""
    return [Node(value, STRING)]


def integer(value: int) -> Collection:
    """Return an Integer as a collection; empty beyond its 32 bits."""
    return [Node(value, INTEGER)] if MIN_INTEGER <= value <= MAX_INTEGER else EMPTY


def decimal(value: Decimal) -> Collection:
    """Return a Decimal as a collection; empty for what is no number."""
    return [Node(value, DECIMAL)] if value.is_finite() else EMPTY


MIN_INTEGER: Final = -(2**31)
MAX_INTEGER: Final = 2**31 - 1


def moment(value: Moment | None) -> Collection:
    """Return a Date, DateTime or Time as a collection; empty for None."""
    return EMPTY if value is None else [Node(value, SYSTEM[value.kind])]


def quantity(value: Quantity) -> Collection:
    """Return a Quantity as a collection."""
    return [Node(value, QUANTITY)]


def resource_node(value: Any) -> Node:
    """Return a resource, or another Struct of FHIR, as a node; raise ValueError for anything else.

    A dict has to say its resourceType.
    """
    if value.__class__ is dict:
        name = value.get("resourceType")
        if not isinstance(name, str) or not is_fhir_type(name):
            message = "This is no resource."
            raise ValueError(message)
        return Node(value, fhir_type(name))
    return Node(value, _type_of(value.__class__))


@cache
def _type_of(class_: type) -> Type:
    name = getattr(class_, "fhir_type", None)
    if name is None:
        message = "This is no resource."
        raise ValueError(message)
    return fhir_type(name)


def system_value(node: Node) -> Any:
    """Return the value in FHIRPath's own types; None for what has none, such as a HumanName.

    bool, int, Decimal, str, Moment or Quantity.
    https://hl7.org/fhir/R4/fhirpath.html#types
    """
    convert = _CONVERSIONS.get(node.type)
    if convert is not None:
        return convert(node.value) if node.value is not None else None
    if node.type.system or node.type.primitive:
        return node.value
    if FHIR_QUANTITY in node.type.ancestors:
        return _quantity(node.value)
    return None


def number(value: Any) -> Decimal:
    """Return a JSON number as a Decimal with its digits."""
    if isinstance(value, msgspec.Raw):
        return Decimal(str(bytes(value), "ascii"))
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _quantity(value: Any) -> Quantity | None:
    if isinstance(value, dict):
        amount = value.get("value")
        if isinstance(amount, bool) or not isinstance(amount, (int, float, Decimal)):
            return None
        texts = [value.get(name) for name in ("code", "unit", "system")]
        code, unit, system = (text if isinstance(text, str) else None for text in texts)
    else:
        amount, code, unit, system = value.value, value.code, value.unit, value.system
        if amount is UNSET:
            return None
    if system == UCUM and code:
        return Quantity(number(amount), code)
    return Quantity(number(amount), code or unit or "1", ucum=False)


def _moment_of(kind: str) -> Callable[[str], Moment | None]:
    return lambda text: parse_moment(text, kind)


_CONVERSIONS: Final[dict[Type, Callable[[Any], Any]]] = {
    fhir_type("decimal"): number,
    **{
        fhir_type(name): _moment_of(kind)
        for name, kind in (
            ("date", "Date"),
            ("dateTime", "DateTime"),
            ("instant", "DateTime"),
            ("time", "Time"),
        )
    },
}


def has_system_value(node: Node) -> bool:
    """Return whether the node is of a type that converts to one of FHIRPath's own."""
    return system_type(node.type) is not None
