"""Classes whose decoding is validation, built from the definitions when first used.

``struct_class("Patient")`` returns a ``msgspec.Struct`` class. An attribute carries the JSON name;
``class`` is ``class_``; the sibling ``_birthDate`` is ``birthDate__ext``; what is absent is
``msgspec.UNSET``, which is false; a decimal is a ``msgspec.Raw`` with its digits as they were sent.
The class attribute ``fhir_type`` names the type: ``Patient``, ``Patient.contact``, ``Quantity``.
"""

import re
import sys
import threading
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Annotated, Any, ForwardRef, Literal, Optional, Union

import msgspec
from msgspec import UNSET, Meta, UnsetType

from polyclinic.kernel.types.checks import Decode, post_init
from polyclinic.kernel.types.definitions import (
    RESOURCE_TYPES,
    Property,
    TypeDefinition,
    codes,
    type_definition,
)
from polyclinic.kernel.types.primitives import FREE_TEXT, INTEGERS, MAX_STRING, UNLIMITED

_MODULE = "polyclinic.kernel.types.classes"
"""The module that holds the built classes, where msgspec finds the names in their annotations."""

_TYPES = frozenset(RESOURCE_TYPES)
_lock = threading.RLock()
_classes: dict[str, type[msgspec.Struct]] = {}


def class_name(type_: str) -> str:
    """Return the class name of a type: ``Patient.contact`` is ``PatientContact``."""
    return "".join(part[0].upper() + part[1:] for part in type_.split("."))


def struct_class(type_: str) -> type[msgspec.Struct]:
    """Return the class of a type, building it and all that it refers to on first use."""
    found = _classes.get(type_)
    if found is None:
        with _lock:
            _build(type_)
            found = _classes[type_]
    return found


@cache
def decoder(resource_type: str) -> Decode:
    """Return the function that decodes and validates JSON bytes of this resource type."""
    return msgspec.json.Decoder(struct_class(resource_type)).decode


_resource_type = re.compile(
    rb'[ \t\r\n]*\{[ \t\r\n]*"resourceType"[ \t\r\n]*:[ \t\r\n]*"([A-Za-z]{1,64})"'
).match


class _Head(msgspec.Struct):
    resourceType: str  # noqa: N815 - FHIR's name


_head = msgspec.json.Decoder(_Head).decode


def resource_type_of(data: bytes | msgspec.Raw) -> str:
    """Return the resourceType of JSON text, usually without reading beyond it.

    Raise msgspec.DecodeError when there is none, ValueError when it is none of R4.
    """
    match = _resource_type(data)
    name = match[1].decode("ascii") if match else _head(data).resourceType
    if name not in _TYPES:
        raise ValueError
    return name


def decode_inner(data: msgspec.Raw) -> msgspec.Struct:
    """Return the content of a resource that stands within another."""
    return decoder(resource_type_of(data))(data)


def _namespace() -> ModuleType:
    module = sys.modules.get(_MODULE)
    if module is None:
        module = sys.modules[_MODULE] = ModuleType(_MODULE, "The classes of the R4 types.")
        vars(module).update(Annotated=Annotated, Raw=msgspec.Raw)
    return module


def _build(type_: str) -> None:
    """Define the class of a type and of all types that it reaches."""
    waiting = [type_]
    module = _namespace()
    while waiting:
        name = waiting.pop()
        if name in _classes:
            continue
        definition = type_definition(name)
        built = _define(definition)
        setattr(module, built.__name__, built)
        _classes[name] = built
        waiting.extend(_reached(definition))


def _reached(definition: TypeDefinition) -> Iterator[str]:
    yield "Element"
    for property_ in definition.properties.values():
        if not property_.primitive and property_.type != "Resource":
            yield property_.type


def _define(definition: TypeDefinition) -> type[msgspec.Struct]:
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    rename: dict[str, str] = {}
    for property_ in definition.properties.values():
        attribute, element = property_.attribute, property_.element
        rename[attribute] = property_.name
        annotation = _annotation(property_)
        optional = not element.required or element.choice or property_.extensible
        if optional:
            fields.append((attribute, Union[annotation, UnsetType], UNSET))  # noqa: UP007 - at run time
        else:
            fields.append((attribute, annotation))
        if property_.extensible:
            extension = property_.extension_attribute
            rename[extension] = "_" + property_.name
            fields.append((extension, _extension(many=element.many), UNSET))
    checks = post_init(definition, decode_inner)
    namespace: dict[str, Any] = {"fhir_type": definition.name}
    if checks is not None:
        namespace["__post_init__"] = checks
    resource = definition.kind == "resource"
    return msgspec.defstruct(
        class_name(definition.name),
        fields,
        module=_MODULE,
        namespace=namespace,
        tag_field="resourceType" if resource else None,
        tag=definition.name if resource else None,
        rename=rename,
        forbid_unknown_fields=True,
        frozen=True,
        kw_only=True,
        gc=False,
    )


@cache
def _extension(*, many: bool) -> Any:
    element: Any = ForwardRef("Element")
    if many:
        element = Annotated[list[Optional[element]], Meta(min_length=1)]  # noqa: UP045 - at run time
    return Union[element, UnsetType]  # noqa: UP007 - at run time


def _annotation(property_: Property) -> Any:
    if property_.primitive:
        return _primitive(property_.type, property_.element.binding, many=property_.element.many)
    return _complex(property_.type, many=property_.element.many)


@cache
def _complex(type_: str, *, many: bool) -> Any:
    item: Any = msgspec.Raw if type_ == "Resource" else ForwardRef(class_name(type_))
    return Annotated[list[item], Meta(min_length=1)] if many else item


@cache
def _primitive(type_: str, binding: str | None, *, many: bool) -> Any:
    item: Any = _single(type_, binding)
    if not many:
        return item
    if type_ != "decimal":  # Raw takes a null by itself
        item = Optional[item]  # noqa: UP045 - at run time
    return Annotated[list[item], Meta(min_length=1)]


def _single(type_: str, binding: str | None) -> Any:
    if binding is not None:
        return Literal[codes(binding)]
    if type_ == "boolean":
        return bool
    if type_ == "decimal":
        return msgspec.Raw
    if type_ in INTEGERS:
        low, high = INTEGERS[type_]
        return Annotated[int, Meta(ge=low, le=high)]
    if type_ in FREE_TEXT:
        return Annotated[str, Meta(min_length=1, max_length=MAX_STRING)]
    return str if type_ in UNLIMITED else Annotated[str, Meta(min_length=1)]
