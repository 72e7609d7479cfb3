"""What comes along with the matches of a page: what they refer to, and what refers to them.

One statement follows every edge of a page, and with ``:iterate`` those of what it finds. Only what
the principal may search is found, and only from there the way goes on.

https://hl7.org/fhir/R4/search.html#include
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from polyclinic.kernel.search.canonicals import by_url, canonical_types, led_to
from polyclinic.kernel.search.parameters import SearchParameter, parameters
from polyclinic.kernel.search.predicate import AllOf, Include, Query
from polyclinic.kernel.store.numbers import answer_numbers, edge_number
from polyclinic.kernel.store.select.canonical import latest
from polyclinic.kernel.store.select.conditions import matches
from polyclinic.kernel.store.select.pages import COLUMNS
from polyclinic.kernel.store.select.statement import Asked, Statement
from polyclinic.kernel.types import RESOURCE_TYPES, type_number

MOST_INCLUDED: Final = 10_000
"""Resources that may come along with one page; more are refused."""


class Match(NamedTuple):
    """A resource on the page."""

    rid: int
    type: int


class _Way(NamedTuple):
    """Edges that are followed."""

    param: int
    """Their number; 0: all."""
    target: int
    """The type that they lead to; 0: any."""
    reverse: bool
    iterate: bool


def includable(query: Query) -> frozenset[str]:
    """Return the types of which something may come along."""
    found: set[str] = set()
    for include in query.includes:
        if include.reverse:
            found.update([include.source] if include.source else RESOURCE_TYPES)
        elif include.target:
            found.add(include.target)
        else:
            params = [param for _, param in _params(include)]
            found.update(*(led_to(param) if param else RESOURCE_TYPES for param in params))
    # AuditEvents are rows of another table.
    return frozenset(found) - {"AuditEvent"}


def included(asked: Asked, page: Sequence[Match]) -> tuple[str, list[object]] | None:
    """Return the statement of what comes along with the matches of a page; None for nothing.

    Its rows are the columns of a resource, one row more than may come along.
    """
    query, scope, keys, _ = asked
    types = sorted(includable(query) & scope.reaches.keys())
    if not types or not page:
        return None
    statement = Statement(scope, keys.about(*types))
    rids = statement.argument([match.rid for match in page], "bigint[]")
    start = f"unnest({rids}, {statement.argument([one.type for one in page], 'smallint[]')})"
    if any(include.iterate for include in query.includes):
        # What is met again is not followed again: `union` leaves it out.
        found = (
            f"with recursive found(rid, type, first) as (select *, true from {start}"  # noqa: S608
            f" union {_hop('found f', query, statement)}) select rid from found where not first"
        )
    else:
        first = f"(select *, true from {start}) f(rid, type, first)"  # noqa: S608
        once = _hop(first, query, statement)
        found = f"select distinct rid from ({once}) h"  # noqa: S608
    bound = statement.argument(MOST_INCLUDED + 1, "bigint")
    sql = (
        f"select {COLUMNS} from (select h.rid from ({found}) h where h.rid <> all({rids})"  # noqa: S608
        f" limit {bound}) h join resource r on r.rid = h.rid order by r.rid"
    )
    return sql, statement.arguments


def _hop(found: str, query: Query, statement: Statement) -> str:
    """Return the select of what is one edge further than what was found, with its type."""
    ways = _ways(query, statement)
    forward = (
        "select e.dst as rid, w.target from way w join edge e on e.src = f.rid"
        " and (w.param = 0 or e.param = w.param)"
        " where not w.reverse and (w.iterate or f.first)"
    )
    reverse = (
        "select e.src as rid, 0 as target from way w join edge e on e.dst = f.rid"
        " and (w.param = 0 or e.param = w.param)"
        " where w.reverse and w.target in (0, f.type) and (w.iterate or f.first)"
    )
    return (
        f"select k.rid, k.type, false from {found} cross join lateral"  # noqa: S608
        f" ({forward} union all {reverse}{_by_url(query, statement)}) n"
        " join keys k on k.rid = n.rid"
        f" join resource r on r.rid = k.rid"
        f" where n.target in (0, k.type) and {matches(AllOf(()), statement)}"
    ).replace("way w", f"{ways} w(param, target, reverse, iterate)")


def _by_url(query: Query, statement: Statement) -> str:
    """Return the same along canonicals, where some include may follow one; with a union before it.

    The edge of what refers and that of the definition lead to the same number, which is no rid.
    """
    known = sorted(canonical_types() & statement.scope.reaches.keys())
    if not known or not any(_may_follow_urls(include, query) for include in query.includes):
        return ""
    answers = statement.argument([one for name in known for one in answer_numbers(name)], "int[]")
    definition = f" and a.param = any({answers}) join resource d on d.rid = a.src"
    # All references of a definition are not what it answers to.
    asked = f"(e.param = w.param or w.param = 0 and e.param <> all({answers}))"
    meant = latest("l", statement.about(*known), matches)
    found = "cross join lateral (select a.param, a.dst, d.rid, d.last_updated) l"
    forward = (
        "select l.rid, w.target from way w join edge e on e.src = f.rid"  # noqa: S608
        f" and {asked} join edge a on a.dst = e.dst{definition} {found}"
        f" where not w.reverse and (w.iterate or f.first) and {meant}"
    )
    reverse = (
        "select e.src as rid, 0 as target from way w"  # noqa: S608
        f" join edge a on a.src = f.rid{definition} {found}"
        f" join edge e on e.dst = a.dst and {asked}"
        f" where w.reverse and w.target in (0, f.type) and (w.iterate or f.first) and {meant}"
    )
    return f" union all {forward} union all {reverse}"


def _may_follow_urls(include: Include, query: Query) -> bool:
    if include.source is not None or include.iterate:
        return any(param is None or by_url(param) for _, param in _params(include))
    if include.reverse:
        return not canonical_types().isdisjoint(query.types)
    return any(by_url(param) for name in query.types for param in parameters(name).values())


def _ways(query: Query, statement: Statement) -> str:
    """Return the edges of all includes as a table, each once."""
    found: dict[_Way, None] = {}
    for include in query.includes:
        for number, param in _params(include):
            only = include.target or (param.resolves if param else None)
            target = type_number(only) if only else 0
            found[_Way(number, target, include.reverse, include.iterate)] = None
    casts = ("int[]", "smallint[]", "boolean[]", "boolean[]")
    columns = zip(zip(*found, strict=True), casts, strict=True)
    return f"unnest({', '.join(statement.argument(list(one), cast) for one, cast in columns)})"


def _params(include: Include) -> Iterator[tuple[int, SearchParameter | None]]:
    """Yield the parameters of an include with the numbers of their edges; None and 0 stand for all.

    Parameters over the same element share their edges.
    """
    if include.source is None:
        yield 0, None
    elif include.param is not None:
        yield edge_number(include.source, include.param.code), include.param
    else:
        for code, param in parameters(include.source).items():
            if param.type == "reference" and param.paths and param.keyed_as == code:
                yield edge_number(include.source, code), param
        for param in include.further:
            yield edge_number(include.source, param.code), param
