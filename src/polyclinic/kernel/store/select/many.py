"""A page of many matches, by a statement whose plan is made once.

The index of updates is walked, and each resource on the way is looked at, until the page is full;
where many match, that is soon. The walk is bounded: a page that is not full by its end is made by a
plan for its values.
"""

from typing import Final

from polyclinic.kernel.store.select.few import Once
from polyclinic.kernel.store.select.order import following, gathered
from polyclinic.kernel.store.select.pages import COLUMNS, WIDTH
from polyclinic.kernel.store.select.parts import Parts
from polyclinic.kernel.store.select.snapshots import framed, visible
from polyclinic.kernel.store.select.statement import Asked, Statement

_TIMES: Final = 8
"""How much farther than on average a walk may go: what matches need not lie evenly."""
_FARTHEST: Final = 50_000
"""Resources that a walk meets at most."""


def many(asked: Asked, stored: int, failed: Once) -> Once | None:
    """Return the statement of a page of more matches than ``few`` gathers.

    None where the page has another order, or fewer match than were gathered. ``stored`` is how many
    resources of the type there are, more or less.
    """
    query, scope, keys, after = asked
    if len(query.types) != 1 or len(query.sort) != 1 or query.sort[0].param is not None:
        return None
    if after is not None and after.phase != "valued":
        return None
    statement = Statement(scope, keys)
    parts = Parts.of(query, statement)
    if parts is None or not parts.is_gathered:
        return None
    order = gathered(query, statement)
    behind = following(order, after, statement) if after is not None and after.rid else ""
    farthest = min(_TIMES * (query.count + 1) * (1 + stored // failed.most), _FARTHEST)
    walked = (
        f"select * from resource r where r.tenant = $1 and {statement.of_types('r')}"  # noqa: S608
        f" and r.version > 0{behind} order by {order.by()}"
        f" limit {statement.argument(farthest, 'bigint')}"
    )
    where = f"not r.deleted and {parts.walked(statement)}{visible(after, statement)}"
    sql = (
        f"select {order.shown}{COLUMNS} from ({walked}) r where {where}"  # noqa: S608
        f" order by {order.by()} limit {statement.argument(query.count + 1, 'bigint')}"
    )
    sql = framed(sql, len(order.keys) + WIDTH, after, statement)
    return Once(
        *(sql, statement.arguments, failed.gathers, "valued"),
        most=failed.most,
        least=query.count + 1,
    )
