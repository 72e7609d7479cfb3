"""A page of few matches, by a statement whose plan is made once.

Planning a search for its values costs several times what it takes to find what a chart asks for.
So what an index finds is gathered first, up to a bound, and sorted; that plan is the same whatever
the values are. Where the bound is reached, the page is of no use, and a plan for its values is
made after all.
"""

from collections.abc import Iterator
from math import isqrt
from typing import Final, NamedTuple

from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Comparison,
    CompositeIs,
    DateIs,
    Has,
    Linked,
    Missing,
    Not,
    NumberIs,
    Predicate,
    Query,
    RefersTo,
    StringIs,
    TokenIs,
    UriIs,
)
from polyclinic.kernel.store.select.conditions import all_of, condition_of, flat, keys_of
from polyclinic.kernel.store.select.order import Order, following, gathered, in_memory
from polyclinic.kernel.store.select.pages import COLUMNS, WIDTH
from polyclinic.kernel.store.select.reached import reached
from polyclinic.kernel.store.select.snapshots import framed, visible
from polyclinic.kernel.store.select.statement import Among, Asked, Statement

FEW: Final = 500
"""Matches that are gathered; with more, looking at all of them is dearer than another plan."""
MANY: Final = 5_000
"""The same where the order is that of an index which can be walked as well."""


class Few(NamedTuple):
    """The statement; its rows are those of a page, the last one says how many it ``reached``."""

    sql: str
    arguments: list[object]
    gathers: tuple[object, ...]
    """What it gathers by: the same asks for as many."""
    most: int
    """With more than these, the page is of no use."""


def few(asked: Asked, stored: int) -> Few | None:
    """Return the statement of a page of few matches; None where no one index finds them.

    ``stored`` is how many resources of the type there are, more or less.
    """
    query, scope, keys, after = asked
    if len(query.types) != 1 or in_memory(query):
        return None
    statement = Statement(scope, keys)
    parts = _Parts.of(query, statement)
    if parts is None:
        return None
    found = parts.found(statement)
    gathers = (found, *map(repr, statement.arguments))
    conditions = [one for one in (reached(statement), *parts.further(statement)) if one]
    order = gathered(query, statement)
    walks = not conditions and query.sort[0].param is None and len(query.sort) == 1
    most = MANY if walks else FEW
    bound = statement.argument(most + 1, "bigint")
    behind = visible(after, statement)
    if after is not None and after.values:
        behind += following(order, after, statement)
    page = _Page(order, behind, statement.argument(query.count + 1, "bigint"))
    if walks:
        # From so many on the walk meets a page of them sooner than all are looked at.
        worth = statement.argument(isqrt(query.count * stored // 4), "bigint")
        sql = _walked(page, statement, f"{_REACHED} > {worth}")
        sql = f"({page.gathered([f'{_REACHED} <= {worth}'])}) union all ({sql})"
    else:
        sql = page.gathered(conditions, looks=bool(conditions))
    told = framed(sql, len(order.keys) + WIDTH, after, statement, reached=_REACHED)
    sql = f"with found(rid) as materialized ({found} limit {bound}) {told}"
    return Few(sql, statement.arguments, gathers, most)


_REACHED: Final = "(select count(*) from found)"


class _Page(NamedTuple):
    """What both ways of reading a page have in common."""

    order: Order
    behind: str
    limit: str

    def gathered(self, conditions: list[str], *, looks: bool = False) -> str:
        """Return the select that sorts what was gathered; ``looks``: at its keys, too."""
        # Where nothing is asked of the keys, they need not be read.
        source = " f join keys k on k.rid = f.rid" if looks else " k"
        where = " and ".join(["not r.deleted", *conditions])
        return (
            f"select {self.order.shown}, {COLUMNS} from (select distinct rid from found){source}"  # noqa: S608
            f" join resource r on r.rid = k.rid{self.order.joins} where {where}{self.behind}"
            f" order by {self.order.by()} limit {self.limit}"
        )


def _walked(page: _Page, statement: Statement, gate: str) -> str:
    """Return the select that walks the index of the order until a page of them was met."""
    # `is true` keeps the rids a table that is looked up in memory; as a join it would be sorted.
    return (
        f"select {page.order.shown}, {COLUMNS} from resource r where r.tenant = $1"  # noqa: S608
        f" and {statement.of_types('r')} and r.version > 0 and not r.deleted and {gate}"
        f" and (r.rid in (select rid from found)) is true{page.behind}"
        f" order by {page.order.by()} limit {page.limit}"
    )


class _Parts(NamedTuple):
    """What a query asks, by how it is found."""

    hashed: list[Predicate]
    driver: Predicate | None
    """What is looked up first where nothing is hashed."""
    probed: list[Predicate]
    """What is looked up for each resource that was gathered."""
    looked_at: list[Predicate]
    """What the gathered rows say themselves."""

    @classmethod
    def of(cls, query: Query, statement: Statement) -> "_Parts | None":
        hashed, values, looked_at = list[Predicate](), list[Predicate](), list[Predicate]()
        for part in flat([query.where], AllOf):
            if keys_of(part, statement) is not None:
                hashed.append(part)
            elif _looks_only(part):
                looked_at.append(part)
            elif _is_direct(part, statement):
                values.append(part)
            else:
                return None
        values.sort(key=_rank)
        if not hashed and not values:
            return None
        driver = None if hashed else values.pop(0)
        if not all(isinstance(part, StringIs | DateIs | NumberIs) for part in values):
            return None
        return cls(hashed, driver, values, looked_at)

    def found(self, statement: Statement) -> str:
        """Return the select of the rids that are gathered."""
        if self.driver is None:
            return (
                f"select k.rid from keys k where k.tenant = $1 and {statement.of_types('k')}"  # noqa: S608
                f" and {all_of(self.hashed, statement)}"
            )
        condition = condition_of(self.driver, statement)
        if isinstance(condition, Among):
            return condition.rids
        return (
            f"select k.rid from keys k where k.tenant = $1 and {statement.of_types('k')}"  # noqa: S608
            f" and {condition}"
        )

    def further(self, statement: Statement) -> Iterator[str]:
        """Yield what else holds."""
        if isinstance(self.driver, Has | AnyOf):
            # A reference may lead to another type, or to what was never stored.
            yield statement.of_types("k")
        for part in self.probed:
            condition = condition_of(part, statement)
            assert isinstance(condition, Among)
            # The offset keeps it a lookup by rid: as a join it might read all that has the value.
            yield f"exists ({condition.rids} and v.rid = k.rid offset 0)"
        if self.looked_at:
            yield all_of(self.looked_at, statement)


def _rank(part: Predicate) -> int:
    """Return a number that is lower for what fewer resources have, as a rule."""
    match part:
        case Linked() | Has() | AnyOf() | CompositeIs():
            return 0
        case StringIs(_, how):
            return 2 if how == "starts" else 1
        case DateIs(_, Comparison.EQUAL):
            return 3
        case _:
            return 4


def _is_direct(part: Predicate, statement: Statement) -> bool:
    """Say whether there is one way to find what matches, however much that is."""
    match part:
        case StringIs(_, how):
            return how in ("starts", "exact", "equals")
        case DateIs() | NumberIs() | CompositeIs():
            return part.param is not None
        case AnyOf(parts):
            return bool(parts) and all(_is_direct(one, statement) for one in parts)
        case Linked(_, target, where):
            return _is_one_way(where, statement.about(target))
        case Has(source, _, where):
            return _is_one_way(where, statement.about(source))
        case _:
            return False


def _is_one_way(part: Predicate, statement: Statement) -> bool:
    """Say whether there is one way to find what is at the other end of a reference."""
    parts = list(flat([part], AllOf))
    if len(parts) == 1 and _is_direct(parts[0], statement):
        return True
    return bool(parts) and all(keys_of(one, statement) is not None for one in parts)


def _looks_only(part: Predicate) -> bool:
    """Say whether a condition is about the row itself and costs next to nothing to check."""
    match part:
        case Missing():
            return part.param.type != "composite"
        case Not(inner):
            return isinstance(inner, TokenIs | RefersTo | UriIs)
        case _:
            return False
