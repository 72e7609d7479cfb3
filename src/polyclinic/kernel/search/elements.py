"""The index values of each data type that is coded, referred to or read.

``EMITTERS`` maps the type of a search parameter and the FHIR type of an element to a function that
makes the emitter for some parameters: called with an element, it adds that element's rows.

https://hl7.org/fhir/R4/search.html#ptypes
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

import msgspec

from polyclinic.kernel.search.canonicals import named
from polyclinic.kernel.search.gathered import Emit, Factory, Gathered
from polyclinic.kernel.search.index_values import (
    MAX_NORMALISED,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from polyclinic.kernel.search.ordered_elements import ORDERED_EMITTERS
from polyclinic.kernel.search.parameters import Path
from polyclinic.kernel.search.strings import LONGEST_REMEMBERED, contact, normalise, phonetic
from polyclinic.kernel.types import RESOURCE_TYPES

_TYPES: Final = frozenset(RESOURCE_TYPES)


def _coding(params: Sequence[str], _: Path) -> Emit:
    def emit(value: Any, out: Gathered) -> None:
        system, code, text = value.system or None, value.code or None, value.display or None
        if system or code or text:
            for param in params:
                out.tokens.append(TokenValue(param, system, code, text))

    return emit


def _concept(params: Sequence[str], path: Path) -> Emit:
    coding = _coding(params, path)

    def emit(value: Any, out: Gathered) -> None:
        text = value.text or None
        for one in value.coding or ():
            coding(one, out)
            if one.display == text:
                text = None
        if text:
            for param in params:
                out.tokens.append(TokenValue(param, None, None, text))

    return emit


def _identifier(params: Sequence[str], _: Path) -> Emit:
    def emit(value: Any, out: Gathered) -> None:
        system, code = value.system or None, value.value or None
        if not system and not code:
            return
        text: str | None = None
        types: tuple[tuple[str | None, str], ...] = ()
        if kind := value.type:
            text = kind.text or None
            types = tuple([(one.system or None, one.code) for one in kind.coding or () if one.code])
        for param in params:
            out.tokens.append(TokenValue(param, system, code, text, types))

    return emit


def _contact_point(params: Sequence[str], _: Path) -> Emit:
    def emit(value: Any, out: Gathered) -> None:
        if value.value:
            code, use = contact(value.value), value.use or None
            for param in params:
                out.tokens.append(TokenValue(param, use, code))

    return emit


def _code(params: Sequence[str], path: Path) -> Emit:
    system = path.system

    def emit(value: str, out: Gathered) -> None:
        for param in params:
            out.tokens.append(TokenValue(param, system, value))

    return emit


def _boolean(params: Sequence[str], path: Path) -> Emit:
    code = _code(params, path)

    def emit(value: bool, out: Gathered) -> None:  # noqa: FBT001 - the element's own type
        code("true" if value else "false", out)

    return emit


def _uri(params: Sequence[str], _: Path) -> Emit:
    def emit(value: str, out: Gathered) -> None:
        for param in params:
            out.uris.append(UriValue(param, value))

    return emit


def _reference_by_url(of: Factory) -> Factory:
    """Return what makes the emitter of references by URL: as what they are, to follow them."""

    def make(params: Sequence[str], path: Path) -> Emit:
        uri = of(params, path)

        def emit(value: str, out: Gathered) -> None:
            uri(value, out)
            if name := named(value):
                for param in params:
                    out.canonicals.append(UriValue(param, name))

        return emit

    return make


def _canonical(params: Sequence[str], path: Path) -> Emit:
    """Make the emitter of canonicals, which are found with and without their version."""
    uri = _uri(params, path)

    def emit(value: str, out: Gathered) -> None:
        uri(value, out)
        url, bar, _ = value.partition("|")
        if bar:
            uri(url, out)

    return emit


_LITERAL: Final = re.compile(
    r"((?:https?://[^\s?#]*/)?)([A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)


def literal_reference(text: str, base: str) -> tuple[str, str | None, str]:
    """Return the server's URL, resource type and id of a literal reference.

    The URL is empty for a resource of this server, which ``base`` may name in full. The type is
    None, and the text whole in the place of the id, for what names no resource of R4.
    """
    if len(text) > LONGEST_REMEMBERED:
        return _literal.__wrapped__(text, base)
    return _literal(text, base)


@lru_cache(maxsize=8192)
def _literal(text: str, base: str) -> tuple[str, str | None, str]:
    match = _LITERAL.fullmatch(text)
    if match is None or match[2] not in _TYPES:
        return "", None, text
    server = match[1]
    return ("" if server == base else server), match[2], match[3]


def _reference(params: Sequence[str], path: Path) -> Emit:
    resolves = path.resolves

    def emit(value: Any, out: Gathered) -> None:
        text = value.reference
        kind: str | None = value.type or None
        if text and text[0] != "#":
            server, target, id_ = literal_reference(text, out.base)
            kind = target or kind
            if resolves and kind != resolves:
                return
            for param in params:
                if target and not server:
                    out.references.append(ReferenceValue(param, target, id_))
                else:
                    out.uris.append(UriValue(param, text))
        if value.identifier and (not resolves or kind == resolves):
            _logical(params, value.identifier, out)

    return emit


def _logical(params: Sequence[str], identifier: Any, out: Gathered) -> None:
    system, code = identifier.system or None, identifier.value or None
    if system or code:
        for param in params:
            out.identifiers.append(TokenValue(param, system, code))


class _Head(msgspec.Struct):
    resourceType: str  # noqa: N815 - FHIR's name
    id: str = ""


def _resource(params: Sequence[str], _: Path) -> Emit:
    """Make the emitter of a resource that stands in full in a Bundle: as a reference to it."""
    decode = msgspec.json.Decoder(_Head).decode

    def emit(value: Any, out: Gathered) -> None:
        if isinstance(value, msgspec.Raw):
            head = decode(value)
            target, id_ = head.resourceType, head.id
        else:
            target, id_ = value.fhir_type, value.id
        if id_:
            for param in params:
                out.references.append(ReferenceValue(param, target, id_))

    return emit


def _string(params: Sequence[str], _: Path) -> Emit:
    def emit(value: str, out: Gathered) -> None:
        normalised = normalise(value)
        if len(normalised) > MAX_NORMALISED:
            normalised = normalised[:MAX_NORMALISED]
            out.shortened += 1
        for param in params:
            sound = phonetic(value)[:MAX_NORMALISED] if param == "phonetic" else normalised
            out.strings.append(StringValue(param, value, sound))

    return emit


def _human_name(params: Sequence[str], path: Path) -> Emit:
    part = _string(params, path)

    def emit(value: Any, out: Gathered) -> None:
        given, prefix, suffix = value.given or (), value.prefix or (), value.suffix or ()
        for text in chain((value.family, value.text), given, prefix, suffix):
            if text:
                part(text, out)

    return emit


def _address(params: Sequence[str], path: Path) -> Emit:
    part = _string(params, path)

    def emit(value: Any, out: Gathered) -> None:
        for text in (
            *(value.line or ()),
            value.city,
            value.district,
            value.state,
            value.postalCode,
            value.country,
            value.text,
        ):
            if text:
                part(text, out)

    return emit


EMITTERS: Final[dict[tuple[str, str], Factory]] = {
    ("token", "Coding"): _coding,
    ("token", "CodeableConcept"): _concept,
    ("token", "Identifier"): _identifier,
    ("token", "ContactPoint"): _contact_point,
    ("token", "boolean"): _boolean,
    **{("token", name): _code for name in ("code", "string", "uri", "id", "canonical")},
    ("reference", "Reference"): _reference,
    ("reference", "Resource"): _resource,
    ("reference", "canonical"): _reference_by_url(_canonical),
    ("reference", "uri"): _reference_by_url(_uri),
    ("uri", "canonical"): _canonical,
    **{("uri", name): _uri for name in ("uri", "url", "oid", "uuid")},
    ("string", "string"): _string,
    ("string", "markdown"): _string,
    ("string", "HumanName"): _human_name,
    ("string", "Address"): _address,
    **ORDERED_EMITTERS,
}
