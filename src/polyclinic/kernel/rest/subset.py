"""Parts of a resource: what ``_summary`` and ``_elements`` leave of it.

https://hl7.org/fhir/R4/search.html#summary
https://hl7.org/fhir/R4/search.html#elements

What stays is copied as it stands, so that decimals keep their digits. A resource that is not whole
says so with the tag SUBSETTED. Elements that are mandatory, and modifier extensions, always stay:
without them what is left would not be R4, or would mean something else.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

import msgspec

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.rest.message import Request
from polyclinic.kernel.search.predicate import View
from polyclinic.kernel.types import TypeDefinition, type_definition

SUBSETTED: Final = msgspec.Raw(
    b'{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue",'
    b'"code":"SUBSETTED","display":"subsetted"}'
)
"""https://hl7.org/fhir/R4/resource.html#tag-updates"""

_ALWAYS: Final = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})
_MODIFIER: Final = frozenset({"modifierExtension"})
_TEXT: Final = frozenset({"text"})
_WHOLE: Final = frozenset({"false", "count"})
_ON_READS: Final = frozenset({"false", "true", "text", "data"})

_Members = dict[str, msgspec.Raw]
_members = msgspec.json.Decoder(_Members).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def view_of(request: Request) -> View:
    """Return what a read or a history shows of each resource.

    Raise ``BadRequest`` for a ``_summary`` that is none, and for ``count``, which only a search
    has.
    """
    if "_summary" not in request.query and "_elements" not in request.query:
        return _PLAIN
    given = dict(request.parameters())
    summary = given.get("_summary", "false")
    if summary not in _ON_READS:
        message = "_summary is true, text, data or false here."
        raise BadRequest(message)
    elements = tuple(name.strip() for name in given.get("_elements", "").split(",") if name.strip())
    return View(summary=summary, elements=elements)  # type: ignore[arg-type]  # checked above


_PLAIN: Final = View()


def is_whole(view: View) -> bool:
    """Say whether an answer shows resources as they are."""
    return view.summary in _WHOLE and not view.elements


def subset(resource: bytes, view: View) -> bytes:
    """Return what a view shows of a resource in JSON; the very bytes where it shows all.

    Where both are asked for, ``_elements`` goes before ``_summary``.
    """
    if is_whole(view):
        return resource
    members = _members(resource)
    definition = type_definition(msgspec.json.decode(members["resourceType"], type=str))
    if view.elements:
        kept = _chosen(members, definition, frozenset(view.elements))
    elif view.summary == "text":
        kept = _chosen(members, definition, _TEXT)
    elif view.summary == "data":
        kept = {name: value for name, value in members.items() if name != "text"}
    else:
        kept = _summarised(members, definition.name)
    return _encode(_tagged(kept))


def _chosen(members: _Members, definition: TypeDefinition, asked: frozenset[str]) -> _Members:
    """Keep elements of the root by name: ``value``, ``value[x]`` or ``valueQuantity``."""
    kept: _Members = {}
    for name, value in members.items():
        bare = name.removeprefix("_")
        found = definition.properties.get(bare)
        names = {bare} if found is None else {bare, found.element.name, f"{found.element.name}[x]"}
        mandatory = found is not None and found.element.required
        if mandatory or bare in _ALWAYS or not asked.isdisjoint(names):
            kept[name] = value
    return kept


def _summarised(members: _Members, type_name: str) -> _Members:
    """Keep what the definition has in the summary, here and below."""
    inner = _summary(type_name)
    kept = {}
    for name, value in members.items():
        bare = name.removeprefix("_")
        if bare in inner:
            below = inner[bare]
            kept[name] = value if below is None or bare != name else _below(value, below)
    return kept


def _below(value: msgspec.Raw, type_name: str) -> msgspec.Raw:
    """Return the summary of an element, or of each in a list."""
    if bytes(value).startswith(b"["):
        return msgspec.Raw(_encode([_below(item, type_name) for item in _items(value)]))
    members = _members(value)
    if type_name == "Resource":
        type_name = msgspec.json.decode(members["resourceType"], type=str)
    kept = _summarised(members, type_name)
    # Nothing in FHIR is an object without members.
    return msgspec.Raw(_encode(kept)) if kept else value


@cache
def _summary(type_name: str) -> Mapping[str, str | None]:
    """Return the properties in a type's summary, each with the type to go on with, if any."""
    definition = type_definition(type_name)
    always = _ALWAYS if definition.kind == "resource" else _MODIFIER
    kept: dict[str, str | None] = dict.fromkeys(always)
    for name, found in definition.properties.items():
        element = found.element
        if name in kept or not (element.summary or element.required):
            continue
        kept[name] = None if found.primitive or found.type == "Extension" else found.type
    return kept


def _tagged(members: _Members) -> _Members:
    """Return the members with the tag that says that they are not all."""
    meta = _members(members["meta"]) if "meta" in members else {}
    tags = _items(meta["tag"]) if "tag" in meta else []
    if not any(b'"SUBSETTED"' in bytes(tag) for tag in tags):
        meta["tag"] = msgspec.Raw(_encode([*tags, SUBSETTED]))
    found = {"resourceType": members["resourceType"]}
    if "id" in members:
        found["id"] = members["id"]
    return {**found, "meta": msgspec.Raw(_encode(meta)), **_without(members, "meta")}


def _without(members: _Members, name: str) -> _Members:
    return {key: value for key, value in members.items() if key != name}
