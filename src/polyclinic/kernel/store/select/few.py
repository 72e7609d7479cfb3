"""A page of few matches, by a statement whose plan is made once.

Planning a search for its values costs several times what it takes to find what a chart asks for.
So what an index finds is gathered first, up to a bound, and sorted; that plan is the same whatever
the values are. Where the bound is reached, the page is of no use: see ``many``.
"""

from math import isqrt
from typing import Final, NamedTuple

from polyclinic.kernel.store.select.order import BY_RID, Order, following, gathered, in_memory
from polyclinic.kernel.store.select.pages import COLUMNS, WIDTH
from polyclinic.kernel.store.select.parts import Parts
from polyclinic.kernel.store.select.reached import reached
from polyclinic.kernel.store.select.snapshots import framed, visible
from polyclinic.kernel.store.select.statement import Asked, Phase, Statement

FEW: Final = 500
"""Matches that are gathered; with more, looking at all of them is dearer than another plan."""
_LEAST: Final = 1_000
_MOST: Final = 20_000
"""The same where they need not be looked at to be put in order: bounds of what a walk is worth."""


class Once(NamedTuple):
    """A statement whose plan is made once."""

    sql: str
    arguments: list[object]
    gathers: tuple[object, ...]
    """What is gathered: the same is as many."""
    phase: Phase
    """The phase that its page belongs to."""
    most: int
    """With more matches than these, ``few`` does not serve."""
    least: int = 0
    """With fewer rows, it does not serve."""

    def serves(self, rows: int, reached: int | None) -> bool:
        """Say whether it has made a page, by its rows and by how many it says it has gathered."""
        return rows >= self.least and (reached is None or reached <= self.most)


def few(asked: Asked, stored: int) -> Once | None:
    """Return the statement of a page of few matches; None where no one index finds them.

    ``stored`` is how many resources of the type there are, more or less.
    """
    query, scope, keys, after = asked
    if len(query.types) != 1 or in_memory(query):
        return None
    by_rid = query.any_order and (after is None or after.phase == "gathered")
    statement = Statement(scope, keys)
    parts = Parts.of(query, statement)
    if parts is None:
        return None
    found = parts.found(statement)
    gathers = (found, *map(repr, statement.arguments))
    # From so many on, a walk in another order meets a page of them sooner than all are gathered.
    most = min(max(_LEAST, isqrt(query.count * stored)), _MOST) if by_rid else FEW
    found = f"{found} limit {statement.argument(most + 1, 'bigint')}"
    order = BY_RID if by_rid else gathered(query, statement)
    of_keys = [one for one in (reached(statement), *parts.of_keys(statement)) if one]
    sql = _page(asked, statement, order, (of_keys, [*parts.probes(statement)]))
    told = framed(sql, len(order.keys) + WIDTH, after, statement, reached=_REACHED)
    sql = f"with found(rid) as materialized ({found}) {told}"
    phase: Phase = "gathered" if by_rid else "valued"
    return Once(sql, statement.arguments, gathers, phase, most)


_REACHED: Final = "(select count(*) from found)"


def _page(
    asked: Asked, statement: Statement, order: Order, conditions: tuple[list[str], list[str]]
) -> str:
    """Return the select of a page of what was gathered.

    Of the conditions the first are about keys, the others about rids.
    By rid, what is gathered is sorted first, and no more of it is read than is shown.
    """
    query, after = asked.query, asked.after
    in_order = " order by rid desc" if order is BY_RID else ""
    source = f"(select distinct rid from found{in_order})"  # noqa: S608
    of_keys, probes = conditions
    source += " f join keys k on k.rid = f.rid" if of_keys else " k"
    where = " and ".join(["not r.deleted", *of_keys, *probes]) + visible(after, statement)
    if after is not None and after.rid:
        where += following(order, after, statement)
    return (
        f"select {order.shown}{COLUMNS} from {source}"  # noqa: S608
        f" join resource r on r.rid = k.rid{order.joins} where {where}"
        f" order by {order.by()} limit {statement.argument(query.count + 1, 'bigint')}"
    )
