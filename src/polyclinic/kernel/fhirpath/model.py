"""The types that an expression knows: those of FHIR R4 and those of FHIRPath itself.

https://hl7.org/fhir/R4/fhirpath.html#types, http://hl7.org/fhirpath/N1/#types-and-reflection
"""

from functools import cache, cached_property
from typing import Final

from typing_extensions import override

from polyclinic.kernel.types import RESOURCE_TYPES, Element, TypeDefinition, type_definition
from polyclinic.kernel.types.definitions import TABLES
from polyclinic.kernel.types.primitives import PRIMITIVES

_TABLES: Final = frozenset(path.stem for path in TABLES.glob("*.json")) - {"codes", "numbers"}
_RESOURCES: Final = frozenset(RESOURCE_TYPES)
_ABSTRACT: Final = frozenset({"DomainResource", "Resource", "BackboneElement"})
_BASES: Final[dict[str, str | None]] = {
    "Resource": None,
    "Element": None,
    "BackboneElement": "Element",
    **dict.fromkeys(("Binary", "Bundle", "DomainResource", "Parameters"), "Resource"),
    **dict.fromkeys(("code", "id", "markdown"), "string"),
    **dict.fromkeys(("canonical", "oid", "url", "uuid"), "uri"),
    **dict.fromkeys(("positiveInt", "unsignedInt"), "integer"),
    **dict.fromkeys(("Age", "Count", "Distance", "Duration", "SimpleQuantity"), "Quantity"),
}
"""What the types specialise that follow no rule."""
_SYSTEM: Final = (
    *("Boolean", "Date", "DateTime", "Decimal", "Integer", "Quantity", "String", "Time"),
    *("SimpleTypeInfo", "ClassInfo"),
)


class Type:
    """One type: of FHIR, ``Patient`` or ``Patient.contact``, or of FHIRPath, ``String``."""

    __slots__ = ("__dict__", "base", "name", "namespace")

    def __init__(self, namespace: str, name: str, base: "Type | None") -> None:
        self.namespace = namespace
        self.name = name
        self.base = base

    @override
    def __repr__(self) -> str:
        return f"{self.namespace}.{self.name}"

    @cached_property
    def ancestors(self) -> frozenset["Type"]:
        """Return this type and all that it specialises."""
        return frozenset({self}) | (self.base.ancestors if self.base else frozenset())

    @cached_property
    def system(self) -> bool:
        """Return whether it is one of FHIRPath's own."""
        return self.namespace == "System"

    @cached_property
    def primitive(self) -> bool:
        """Return whether its values are JSON strings, numbers or booleans."""
        return not self.system and self.name in PRIMITIVES

    @cached_property
    def open(self) -> bool:
        """Return whether its elements are only known from a value."""
        return not self.system and self.name in _ABSTRACT

    @cached_property
    def definition(self) -> TypeDefinition | None:
        """Return its elements; None when it has none or they are only known from a value."""
        if self.primitive:
            return type_definition("Element")
        if self.system or self.name in _ABSTRACT:
            return None
        return type_definition(self.name)

    @cached_property
    def elements(self) -> dict[str, Element]:
        """Return its elements by their name without ``[x]``."""
        if self.definition is None:
            return {}
        return {element.name: element for element in self.definition.elements}

    @cached_property
    def label(self) -> tuple[str, str]:
        """Return namespace and name as ``type()`` gives them."""
        if self.name == "SimpleQuantity":
            return self.namespace, "Quantity"
        if "." in self.name and self.base is not None:
            return self.namespace, self.base.name
        return self.namespace, self.name


def _fhir_base(name: str) -> str | None:
    """Return the name of the type that another specialises."""
    root, dot, _ = name.partition(".")
    if dot:
        return "BackboneElement" if root in _RESOURCES else "Element"
    if name in _BASES:
        return _BASES[name]
    if name in _RESOURCES:
        return "DomainResource"
    if name in PRIMITIVES:
        return "Element"
    modified = any(one.name == "modifierExtension" for one in type_definition(name).elements)
    return "BackboneElement" if modified else "Element"


@cache
def fhir_type(name: str) -> Type:
    """Return the FHIR type of this name, which must be one."""
    base = _fhir_base(name)
    return Type("FHIR", name, fhir_type(base) if base else None)


def is_fhir_type(name: str) -> bool:
    """Return whether a type of FHIR R4 has this name; that of a backbone element is none."""
    return name in _TABLES or name in PRIMITIVES or name in _ABSTRACT


SYSTEM: Final = {name: Type("System", name, None) for name in _SYSTEM}
"""FHIRPath's own types by name."""
BOOLEAN: Final = SYSTEM["Boolean"]
DATE: Final = SYSTEM["Date"]
DATE_TIME: Final = SYSTEM["DateTime"]
DECIMAL: Final = SYSTEM["Decimal"]
INTEGER: Final = SYSTEM["Integer"]
QUANTITY: Final = SYSTEM["Quantity"]
STRING: Final = SYSTEM["String"]
TIME: Final = SYSTEM["Time"]
ELEMENT: Final = fhir_type("Element")
FHIR_QUANTITY: Final = fhir_type("Quantity")
INTEGERS: Final = frozenset(map(fhir_type, ("integer", "positiveInt", "unsignedInt")))
MOMENTS: Final = {
    fhir_type("date"): DATE,
    fhir_type("dateTime"): DATE_TIME,
    fhir_type("instant"): DATE_TIME,
    fhir_type("time"): TIME,
}
"""The FHIR types of dates and times, with the type of FHIRPath that each converts to."""


@cache
def system_type(type_: Type) -> Type | None:
    """Return the type of FHIRPath that a FHIR type converts to by itself, None when to none.

    https://hl7.org/fhir/R4/fhirpath.html#types
    """
    if type_.system:
        return type_
    if type_ in MOMENTS:
        return MOMENTS[type_]
    if type_ in INTEGERS:
        return INTEGER
    if FHIR_QUANTITY in type_.ancestors:
        return QUANTITY
    if not type_.primitive:
        return None
    return {"boolean": BOOLEAN, "decimal": DECIMAL}.get(type_.name, STRING)


def head_type(name: str) -> Type | None:
    """Return the type that a path may begin with, ``Patient`` or ``Resource``; else None."""
    return fhir_type(name) if name[:1].isupper() and is_fhir_type(name) else None


TEXTS: Final = frozenset(
    {STRING, *(fhir_type(name) for name in PRIMITIVES if system_type(fhir_type(name)) is STRING)}
)
"""The types whose values are Strings."""
