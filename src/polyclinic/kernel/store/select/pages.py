"""The statements of a page and of a total."""

from typing import Final

from polyclinic.kernel.search.predicate import Query
from polyclinic.kernel.store.index import QueryKeys
from polyclinic.kernel.store.row import REPEATED
from polyclinic.kernel.store.select.conditions import where as conditions
from polyclinic.kernel.store.select.order import SORTED, direction, subject
from polyclinic.kernel.store.select.statement import Place, Scope, Statement, micros, moment

_COLUMNS: Final = "r.rid, r.id, r.version, r.last_updated, r.dict_id, r.body, r.patients, r.key_id"


def page(
    query: Query, scope: Scope, keys: QueryKeys, after: Place | None
) -> tuple[str, list[object]]:
    """Return the statement of one page, one row longer than the page, in the phase of ``after``.

    Its rows are ``sort value`` and the columns of a resource.
    """
    statement = Statement(keys)
    phase = after.phase if after else "valued"
    limit = query.count + 1
    if query.sort[0].param is None:
        return _by_update(query, scope, statement, after, limit)
    if phase == "valued":
        return _by_value(query, scope, statement, after, limit)
    return _without_value(query, scope, statement, after, limit)


def total(query: Query, scope: Scope, keys: QueryKeys) -> tuple[str, list[object]]:
    """Return the statement that counts all matches."""
    statement = Statement(keys)
    where = conditions(query, scope, statement)
    sql = f"select count(*) from keys k join resource r on r.rid = k.rid where {where}"  # noqa: S608
    return sql, statement.arguments


def _by_update(
    query: Query, scope: Scope, statement: Statement, after: Place | None, limit: int
) -> tuple[str, list[object]]:
    # These three let the planner walk the index of updates where the conditions keep most rows.
    where = (
        f"r.tenant = $1 and r.type = $2 and r.version > 0 and {conditions(query, scope, statement)}"
    )
    way, beyond = direction(query.sort[0])
    if after:
        value = statement.argument(after.value, "bigint")
        rid = statement.argument(after.rid, "bigint")
        where += f" and (r.last_updated, r.rid) {beyond} ({moment(value)}, {rid})"
    sql = (
        f"select {micros('r.last_updated')}, {_COLUMNS} "  # noqa: S608 - names of columns
        f"from keys k join resource r on r.rid = k.rid where {where} "
        f"order by r.last_updated {way}, r.rid {way} limit {statement.argument(limit, 'bigint')}"
    )
    return sql, statement.arguments


def _by_value(
    query: Query, scope: Scope, statement: Statement, after: Place | None, limit: int
) -> tuple[str, list[object]]:
    assert query.sort[0].param is not None
    table, column, cast = SORTED[query.sort[0].param.type]
    where = conditions(query, scope, statement)
    way, beyond = direction(query.sort[0])
    extreme = 2 if query.sort[0].descending else 1
    where += (
        f" and s.tenant = {statement.argument(scope.tenant, 'int')}"
        f" and {statement.of_param('s', query.sort[0].param)}"
    )
    if table == "date_value" and (patient := subject(query, statement)):
        where += f" and s.subject = any({patient})"
        extreme |= extreme << REPEATED
    where += f" and s.extreme & {extreme} <> 0"
    if after:
        value = statement.argument(after.value, cast)
        rid = statement.argument(after.rid, "bigint")
        where += f" and (s.{column}, s.rid) {beyond} ({value}, {rid})"
    sql = (
        f"select s.{column}, {_COLUMNS} from {table} s join keys k on k.rid = s.rid "  # noqa: S608
        f"join resource r on r.rid = k.rid where {where} "
        f"order by s.{column} {way}, s.rid {way} limit {statement.argument(limit, 'bigint')}"
    )
    return sql, statement.arguments


def _without_value(
    query: Query, scope: Scope, statement: Statement, after: Place | None, limit: int
) -> tuple[str, list[object]]:
    assert query.sort[0].param is not None
    where = conditions(query, scope, statement)
    table, _, _ = SORTED[query.sort[0].param.type]
    where += (
        f" and not exists (select from {table} s where s.rid = k.rid"
        f" and {statement.of_param('s', query.sort[0].param)})"
    )
    if after and after.rid:
        where += f" and r.rid < {statement.argument(after.rid, 'bigint')}"
    sql = (
        f"select null, {_COLUMNS} from keys k join resource r on r.rid = k.rid where {where} "  # noqa: S608
        f"order by r.rid desc limit {statement.argument(limit, 'bigint')}"
    )
    return sql, statement.arguments
