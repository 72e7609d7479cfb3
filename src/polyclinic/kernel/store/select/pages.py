"""The statements of a page and of a total."""

from typing import Final

from polyclinic.kernel.search.predicate import Query
from polyclinic.kernel.store.select.conditions import matches
from polyclinic.kernel.store.select.order import BY_RID, Order, following, has_rest, rest, valued
from polyclinic.kernel.store.select.snapshots import framed, visible
from polyclinic.kernel.store.select.statement import Asked, Place, Statement

COLUMNS: Final = (
    "r.rid, r.type, r.id, r.version, r.last_updated, r.dict_id, r.body, r.patients, r.key_id"
)
"""What is read of a resource."""
WIDTH: Final = COLUMNS.count(",") + 1
"""How many columns that are."""
MOST_SORTED: Final = 1_000
"""Matches that are sorted in memory; of more, the search is refused."""


def page(asked: Asked) -> tuple[str, list[object]]:
    """Return the statement of one page, one row longer than the page, in the phase of ``after``.

    Its rows are the sort values (``o0``, ``o1`` ...) and the columns of a resource; the last one
    has only ``snapshot``, ``moved`` and ``here``.
    """
    query, scope, keys, after = asked
    statement = Statement(scope, keys)
    # What is told of the resource lets the planner walk the index of updates or ids where most rows
    # match; told of the keys too, it would take the matches for fewer than they are.
    where = matches(query.where, statement, "k" if has_rest(query) else "r")
    order = _order(query, after, statement)
    where += order.condition + visible(after, statement)
    if after is not None and after.rid:
        where += following(order, after, statement)
    sql = (
        f"select {order.shown}{COLUMNS} "  # noqa: S608 - names of columns
        f"from keys k join resource r on r.rid = k.rid{order.joins} where {where} "
        f"order by {order.by()} limit {statement.argument(query.count + 1, 'bigint')}"
    )
    return framed(sql, len(order.keys) + WIDTH, after, statement), statement.arguments


def _order(query: Query, after: Place | None, statement: Statement) -> Order:
    """Return the order of a page; further pages have that of the first."""
    match after and after.phase:
        case "gathered":
            return BY_RID
        case "rest":
            return rest(query, statement)
        case _:
            return valued(query, statement)


def unsorted(asked: Asked) -> tuple[str, list[object]]:
    """Return the statement of all matches, one row more than are sorted in memory."""
    query, scope, keys, after = asked
    statement = Statement(scope, keys)
    where = matches(query.where, statement) + visible(after, statement)
    sql = (
        f"select {COLUMNS} from keys k join resource r on r.rid = k.rid where {where}"  # noqa: S608
        f" limit {statement.argument(MOST_SORTED + 1, 'bigint')}"
    )
    return framed(sql, WIDTH, after, statement), statement.arguments


def total(asked: Asked) -> tuple[str, list[object]]:
    """Return the statement that counts all matches that are current and may be seen."""
    query, scope, keys, after = asked
    statement = Statement(scope, keys)
    where = matches(query.where, statement) + visible(after, statement)
    sql = f"select count(*) from keys k join resource r on r.rid = k.rid where {where}"  # noqa: S608
    return sql, statement.arguments
