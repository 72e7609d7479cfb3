"""The R4 StructureDefinitions as compact rows, read one type at a time.

The rows are made by ``tools/fhir_tables.py``; its docstring explains their form.
https://hl7.org/fhir/R4/structuredefinition.html
"""

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from polyclinic.kernel.types.primitives import PRIMITIVES

TABLES = Path(__file__).with_name("tables")

_NUMBERS: dict[str, int] = msgspec.json.decode((TABLES / "numbers.json").read_bytes())
_NAMES = {number: name for name, number in _NUMBERS.items()}

RESOURCE_TYPES: tuple[str, ...] = tuple(sorted(_NUMBERS))
"""The names of the concrete R4 resource types, sorted."""

Codes = frozenset[tuple[str, str]]
"""Pairs of system and code."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type, as its StructureDefinition states it."""

    name: str
    """The name without ``[x]``."""
    types: tuple[str, ...]
    """Names of its types; a backbone element's type is its path, ``Patient.contact``."""
    required: bool
    many: bool
    choice: bool
    """Whether the JSON name carries the type: ``value`` becomes ``valueQuantity``."""
    summary: bool
    binding: str | None
    """The value set of an enumerable required binding."""
    attribute: bool
    """Whether FHIR's XML writes it as an attribute, which has no place for extensions."""
    targets: tuple[str, ...]
    """The resource types that a reference may point to; empty: any."""

    def json_name(self, type_name: str) -> str:
        """Return the name of the JSON property that holds a value of ``type_name``."""
        if not self.choice:
            return self.name
        type_name = "Quantity" if type_name == "SimpleQuantity" else type_name
        return self.name + type_name[0].upper() + type_name[1:]


@dataclass(frozen=True, slots=True)
class Property:
    """One JSON property of a type: an element, or one alternative of a choice."""

    name: str
    attribute: str
    """The attribute of the Struct: the JSON name, with ``_`` appended to a Python keyword."""
    type: str
    element: Element

    @property
    def primitive(self) -> bool:
        """Return whether the value is a JSON string, number or boolean."""
        return self.type in PRIMITIVES

    @property
    def extensible(self) -> bool:
        """Return whether a sibling ``_name`` may hold the primitive's id and extensions."""
        return self.primitive and not self.element.attribute and self.type != "xhtml"

    @property
    def extension_attribute(self) -> str:
        """Return the Struct attribute of the sibling ``_name``."""
        return self.name + "__ext"


@dataclass(frozen=True, slots=True)
class TypeDefinition:
    """A resource type, a data type, or a backbone element."""

    name: str
    """``Patient``, ``Quantity``, or the path of a backbone element, ``Patient.contact``."""
    kind: str
    """``resource``, ``complex-type`` or ``backbone``."""
    elements: tuple[Element, ...]
    properties: Mapping[str, Property]
    """By JSON name, in the order of the definition."""


def attribute_name(name: str) -> str:
    """Return the Struct attribute of a JSON property: ``class`` is ``class_``."""
    return name + "_" if keyword.iskeyword(name) else name


def type_number(name: str) -> int:
    """Return the number that stands for a resource type in stored rows; it never changes.

    Raise KeyError for what is no R4 resource type.
    """
    return _NUMBERS[name]


def type_name(number: int) -> str:
    """Return the resource type with this number; raise KeyError when there is none."""
    return _NAMES[number]


@cache
def _table(name: str) -> dict[str, Any]:
    table: dict[str, Any] = msgspec.json.decode((TABLES / f"{name}.json").read_bytes())
    return table


@cache
def type_definition(name: str) -> TypeDefinition:
    """Return the definition of a type or backbone element; raise FileNotFoundError or KeyError."""
    root = name.partition(".")[0]
    table = _table(root)
    groups = table["elements"]
    elements = tuple(_element(name, row, groups) for row in groups[name])
    properties = {
        json_name: Property(json_name, attribute_name(json_name), type_, element)
        for element in elements
        for type_ in element.types
        for json_name in (element.json_name(type_),)
    }
    kind = table["kind"] if name == root else "backbone"
    return TypeDefinition(name, kind, elements, properties)


def _element(group: str, row: list[Any], groups: Mapping[str, Any]) -> Element:
    name, types, flags = row[:3]
    extra = row[3] if len(row) > 3 else {}  # noqa: PLR2004 - the row's optional fourth cell
    inner = f"{group}.{name}"
    if "of" in extra:
        types = [extra["of"]]
    elif inner in groups:
        types = [inner]
    return Element(
        name=name,
        types=tuple(types),
        required="1" in flags,
        many="*" in flags,
        choice="x" in flags,
        summary="s" in flags,
        binding=extra.get("binding"),
        attribute="a" in flags or name == "id",
        targets=tuple(extra.get("targets", ())),
    )


@cache
def _value_sets() -> dict[str, dict[str, list[str]]]:
    sets: dict[str, dict[str, list[str]]] = msgspec.json.decode(
        (TABLES / "codes.json").read_bytes()
    )
    return sets


@cache
def codings(value_set: str) -> Codes:
    """Return the system and code of every member of a value set that is required somewhere."""
    members = _value_sets()[value_set].items()
    return frozenset((system, code) for system, codes in members for code in codes)


@cache
def codes(value_set: str) -> tuple[str, ...]:
    """Return the codes alone of a value set that is required somewhere."""
    members = _value_sets()[value_set].values()
    return tuple(dict.fromkeys(code for codes in members for code in codes))
