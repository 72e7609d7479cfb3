"""A page of few matches, by a statement whose plan is made once.

Planning a search for its values costs several times what it takes to find what a chart asks for.
So what an index finds is gathered first, up to a bound, and sorted; that plan is the same whatever
the values are. Where the bound is reached, the page is of no use, and a plan for its values is
made after all.
"""

from typing import Final, NamedTuple

from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    DateIs,
    Has,
    Linked,
    Missing,
    Not,
    NumberIs,
    Predicate,
    RefersTo,
    StringIs,
    TokenIs,
    UriIs,
)
from polyclinic.kernel.store.select.conditions import all_of, condition_of, flat, keys_of
from polyclinic.kernel.store.select.order import following, gathered, in_memory
from polyclinic.kernel.store.select.pages import COLUMNS, WIDTH
from polyclinic.kernel.store.select.reached import reached
from polyclinic.kernel.store.select.snapshots import framed, visible
from polyclinic.kernel.store.select.statement import Among, Asked, Statement

FEW: Final = 500
"""Matches that are gathered; with more, looking at all of them is dearer than another plan."""


class Few(NamedTuple):
    """The statement; its rows are those of a page, the last one says how many it ``reached``."""

    sql: str
    arguments: list[object]
    gathers: tuple[object, ...]
    """What it gathers by: the same asks for as many."""


def few(asked: Asked) -> Few | None:
    """Return the statement of a page of few matches; None where no one index finds them."""
    query, scope, keys, after = asked
    if len(query.types) != 1 or in_memory(query):
        return None
    statement = Statement(scope, keys)
    parts = list(flat([query.where], AllOf))
    hashed = [part for part in parts if keys_of(part, statement) is not None]
    others = [part for part in parts if keys_of(part, statement) is None]
    found = _hashed(hashed, statement) if hashed else _among(others, statement)
    if found is None or (hashed and not all(_looks_only(part) for part in others)):
        return None
    gathers = (found, *map(repr, statement.arguments))
    bound = statement.argument(FEW + 1, "bigint")
    source = "(select distinct rid from found)"
    conditions = [reached(statement), all_of(others, statement) if hashed else ""]
    if any(conditions):
        source += " f join keys k on k.rid = f.rid"
    else:
        # Then nothing is asked of the keys any more.
        source += " k"
    order = gathered(query, statement)
    where = " and ".join(["not r.deleted", *filter(None, conditions)]) + visible(after, statement)
    if after is not None and after.values:
        where += following(order, after, statement)
    sql = (
        f"select {order.shown}, {COLUMNS} from {source} join resource r on r.rid = k.rid"  # noqa: S608
        f"{order.joins} where {where}"
        f" order by {order.by()} limit {statement.argument(query.count + 1, 'bigint')}"
    )
    told = "(select count(*) from found)"
    framed_sql = framed(sql, len(order.keys) + WIDTH, after, statement, reached=told)
    sql = f"with found(rid) as materialized ({found} limit {bound}) {framed_sql}"
    return Few(sql, statement.arguments, gathers)


def _hashed(parts: list[Predicate], statement: Statement) -> str:
    return (
        f"select k.rid from keys k where k.tenant = $1 and {statement.of_types('k')}"  # noqa: S608
        f" and {all_of(parts, statement)}"
    )


def _among(parts: list[Predicate], statement: Statement) -> str | None:
    """Return what finds the values that are asked for in one ordered table."""
    if len(parts) != 1 or not _is_direct(parts[0], statement):
        return None
    condition = condition_of(parts[0], statement)
    return condition.rids if isinstance(condition, Among) else None


def _is_direct(part: Predicate, statement: Statement) -> bool:
    """Say whether there is one way to find what matches, however much that is."""
    match part:
        case StringIs(_, how):
            return how in ("starts", "exact", "equals")
        case DateIs() | NumberIs():
            return part.param is not None
        case AnyOf(parts):
            return all(_is_direct(one, statement) for one in parts)
        case Linked(_, target, where):
            return _is_hashed(where, statement.about(target))
        case Has(source, _, where):
            return _is_hashed(where, statement.about(source))
        case _:
            return False


def _is_hashed(part: Predicate, statement: Statement) -> bool:
    parts = list(flat([part], AllOf))
    return bool(parts) and all(keys_of(one, statement) is not None for one in parts)


def _looks_only(part: Predicate) -> bool:
    """Say whether a condition is about the row itself and costs next to nothing to check."""
    match part:
        case Missing():
            return True
        case Not(inner):
            return isinstance(inner, TokenIs | RefersTo | UriIs)
        case _:
            return False
