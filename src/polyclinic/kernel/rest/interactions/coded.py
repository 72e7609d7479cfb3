"""Value sets and hierarchies in a search: ``:in``, ``:not-in``, ``:above`` and ``:below``.

https://hl7.org/fhir/R4/search.html#token

They are replaced by the codes that they stand for, as far as these are known: from the value sets
that R4 binds as required, and from ValueSets and CodeSystems that are stored here and that whoever
searches may read. What is not known is refused; nothing is taken for less than it says.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NoReturn

import msgspec

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import BadRequest, Gone, NotFound, TooCostly
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Has,
    Linked,
    Not,
    Predicate,
    Query,
    TokenIn,
    TokenIs,
)
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import Store
from polyclinic.kernel.types.definitions import codings

_MOST_CODES: Final = 5_000
"""Codes that one value set or hierarchy stands for, at most."""
_DEEPEST: Final = 8
"""Value sets that include one another."""
_MODIFIERS: Final = (":in", ":not-in", ":above", ":below")

Code = tuple[str, str]
"""System and code."""
Json = dict[str, Any]


async def with_codes(store: Store, principal: Principal, query: Query) -> Query:
    """Return a query in which value sets and hierarchies are codes.

    Raise ``BadRequest`` for what is not known here, and ``TooCostly`` for too many codes.
    """
    if not any(name.endswith(_MODIFIERS) or name == "_filter" for name, _ in query.conditions):
        return query
    known = _Terminology(store, principal)
    codes = {leaf: await known.codes(leaf) for leaf in dict.fromkeys(_asked(query.where))}
    if not codes:
        return query
    where = _replaced(query.where, codes)
    assert isinstance(where, AllOf)
    return replace(query, where=where)


def _asked(part: Predicate) -> Iterator[TokenIn]:
    match part:
        case AllOf(parts) | AnyOf(parts):
            for one in parts:
                yield from _asked(one)
        case Not(inner) | Linked(where=inner) | Has(where=inner):
            yield from _asked(inner)
        case TokenIn():
            yield part
        case _:
            return


def _replaced(part: Predicate, codes: Mapping[TokenIn, Sequence[Code]]) -> Predicate:
    match part:
        case AllOf(parts):
            return AllOf(tuple(_replaced(one, codes) for one in parts))
        case AnyOf(parts):
            return AnyOf(tuple(_replaced(one, codes) for one in parts))
        case Not(inner):
            return Not(_replaced(inner, codes))
        case Linked() | Has():
            return replace(part, where=_replaced(part.where, codes))
        case TokenIn(param):
            return AnyOf(tuple(TokenIs(param, *code) for code in codes[part]))
        case _:
            return part


class _Terminology:
    """What is known of codes, for one search."""

    def __init__(self, store: Store, principal: Principal) -> None:
        self._store = store
        self._principal = principal

    async def codes(self, leaf: TokenIn) -> Sequence[Code]:
        """Return what a leaf stands for, each once."""
        if leaf.how == "in":
            found = await self._value_set(leaf.value, _DEEPEST)
        else:
            found = await self._related(leaf)
        if len(found) > _MOST_CODES:
            message = f"{leaf.value[:64]} has over {_MOST_CODES} codes; ask for fewer of them."
            raise TooCostly(message)
        return list(dict.fromkeys(found))

    async def _related(self, leaf: TokenIn) -> list[Code]:
        if not leaf.system:
            message = f"{leaf.param.code}:{leaf.how} takes a system and a code, with | between."
            raise BadRequest(message)
        parents = _parents(await self._code_system(leaf.system))
        if leaf.value not in parents:
            message = f"{leaf.system[:128]} has no code {leaf.value[:64]}."
            raise BadRequest(message)
        found = (
            _upwards(leaf.value, parents)
            if leaf.how == "above"
            else (code for code in parents if leaf.value in _upwards(code, parents))
        )
        return [(leaf.system, code) for code in found]

    async def _value_set(self, url: str, deeper: int) -> list[Code]:
        """Return the codes of a value set, by its URL or by ``ValueSet/id``."""
        try:
            return sorted(codings(url.partition("|")[0]))
        except KeyError:
            pass
        if not deeper:
            message = f"Value sets include one another more than {_DEEPEST} times."
            raise BadRequest(message)
        found = await self._stored("ValueSet", url)
        if "expansion" in found:
            return list(_expanded(found["expansion"].get("contains", ())))
        compose = found.get("compose", {})
        left_out = [
            code for one in compose.get("exclude", ()) for code in await self._included(one, deeper)
        ]
        kept: dict[Code, None] = {}
        for one in compose.get("include", ()):
            kept |= dict.fromkeys(await self._included(one, deeper))
        return [code for code in kept if code not in set(left_out)]

    async def _included(self, include: Json, deeper: int) -> list[Code]:
        """Return the codes that all parts of an include have in common."""
        parts = [await self._value_set(url, deeper - 1) for url in include.get("valueSet", ())]
        if "system" in include:
            parts.append(await self._of_system(include))
        first, *others = parts or [[]]
        return [code for code in first if all(code in set(other) for other in others)]

    async def _of_system(self, include: Json) -> list[Code]:
        system = include["system"]
        if "concept" in include:
            return [(system, one["code"]) for one in include["concept"]]
        parents = _parents(await self._code_system(system))
        found = list(parents)
        for one in include.get("filter", ()):
            if (one["property"], one["op"]) not in (
                ("concept", "is-a"),
                ("concept", "descendent-of"),
            ):
                _refuse(f"the filter {one['property']} {one['op']}")
            found = [
                code
                for code in found
                if one["value"] in _upwards(code, parents)
                and not (one["op"] == "descendent-of" and code == one["value"])
            ]
        return [(system, code) for code in found]

    async def _code_system(self, url: str) -> Json:
        found = await self._stored("CodeSystem", url)
        if found.get("content") != "complete":
            _refuse(f"all codes of {url[:128]}")
        return found

    async def _stored(self, kind: str, url: str) -> Json:
        """Return the newest stored definition with a URL. Raise ``BadRequest`` for none."""
        if url.startswith(f"{kind}/"):
            try:
                stored = await self._store.read(self._principal, *url.split("/", 1))
            except (NotFound, Gone):
                _refuse(url)
            return _decoded(stored.json())
        canonical, _, version = url.partition("|")
        given = [("url", canonical), ("_count", "1")]
        query, _ = parse_query(kind, given + ([("version", version)] if version else []), "")
        page = await self._store.search(self._principal, query)
        if not page.entries or page.entries[0].fault is not None:
            _refuse(url)
        return _decoded(page.entries[0].json())


def _decoded(data: bytes) -> Json:
    found: Json = msgspec.json.decode(data)
    return found


def _refuse(what: str) -> NoReturn:
    message = f"This server does not know {what[:200]}; store it as a ValueSet or CodeSystem first."
    raise BadRequest(message)


def _expanded(contains: Sequence[Json]) -> Iterator[Code]:
    for one in contains:
        if "code" in one and not one.get("abstract"):
            yield one.get("system", ""), one["code"]
        yield from _expanded(one.get("contains", ()))


def _parents(code_system: Json) -> dict[str, set[str]]:
    """Return the codes of a code system, each with those directly above it.

    They stand within one another, or name their parents or children as properties.
    https://hl7.org/fhir/R4/codesystem.html#hierarchy
    """
    found: dict[str, set[str]] = {}
    waiting: list[tuple[Json, str | None]] = [(one, None) for one in code_system.get("concept", ())]
    for concept, parent in waiting:
        code = concept["code"]
        found.setdefault(code, set()).update([parent] if parent else [])
        for one in concept.get("property", ()):
            if one["code"] == "parent" and "valueCode" in one:
                found[code].add(one["valueCode"])
            if one["code"] == "child" and "valueCode" in one:
                found.setdefault(one["valueCode"], set()).add(code)
        waiting.extend((inner, code) for inner in concept.get("concept", ()))
    return found


def _upwards(code: str, parents: Mapping[str, set[str]]) -> dict[str, None]:
    """Return a code and all above it, each once even where they go round in a circle."""
    found: dict[str, None] = {code: None}
    waiting = [code]
    for one in waiting:
        above = [each for each in sorted(parents.get(one, ())) if each not in found]
        found |= dict.fromkeys(above)
        waiting.extend(above)
    return found
