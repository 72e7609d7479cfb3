"""Classes whose decoding is validation, built from the definitions when first used.

``struct_class("Patient")`` returns a ``msgspec.Struct`` class. An attribute carries the JSON name;
``class`` is ``class_``; the sibling ``_birthDate`` is ``birthDate__ext``; what is absent is
``msgspec.UNSET``, which is false; a decimal is a ``msgspec.Raw`` with its digits as they were sent.
The class attribute ``fhir_type`` names the type: ``Patient``, ``Patient.contact``, ``Quantity``.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from types import ModuleType
from typing import Annotated, Any, ForwardRef, Literal, Optional, Union, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from polyclinic.kernel.types.checks import post_init
from polyclinic.kernel.types.definitions import RESOURCE_TYPES, Property, codes
from polyclinic.kernel.types.primitives import FREE_TEXT, INTEGERS, MAX_STRING, UNLIMITED, is_id
from polyclinic.kernel.types.shapes import Layout, Shape, layout

Decode = Callable[[Any], msgspec.Struct]

_MODULE = "polyclinic.kernel.types.classes"
"""Two modules of this prefix hold the classes, for msgspec to find the names in annotations."""

_MAX_INNER = 32
"""Resources within one another: less than this fits into the limit of depth."""

_lock = threading.RLock()
_classes: dict[tuple[str, Shape], type[msgspec.Struct]] = {}
_inner = threading.local()

_START = b'{"resourceType":"'
_BY_BYTES = {name.encode("ascii"): name for name in RESOURCE_TYPES}


class _Head(msgspec.Struct):
    resourceType: str  # noqa: N815 - FHIR's name


_head = msgspec.json.Decoder(_Head).decode


def class_name(type_: str) -> str:
    """Return the class name of a type: ``Patient.contact`` is ``PatientContact``."""
    return "".join(part[0].upper() + part[1:] for part in type_.split("."))


def struct_class(type_: str, shape: Shape = Shape.COMPLETE) -> type[msgspec.Struct]:
    """Return the class of a type, building it and all that it refers to on first use."""
    found = _classes.get((type_, shape))
    if found is None:
        with _lock:
            _build(type_, shape)
            found = _classes[type_, shape]
    return found


@cache
def common_decoder(resource_type: str) -> Decode:
    """Return the function that decodes and validates the JSON of nearly all resources of a type.

    The id alone is left for the caller to check.
    """
    return msgspec.json.Decoder(struct_class(resource_type, Shape.COMMON)).decode


@cache
def complete_decoder(resource_type: str) -> Decode:
    """Return the function that decodes the JSON of any resource of a type.

    Some rules are left for the caller: the id, objects that are empty, nulls that stand in a list.
    """
    return msgspec.json.Decoder(struct_class(resource_type, Shape.COMPLETE)).decode


_DECODERS = {Shape.COMMON: common_decoder, Shape.COMPLETE: complete_decoder}


def resource_type_of(data: bytes) -> str:
    """Return the resourceType of JSON text, usually without reading beyond it.

    Raise msgspec.DecodeError when there is none, ValueError when it is none of R4.
    """
    if data.startswith(_START):
        name = _BY_BYTES.get(data[len(_START) : data.find(b'"', len(_START))])
        if name is not None:
            return name
    name = _head(data).resourceType
    if name not in RESOURCE_TYPES:
        raise ValueError
    return name


def _decode_inner(data: msgspec.Raw, *, shape: Shape) -> msgspec.Struct:
    """Return the content of a resource that stands within another."""
    depth = getattr(_inner, "depth", 0)
    if depth == _MAX_INNER:
        raise ValueError
    _inner.depth = depth + 1
    try:
        content: Any = _DECODERS[shape](resource_type_of(bytes(data)))(data)
        if content.id is not UNSET and not is_id(content.id):
            raise ValueError
        return cast("msgspec.Struct", content)
    finally:
        _inner.depth = depth


def _namespace(shape: Shape) -> ModuleType:
    name = f"{_MODULE}_{shape.value}"
    module = sys.modules.get(name)
    if module is None:
        module = sys.modules[name] = ModuleType(name, "Classes of the R4 types.")
    return module


def _build(type_: str, shape: Shape) -> None:
    """Define the class of a type and of all types that it reaches."""
    waiting = [type_]
    module = _namespace(shape)
    while waiting:
        name = waiting.pop()
        if (name, shape) not in _classes:
            plan = layout(name, shape)
            built = _define(plan)
            setattr(module, built.__name__, built)
            _classes[name, shape] = built
            waiting.extend(_reached(plan))


def _reached(plan: Layout) -> Iterator[str]:
    if plan.shape is Shape.COMPLETE:
        yield "Element"
    for field in plan.fields:
        if not field.primitive and field.type != "Resource":
            yield field.type


def _define(plan: Layout) -> type[msgspec.Struct]:
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    rename: dict[str, str] = {}
    for field in plan.fields:
        annotation = _annotation(field, plan.shape)
        rename[field.attribute] = field.name
        extensible = plan.extensible(field)
        if field.element.required and not field.element.choice and not extensible:
            fields.append((field.attribute, annotation))
        else:
            fields.append((field.attribute, _optional(annotation), UNSET))
        if extensible:
            rename[field.extension_attribute] = "_" + field.name
            sibling = _extension(many=field.element.many)
            fields.append((field.extension_attribute, _optional(sibling), UNSET))
    resource = plan.kind == "resource"
    return msgspec.defstruct(
        class_name(plan.type),
        fields,
        module=f"{_MODULE}_{plan.shape.value}",
        namespace=_class_attributes(plan),
        tag_field="resourceType" if resource else None,
        tag=plan.type if resource else None,
        rename=rename,
        forbid_unknown_fields=True,
        frozen=True,
        kw_only=True,
        gc=False,
    )


def _class_attributes(plan: Layout) -> dict[str, Any]:
    attributes: dict[str, Any] = dict.fromkeys(plan.left_out, UNSET)
    attributes["fhir_type"] = plan.type
    checks = post_init(plan, partial(_decode_inner, shape=plan.shape))
    if checks is not None:
        attributes["__post_init__"] = checks
    return attributes


def _optional(annotation: Any) -> Any:
    return Union[annotation, UnsetType]  # noqa: UP007 - the operands are known at run time


def _listed(item: Any, *, gaps: bool) -> Any:
    """Return the annotation of a list, in which null may hold a place for an extension."""
    if gaps and item is not msgspec.Raw:  # Raw takes a null by itself
        item = Optional[item]  # noqa: UP045 - the operand is known at run time
    return Annotated[list[item], Meta(min_length=1)]


@cache
def _extension(*, many: bool) -> Any:
    element: Any = ForwardRef("Element")
    return _listed(element, gaps=True) if many else element


def _annotation(field: Property, shape: Shape) -> Any:
    item = _primitive(field.type, field.element.binding) if field.primitive else _other(field.type)
    if not field.element.many:
        return item
    return _listed(item, gaps=field.primitive and shape is Shape.COMPLETE)


@cache
def _other(type_: str) -> Any:
    return msgspec.Raw if type_ == "Resource" else ForwardRef(class_name(type_))


@cache
def _primitive(type_: str, binding: str | None) -> Any:
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
