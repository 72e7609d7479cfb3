"""Links between the resources of a transaction, rewritten to where these are stored.

https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/bundle.html#references

A link is a reference, a value of type uri, url, oid or uuid, or an href or src in the narrative;
canonicals and plain strings are left alone. What stands behind a member's name is mostly clear from
the name, so that a resource is rewritten as bytes; where it is not, the definitions are asked.
"""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Final

import msgspec

from polyclinic.kernel.types import TypeDefinition, type_definition

_LINK_TYPES: Final = frozenset({"uri", "url", "oid", "uuid"})
_URN: Final = (b"urn:uuid:", b"urn:oid:")
_REFERENCE: Final = re.compile(rb'"reference"\s*:\s*"([^"\\]{1,4000})"')
_URNS: Final = re.compile(rb'"(urn:(?:uuid|oid):[^"\\]{1,2000})"')
_URLS: Final = re.compile(rb'"((?:urn:(?:uuid|oid):|https?://)[^"\\]{1,2000})"')
_NAMED: Final = re.compile(rb'"([A-Za-z]{1,60})"\s*:\s*\Z')
_LONGEST_NAME: Final = 80
_CONDITIONAL: Final = re.compile(rb'"reference"\s*:\s*"([A-Z][A-Za-z]{2,40}\?[^"\\]{1,4000})"')
_NARRATIVE: Final = re.compile(rb'"div"\s*:\s*"(?:[^"\\]|\\.)*+"')
_HREF: Final = re.compile(rb"""((?:href|src)\s*=\s*(\\"|'))([^"'\\<>]{1,2000})(\2)""")
_VERSION: Final = b"/_history/"
_LINK_NAMES: Final = frozenset(
    b"authorizationUrl defaultValueOid defaultValueUri defaultValueUrl defaultValueUuid"
    b" definitionUri derivedFromUri eventUri fixedOid fixedUri fixedUrl fixedUuid implicitRules"
    b" instantiatesUri"
    b" moduleUri nameUrl onlineInformation patternOid patternUri patternUrl patternUuid"
    b" relativePath rendering sourceUri targetUri valueOid valueUri valueUrl valueUuid".split()
)
"""Names of R4 whose strings are of type uri, url, oid or uuid only; a test compares.

``fullUrl`` is left out: in a document that is stored, it has to stay absolute.
"""
_UNCLEAR_NAMES: Final = frozenset(
    b"url identifier jurisdiction source endpoint location code link type detail system definition"
    b" address issuer target uri instantiates protocol policy authority contentReference"
    b" property".split()
)
"""Names of R4 whose strings are links in some types only."""

_encode = msgspec.json.Encoder(decimal_format="number").encode
Json = Any


@dataclass(frozen=True, slots=True)
class Target:
    """Where the resource of an entry is stored."""

    reference: bytes
    """Type and id: ``Patient/1``."""
    version: int | None = None
    """The version that it has after the transaction, where anything refers to it."""


@dataclass(slots=True)
class Links:
    """The full URLs of a transaction's entries, and what its conditional references match."""

    targets: Mapping[bytes, Target]
    conditional: Mapping[bytes, bytes] = field(default_factory=dict)
    """From a conditional reference to the reference that it stands for."""
    urls: re.Pattern[bytes] = field(init=False)
    """What may be a full URL; when all are URNs, nothing else has to be looked at."""

    def __post_init__(self) -> None:
        """Choose the pattern by the full URLs that there are."""
        self.urls = _URNS if all(name.startswith(_URN) for name in self.targets) else _URLS

    def rewritten(
        self, data: bytes, resource_type: str, base: bytes | None
    ) -> tuple[bytes, list[str]]:
        """Return a resource's JSON with its links rewritten, and the URNs that name no entry.

        ``base`` is the server of the entry's own full URL, where relative references are looked
        for first.
        """
        return _Rewriting(self, resource_type, base).run(data)

    def found(self, text: bytes, base: bytes | None) -> bytes | None:
        """Return where a link leads to now, None for one that leads out of the transaction."""
        target = self.targets.get(text)
        if target is not None:
            return target.reference
        name, slash, _ = text.partition(_VERSION)
        if slash:
            target = self.targets.get(name) or self._relative(name, base)
            if target is not None:
                return b"%b/_history/%d" % (target.reference, target.version or 1)
            return None
        target = self._relative(text, base)
        return None if target is None else target.reference

    def _relative(self, text: bytes, base: bytes | None) -> Target | None:
        return self.targets.get(base + text) if base else None


class _Rewriting:
    """One resource while it is rewritten."""

    def __init__(self, links: Links, resource_type: str, base: bytes | None) -> None:
        self._links = links
        self._type = resource_type
        self._base = base
        self._unclear = False
        self._lost: list[str] = []

    def run(self, data: bytes) -> tuple[bytes, list[str]]:
        """Return the rewritten JSON and what could not be resolved."""
        rewritten = _REFERENCE.sub(self._referred, data)
        rewritten = self._links.urls.sub(self._member, rewritten)
        if b"href" in data or b"src" in data:
            rewritten = _NARRATIVE.sub(self._narrative, rewritten)
        if self._unclear:
            content = json.loads(rewritten, parse_float=Decimal)
            rewritten = _encode(self._walked(content, _definition(self._type)))
        return rewritten, self._lost

    def _referred(self, match: re.Match[bytes]) -> bytes:
        found = self._reference(match[1])
        return match[0] if found is None else b'"reference":"%b"' % found

    def _member(self, match: re.Match[bytes]) -> bytes:
        found = self._links.found(match[1], None)
        if found is None:
            return match[0]
        start = match.start()
        before = match.string[max(0, start - _LONGEST_NAME) : start]
        named = _NAMED.search(before)
        if named is not None and named[1] in _LINK_NAMES:
            return b'"%b"' % found
        # An array, or a name that is a link in one type and none in another.
        self._unclear = self._unclear or named is None or named[1] in _UNCLEAR_NAMES
        return match[0]

    def _reference(self, text: bytes) -> bytes | None:
        if b"?" in text and not text.startswith(b"http"):
            return self._links.conditional.get(text)
        found = self._links.found(text, self._base)
        if found is None and text.startswith(_URN):
            self._lost.append(text.decode(errors="replace"))
        return found

    def _narrative(self, match: re.Match[bytes]) -> bytes:
        return _HREF.sub(self._href, match[0])

    def _href(self, match: re.Match[bytes]) -> bytes:
        found = self._links.found(match[3], self._base)
        return match[0] if found is None else b"%b%b%b" % (match[1], found, match[4])

    def _walked(self, value: Json, definition: TypeDefinition | None) -> Json:
        """Rewrite what the definitions say is a link; ``reference`` is done already."""
        if not isinstance(value, dict) or definition is None:
            return value
        for name, inner in value.items():
            known = definition.properties.get(name)
            if known is None or name == "fullUrl":
                continue
            step = self._link if known.type in _LINK_TYPES else self._inner
            many = isinstance(inner, list)
            parts = [step(one, known.type) for one in (inner if many else [inner])]
            value[name] = parts if many else parts[0]
        return value

    def _link(self, value: Json, _: str) -> Json:
        if not isinstance(value, str):
            return value
        found = self._links.found(value.encode(errors="surrogatepass"), None)
        return value if found is None else found.decode()

    def _inner(self, value: Json, type_name: str) -> Json:
        if isinstance(value, dict) and type_name in ("Resource", "DomainResource"):
            type_name = str(value.get("resourceType"))
        return self._walked(value, _definition(type_name))


def conditional_references(data: bytes) -> list[bytes]:
    """Return the conditional references in a resource's JSON."""
    return _CONDITIONAL.findall(data) if b"?" in data else []


def server_of(full_url: bytes, resource_type: str) -> bytes | None:
    """Return the base of a RESTful full URL, with its slash; None for any other."""
    if not full_url.startswith((b"http://", b"https://")):
        return None
    base, found, identity = full_url.rpartition(b"/%b/" % resource_type.encode())
    return base + b"/" if found and b"/" not in identity else None


def place_of(data: bytes, reference: str) -> str:
    """Return the FHIRPath of a reference in a resource, without the name of its type."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    return next(_places(content, reference), "")


def _places(value: Json, reference: str) -> Iterator[str]:
    waiting: deque[tuple[str, Json]] = deque([("", value)])
    while waiting:
        path, value = waiting.popleft()
        if isinstance(value, list):
            waiting += [(f"{path}[{at}]", one) for at, one in enumerate(value)]
        elif isinstance(value, dict):
            if value.get("reference") == reference:
                yield path
            waiting += [(f"{path}.{name}", one) for name, one in value.items()]


@cache
def _definition(name: str) -> TypeDefinition | None:
    try:
        return type_definition(name)
    except (FileNotFoundError, KeyError):
        return None
