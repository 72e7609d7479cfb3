"""A page of few matches, by a statement whose plan is made once.

Planning a search for its values costs several times what it takes to find what a chart asks for.
So what an index finds is gathered first, up to a bound, and sorted; that plan is the same whatever
the values are. Where the bound is reached, the page is of no use, and a plan for its values is
made after all.
"""

from collections.abc import Iterable, Iterator
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
from polyclinic.kernel.store.select.composite import untied
from polyclinic.kernel.store.select.conditions import all_of, condition_of, flat, keys_of
from polyclinic.kernel.store.select.order import (
    BY_RID,
    Order,
    following,
    gathered,
    in_memory,
)
from polyclinic.kernel.store.select.pages import COLUMNS, WIDTH
from polyclinic.kernel.store.select.reached import reached
from polyclinic.kernel.store.select.snapshots import framed, visible
from polyclinic.kernel.store.select.statement import Among, Asked, Phase, Statement

FEW: Final = 500
"""Matches that are gathered; with more, looking at all of them is dearer than another plan."""
_LEAST: Final = 1_000
_MOST: Final = 20_000
"""The same where they need not be looked at to be put in order: bounds of what a walk is worth."""


class Few(NamedTuple):
    """The statement; its rows are those of a page, the last one says how many it ``reached``."""

    sql: str
    arguments: list[object]
    gathers: tuple[object, ...]
    """What it gathers by: the same asks for as many."""
    most: int
    """With more than these, the page is of no use."""
    phase: Phase
    """The phase that its page belongs to."""


def few(asked: Asked, stored: int) -> Few | None:
    """Return the statement of a page of few matches; None where no one index finds them.

    ``stored`` is how many resources of the type there are, more or less.
    """
    query, scope, keys, after = asked
    if len(query.types) != 1 or in_memory(query):
        return None
    by_rid = query.any_order and (after is None or after.phase == "gathered")
    statement = Statement(scope, keys)
    parts = _Parts.of(query, statement)
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
    return Few(sql, statement.arguments, gathers, most, "gathered" if by_rid else "valued")


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


class _Parts(NamedTuple):
    """What a query asks, by how it is found."""

    hashed: list[Predicate]
    loose: list[str]
    """What else holds for the keys of what is hashed."""
    driver: Predicate | None
    """What is looked up first where nothing is hashed."""
    probed: list[Predicate]
    """What is looked up for each resource that was gathered."""
    looked_at: list[Predicate]
    """What the gathered rows say themselves."""

    @classmethod
    def of(cls, query: Query, statement: Statement) -> "_Parts | None":
        hashed, values, looked_at = list[Predicate](), list[Predicate](), list[Predicate]()
        asked, loose = _untied(flat([query.where], AllOf), statement)
        for part in asked:
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
        return cls(hashed, loose, driver, values, looked_at)

    def found(self, statement: Statement) -> str:
        """Return the select of the rids that are gathered."""
        if self.driver is None:
            return (
                f"select k.rid from keys k where k.tenant = $1 and {statement.of_types('k')}"  # noqa: S608
                f" and {' and '.join([all_of(self.hashed, statement), *self.loose])}"
            )
        condition = condition_of(self.driver, statement)
        if isinstance(condition, Among):
            return condition.rids
        return (
            f"select k.rid from keys k where k.tenant = $1 and {statement.of_types('k')}"  # noqa: S608
            f" and {condition}"
        )

    def of_keys(self, statement: Statement) -> Iterator[str]:
        """Yield what else holds for the keys."""
        if isinstance(self.driver, Has | AnyOf):
            # A reference may lead to another type, or to what was never stored.
            yield statement.of_types("k")
        if self.looked_at:
            yield all_of(self.looked_at, statement)

    def probes(self, statement: Statement) -> Iterator[str]:
        """Yield what is looked up by rid."""
        for part in self.probed:
            condition = condition_of(part, statement)
            assert isinstance(condition, Among)
            # The offset keeps it a lookup by rid: as a join it might read all that has the value.
            yield f"exists ({condition.rids} and v.rid = k.rid offset 0)"


def _untied(parts: Iterable[Predicate], statement: Statement) -> tuple[list[Predicate], list[str]]:
    """Return parts with those of composites among them where one of them is hashed.

    What is hashed is gathered, and the others are looked up until a page is full; a composite by
    itself would look at all that has its quantity, whatever the code.
    """
    found, loose = list[Predicate](), list[str]()
    for part in parts:
        own = untied(part, statement) if isinstance(part, CompositeIs) else None
        if own is not None and any(keys_of(one, statement) is not None for one in own[0]):
            found += own[0]
            loose += [own[1]] if own[1] else []
        else:
            found.append(part)
    return found, loose


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
