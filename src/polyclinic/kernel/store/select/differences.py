"""What became of resources between two moments, as a statement.

A resource counts once, by its last version in between, which was current at the second moment. What
a principal may not see at either moment is left out here, so that how long it takes, and how many
there are on a page, tells nothing of it.
"""

from datetime import datetime
from typing import Final, NamedTuple

from polyclinic.kernel.store.select.reached import reached
from polyclinic.kernel.store.select.statement import Statement
from polyclinic.kernel.types import type_number

_COLUMNS: Final = (
    "x.rid, x.at, x.version, x.deleted, o.version as before,"
    " coalesce(o.deleted, true) as was_deleted"
)
_CURRENT: Final = (
    "select c.rid, c.type, c.last_updated as at, c.version, c.deleted, c.digest, c.patients,"
    " c.labels, coalesce(k.keys, '{}') as keys from resource c left join keys k on k.rid = c.rid"
    " where c.tenant = $1 and c.type = t.type and c.version > 0"
)
_REPLACED: Final = (
    "select v.rid, v.type, v.valid_from as at, v.version, v.deleted, v.digest, v.patients,"
    " v.labels, v.keys from version v where v.tenant = $1 and v.type = t.type"
)
_BEFORE: Final = (
    "select v.version, v.deleted, v.digest, v.patients, v.labels, v.keys"
    " from version v where v.rid = x.rid"
)


class Between(NamedTuple):
    """Two moments, and what is asked for."""

    start: datetime
    end: datetime
    patient: int | None
    """The rid of the patient whose record it has to be at one of the moments."""
    at: datetime
    """Where the last page ended, with the rid."""
    rid: int
    size: int
    """Of a page."""


def differences(between: Between, statement: Statement) -> tuple[str, list[object]]:
    """Return the statement: rid, version, deleted and at of each; before and was_deleted."""
    start = statement.argument(between.start, "timestamptz")
    end = statement.argument(between.end, "timestamptz")
    at, rid = (
        statement.argument(between.at, "timestamptz"),
        statement.argument(between.rid, "bigint"),
    )
    limit = statement.argument(between.size, "bigint")
    current = (
        f"{_CURRENT} and c.last_updated > {start} and c.last_updated <= {end}"
        f" and (c.last_updated, c.rid) > ({at}, {rid})"
    )
    replaced = (
        f"{_REPLACED} and v.valid_from > {start} and v.valid_from <= {end} and v.valid_to > {end}"
        f" and (v.valid_from, v.rid) > ({at}, {rid})"
    )
    before = f"{_BEFORE} and v.valid_from <= {start} order by v.version desc limit 1"
    shown = f"where {_shown(between, statement)} order by x.at, x.rid limit {limit}"
    arms = " union all ".join(
        f"(select {_COLUMNS} from ({one}) x left join lateral ({before}) o on true {shown})"  # noqa: S608
        for one in (current, replaced)
    )
    numbers = [type_number(name) for name in statement.types]
    sql = (
        f"select d.* from unnest({statement.argument(numbers, 'smallint[]')}) as t(type)"  # noqa: S608
        f" cross join lateral ({arms}) d order by d.at, d.rid limit {limit}"
    )
    return sql, statement.arguments


def _shown(between: Between, statement: Statement) -> str:
    """Return what holds for a difference that may be seen: ``x`` is then, ``o`` was before."""
    now = f"not x.deleted and {_reached('x', statement)}"
    then = f"not o.deleted and {_reached('o', statement)}"
    condition = (
        "(o.version is null or x.digest = 0 or x.digest <> o.digest)"
        f" and (({now}) or (o.version is not null and {then}))"
    )
    if between.patient is not None:
        patient = statement.argument(between.patient, "bigint")
        condition += f" and ({patient} = any(x.patients) or {patient} = any(o.patients))"
    return condition


def _reached(alias: str, statement: Statement) -> str:
    """Return that a version lies within reach, with its columns under the names it looks for."""
    condition = reached(statement)
    if not condition:
        return "true"
    return (
        f"exists (select from (select {alias}.patients, {alias}.labels) r,"
        f" (select {alias}.keys, x.type) k where {condition})"
    )
