"""The slow reading of a resource that names every fault with its FHIRPath expression.

It runs only when the fast decoding refuses or doubts a resource, and accepts exactly what that
accepts. Messages say what is wrong and what to do, and repeat no value of the resource.
https://hl7.org/fhir/R4/json.html
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from polyclinic.kernel.errors import Issue
from polyclinic.kernel.types.definitions import (
    RESOURCE_TYPES,
    Element,
    Property,
    TypeDefinition,
    codings,
    type_definition,
)
from polyclinic.kernel.types.depth import MAX_DEPTH, too_deep
from polyclinic.kernel.types.values import Members, Number, value_fault

MAX_ISSUES: Final = 1000
"""Faults that are named; one more issue says that there are others."""

_TYPES = frozenset(RESOURCE_TYPES)
_name = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}").fullmatch


@dataclass(frozen=True, slots=True)
class Fault:
    """An issue and its status: 400 for what is no resource, 422 for a broken rule of R4."""

    issue: Issue
    status: int = 422


def examine(data: bytes) -> tuple[Fault, ...]:
    """Return every fault of a resource as JSON bytes; empty when there is none."""
    if too_deep(data):
        return (_unreadable(f"The JSON nests deeper than {MAX_DEPTH} levels; flatten it."),)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=Members.of,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as error:
        return (_unreadable(f"The bytes are not UTF-8 at offset {error.start}; encode them so."),)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        return (_unreadable(f"This is not JSON at {where}; send one complete JSON object."),)
    except ValueError:
        return (_unreadable("NaN and Infinity are not JSON; leave the element out."),)
    faults: list[Fault] = []
    for fault in _resource(value, ""):
        faults.append(fault)
        if len(faults) > MAX_ISSUES:
            faults[-1] = Fault(Issue("too-costly", "There are more faults; correct these first."))
            break
    return tuple(faults)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _unreadable(message: str) -> Fault:
    return Fault(Issue("structure", message), 400)


def _fault(code: str, message: str, where: str, status: int = 422) -> Fault:
    return Fault(Issue(code, message, where or None), status)


def _resource(value: Any, where: str) -> Iterator[Fault]:
    """Examine a resource: the whole text, or one within another at ``where``."""
    if not isinstance(value, Members):
        message = "A resource is a JSON object; send one."
        yield _fault("structure", message, where, 422 if where else 400)
        return
    name = value.get("resourceType")
    if not isinstance(name, str) or isinstance(name, Number) or name not in _TYPES:
        message = "resourceType names no resource type of R4; send one of its 146."
        yield _fault("structure", message, where and f"{where}.resourceType", 400)
        return
    yield from _members(value, type_definition(name), where or name)


def _members(value: Members, definition: TypeDefinition, where: str) -> Iterator[Fault]:
    """Examine the members of an object against its type."""
    for name in value.repeated:
        message = "A member stands here more than once; send it once."
        yield _fault("structure", message, _at(where, name), 400)
    known = _known(definition)
    for name in value:
        if name not in known:
            message = f"{definition.name} has no such element in R4; remove it or use an extension."
            yield _fault("structure", message, _at(where, name))
    if not value.keys() - {"id"}:
        yield _fault("required", "An element has a value or children; fill or remove it.", where)
    for element in definition.elements:
        yield from _element(value, definition, element, where)


def _known(definition: TypeDefinition) -> set[str]:
    known = {"resourceType"} if definition.kind == "resource" else set()
    for property_ in definition.properties.values():
        known.add(property_.name)
        if property_.extensible:
            known.add("_" + property_.name)
    return known


def _at(where: str, name: str) -> str:
    """Return the expression of a member; a name that is no element's is not repeated."""
    return f"{where}.{name.removeprefix('_')}" if _name(name) else where


def _element(
    value: Members, definition: TypeDefinition, element: Element, where: str
) -> Iterator[Fault]:
    """Examine one element: how often it stands here, and each of its values."""
    at = f"{where}.{element.name}"
    present = [
        property_
        for property_ in definition.properties.values()
        if property_.element is element
        and (property_.name in value or (property_.extensible and "_" + property_.name in value))
    ]
    if element.required and not present:
        yield _fault("required", "This element is required here; add it.", at)
    if len(present) > 1:
        names = ", ".join(property_.name for property_ in present[:3])
        yield _fault("structure", f"Only one type of value may stand here, not {names}.", at)
    for property_ in present:
        yield from _property(value, property_, at)


def _property(value: Members, property_: Property, at: str) -> Iterator[Fault]:
    """Examine the values of one JSON property and of its ``_`` sibling."""
    own, sibling = _ABSENT, _ABSENT
    if property_.name in value:
        own = value[property_.name]
    if property_.extensible and "_" + property_.name in value:
        sibling = value["_" + property_.name]
    if not property_.element.many:
        yield from _one(own, sibling, property_, at)
        return
    for values in (own, sibling):
        if values is not _ABSENT and (not isinstance(values, list) or not values):
            yield _fault("structure", "This element repeats; send a JSON array with items.", at)
            return
    yield from _many(own, sibling, property_, at)


_ABSENT: Final = object()


def _many(own: Any, sibling: Any, property_: Property, at: str) -> Iterator[Fault]:
    """Examine the items of a list; null holds a place where only the other list has a value."""
    owns = own if own is not _ABSENT else []
    siblings = sibling if sibling is not _ABSENT else []
    for index in range(max(len(owns), len(siblings))):
        item = owns[index] if index < len(owns) else None
        extension = siblings[index] if index < len(siblings) else None
        here = f"{at}[{index}]"
        if item is None and extension is None:
            yield _fault("structure", "null stands only beside an extension; remove it.", here)
            continue
        yield from _one(
            _ABSENT if item is None and property_.primitive else item,
            _ABSENT if extension is None else extension,
            property_,
            here,
        )


def _one(own: Any, sibling: Any, property_: Property, at: str) -> Iterator[Fault]:
    """Examine one value and the id and extensions that belong to it."""
    if own is not _ABSENT:
        yield from _value(own, property_, at)
    if sibling is _ABSENT:
        return
    if not isinstance(sibling, Members):
        message = f"_{property_.name} is a JSON object with id and extension."
        yield _fault("structure", message, at)
        return
    for fault in _members(sibling, type_definition("Element"), at):
        alone = fault.issue.code == "required" and fault.issue.expression == at
        if not (alone and own is not _ABSENT and sibling):
            yield fault


def _value(own: Any, property_: Property, at: str) -> Iterator[Fault]:
    """Examine a value alone."""
    if property_.primitive:
        fault = value_fault(own, property_.type, property_.element.binding)
        if fault is not None:
            yield _fault(*fault, at)
    elif property_.type == "Resource":
        yield from _resource(own, at)
    elif not isinstance(own, Members):
        yield _fault("structure", "This element is a JSON object; send one.", at)
    else:
        yield from _members(own, type_definition(property_.type), at)
        yield from _bound(own, property_, at)


def _bound(own: Members, property_: Property, at: str) -> Iterator[Fault]:
    """Examine whether a coded value has a code of the value set that is required here."""
    binding = property_.element.binding
    if binding is None:
        return
    allowed = codings(binding)
    found = own.get("coding", []) if property_.type == "CodeableConcept" else [own]
    pairs = [
        (coding.get("system"), coding.get("code"))
        for coding in (found if isinstance(found, list) else [])
        if isinstance(coding, Members)
    ]
    if not any(pair in allowed for pair in pairs if all(type(part) is str for part in pair)):
        message = f"A coding from {binding} is required here; add its system and code."
        yield _fault("code-invalid", message, at)
