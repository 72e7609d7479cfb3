"""What a page sees: what its first one saw, or what there was at a moment.

A page's statement ends with one row more, without a resource: the snapshot that it ran in, and, on
a further page, whether anything was changed since the first. See ``store/snapshot.py``.
"""

from datetime import datetime
from typing import Final

from polyclinic.kernel.search.predicate import AllOf, Has, IdIs, InList, Linked
from polyclinic.kernel.store.select import canonical
from polyclinic.kernel.store.select.conditions import elsewhere, matches
from polyclinic.kernel.store.select.statement import Place, Statement

_PROBED: Final = 20
"""Changes that a page looks at before it leaves it to ``snapshot_moved`` to look at all."""


def visible(after: Place | None, statement: Statement) -> str:
    """Return what holds for a row that may be seen; with an ``and`` before it."""
    if after is None or after.seen is None:
        return ""
    if isinstance(after.seen, datetime):
        return f" and r.last_updated <= {statement.argument(after.seen, 'timestamptz')}"
    return f" and pg_visible_in_snapshot(r.tx, {_argument(after.seen, statement)})"


def framed(
    sql: str, width: int, after: Place | None, statement: Statement, reached: str = "null"
) -> str:
    """Return a page's statement with its last row; ``width`` is how many columns it has.

    ``reached`` is what that row tells of how many were gathered, see ``few``.
    """
    nulls = "null, " * width
    moved, here = "false", "null"
    if after is not None and isinstance(after.seen, datetime):
        moved = "true"
    elif after is not None and isinstance(after.seen, str):
        moved = _moved(after.seen, statement)
        if after.rid:
            here = "(select h.system || ' ' || h.timeline from feed_here() h)"
    return (
        f"select p.*, null as snapshot, null as moved, null as here, null as reached from ({sql}) p"  # noqa: S608
        f" union all select {nulls}pg_current_snapshot()::text, {moved}, {here}, {reached}"
    )


def _moved(snapshot: str, statement: Statement) -> str:
    """Return whether something that was there is changed since, or too much is to know."""
    seen = _argument(snapshot, statement)
    first = statement.argument(int(snapshot.partition(":")[0]), "xid8")
    return (
        "(select coalesce(bool_or(c.version > 1), false) or count(*) > "  # noqa: S608
        f"{_PROBED} from (select c.version from resource c where c.tenant = $1 and c.version > 0"
        f" and c.tx >= {first} and not pg_visible_in_snapshot(c.tx, {seen})"
        f" limit {_PROBED + 1}) c)"
    )


def _argument(snapshot: str, statement: Statement) -> str:
    return f"{statement.argument(snapshot, 'text')}::pg_snapshot"


def referred(part: Linked, ids: tuple[str, ...], statement: Statement) -> tuple[str, list[object]]:
    """Return the statement for those of some ids that the target of a chain matches."""
    far = statement.about(part.target)
    sql = (
        "select r.type, r.id from keys k join resource r on r.rid = k.rid"  # noqa: S608
        f" where {matches(AllOf((IdIs(ids), part.where)), far)}"
    )
    return sql, statement.arguments


def answering(
    part: Linked, names: tuple[str, ...], statement: Statement
) -> tuple[str, list[object]]:
    """Return the statement for the numbers of those of some canonicals that name a match."""
    found = canonical.answering(part.where, statement.about(part.target), matches)
    numbers = statement.argument(statement.keys.canonicals(names), "bigint[]")
    sql = f"select c.dst from ({found}) c where c.dst = any({numbers})"  # noqa: S608
    return sql, statement.arguments


def referring(
    part: Has | InList, rids: list[int], statement: Statement
) -> tuple[str, list[object]]:
    """Return the statement for those of some resources that something that matches refers to."""
    among = elsewhere(part, statement).replace("k.rid", "n.rid", 1)
    sql = (
        "select n.type, n.id from resource n where n.tenant = $1"  # noqa: S608
        f" and n.rid = any({statement.argument(rids, 'bigint[]')}) and {among}"
    )
    return sql, statement.arguments
