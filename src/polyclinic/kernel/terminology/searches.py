"""A search by value sets and hierarchies as a search by codes.

``:in``, ``:not-in``, ``:above`` and ``:below``, https://hl7.org/fhir/R4/search.html#modifiers
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from polyclinic.kernel.errors import BadRequest, TooCostly
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Has,
    IdIs,
    Linked,
    Not,
    Predicate,
    Query,
    TokenIn,
    TokenIs,
)
from polyclinic.kernel.terminology.codes import Codes
from polyclinic.kernel.terminology.definitions import Definitions
from polyclinic.kernel.terminology.expansion import MOST_CODES, expanded, hierarchy

_NOTHING: Final = IdIs(())


async def with_codes(query: Query, definitions: Definitions) -> Query:
    """Return a query in which codes stand for value sets and for what is above or below a code.

    Raise ``BadRequest`` for what is not stored here, ``TooCostly`` for too many codes.
    """
    asked = dict.fromkeys(_asked(query.where))
    if not asked:
        return query
    found = {leaf: await _codes(leaf, definitions) for leaf in asked}
    parts = tuple(_replaced(part, found) for part in query.where.parts)
    return replace(query, where=AllOf(parts))


def asks_for_codes(query: Query) -> bool:
    """Say whether a query names a value set, or what is above or below a code."""
    return any(_asked(query.where))


def _asked(part: Predicate) -> Iterator[TokenIn]:
    match part:
        case TokenIn():
            yield part
        case AllOf(parts) | AnyOf(parts):
            for one in parts:
                yield from _asked(one)
        case Not(where) | Linked(_, _, where) | Has(_, _, where):
            yield from _asked(where)
        case _:
            return


async def _codes(leaf: TokenIn, definitions: Definitions) -> Predicate:
    if leaf.how == "in":
        return _any(leaf, await expanded(definitions, leaf.value))
    system = leaf.system or leaf.param.implicit_system
    if not system:
        message = f"{leaf.param.code}:{leaf.how} needs the system of the code: system|code."
        raise BadRequest(message)
    known = await hierarchy(definitions, system)
    related = known.related(leaf.value, leaf.how)
    if len(related) > MOST_CODES:
        message = f"Over {MOST_CODES} codes are {leaf.how} {leaf.value[:64]}; name a narrower one."
        raise TooCostly(message)
    return _any(leaf, Codes(frozenset((system, code) for code in related)))


def _any(leaf: TokenIn, codes: Codes) -> Predicate:
    named = [TokenIs(leaf.param, system, code) for system, code in sorted(codes.named)]
    whole = [TokenIs(leaf.param, system, None) for system in sorted(codes.systems)]
    return AnyOf((*whole, *named)) if named or whole else _NOTHING


def _replaced(part: Predicate, found: dict[TokenIn, Predicate]) -> Predicate:
    match part:
        case TokenIn():
            return found[part]
        case AllOf(parts):
            return AllOf(tuple(_replaced(one, found) for one in parts))
        case AnyOf(parts):
            return AnyOf(tuple(_replaced(one, found) for one in parts))
        case Not(where):
            return Not(_replaced(where, found))
        case Linked() | Has():
            return replace(part, where=_replaced(part.where, found))
        case _:
            return part
