"""A query as SQL. The only place where SQL is put together; every value is an argument.

A search reads ``keys`` for what is hashed, the narrow tables for what has an order, and joins
``resource``, which has the last word on what is deleted and who may see it. A page in the order of
a value walks that value's index in order and stops at its end; what has no such value follows, as
a second statement.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal

from polyclinic.kernel.search.parameters import compartment_parameters, parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Comparison,
    DateIs,
    IdIs,
    Leaf,
    Missing,
    NumberIs,
    Predicate,
    Query,
    RefersTo,
    Sort,
    StringIs,
    TokenIs,
    UriIs,
)
from polyclinic.kernel.store.index import QueryKeys
from polyclinic.kernel.store.reach import EVERYTHING, ROLE_OF, Part, Reach
from polyclinic.kernel.store.row import REPEATED
from polyclinic.kernel.types import type_number

_COLUMNS: Final = "r.rid, r.id, r.version, r.last_updated, r.dict_id, r.body, r.patients, r.key_id"
_LAST: Final = "\U0010ffff"
"""Sorts behind every character in "C" order."""

Phase = Literal["valued", "rest"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the phase, the sort value and the rid of its last row."""

    phase: Phase
    value: str | int | float | None
    rid: int


@dataclass(slots=True)
class Statement:
    """SQL and its arguments while they are gathered."""

    keys: QueryKeys
    arguments: list[object] = field(default_factory=list)

    def argument(self, value: object, cast: str) -> str:
        """Add an argument and return how the SQL names it."""
        self.arguments.append(value)
        return f"${len(self.arguments)}::{cast}"


@dataclass(frozen=True, slots=True)
class Scope:
    """What every search is limited to."""

    tenant: int
    type: int
    reach: Reach = EVERYTHING


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
    where = _where(query, scope, statement)
    sql = f"select count(*) from keys k join resource r on r.rid = k.rid where {where}"  # noqa: S608
    return sql, statement.arguments


def _by_update(
    query: Query, scope: Scope, statement: Statement, after: Place | None, limit: int
) -> tuple[str, list[object]]:
    # These three let the planner walk the index of updates where the conditions keep most rows.
    where = f"r.tenant = $1 and r.type = $2 and r.version > 0 and {_where(query, scope, statement)}"
    way, beyond = _direction(query.sort[0])
    if after:
        value = statement.argument(after.value, "bigint")
        rid = statement.argument(after.rid, "bigint")
        where += f" and (r.last_updated, r.rid) {beyond} ({_moment(value)}, {rid})"
    sql = (
        f"select {_micros('r.last_updated')}, {_COLUMNS} "  # noqa: S608 - names of columns
        f"from keys k join resource r on r.rid = k.rid where {where} "
        f"order by r.last_updated {way}, r.rid {way} limit {statement.argument(limit, 'bigint')}"
    )
    return sql, statement.arguments


def _by_value(
    query: Query, scope: Scope, statement: Statement, after: Place | None, limit: int
) -> tuple[str, list[object]]:
    assert query.sort[0].param is not None
    table, column, cast = _SORTED[query.sort[0].param.type]
    where = _where(query, scope, statement)
    way, beyond = _direction(query.sort[0])
    extreme = 2 if query.sort[0].descending else 1
    where += (
        f" and s.tenant = {statement.argument(scope.tenant, 'int')}"
        f" and s.param = {statement.argument(statement.keys.param(query.sort[0].param), 'int')}"
    )
    if table == "date_value" and (subject := _subject(query, statement)):
        where += f" and s.subject = any({subject})"
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
    where = _where(query, scope, statement)
    table, _, _ = _SORTED[query.sort[0].param.type]
    where += (
        f" and not exists (select from {table} s where s.rid = k.rid"
        f" and s.param = {statement.argument(statement.keys.param(query.sort[0].param), 'int')})"
    )
    if after and after.rid:
        where += f" and r.rid < {statement.argument(after.rid, 'bigint')}"
    sql = (
        f"select null, {_COLUMNS} from keys k join resource r on r.rid = k.rid where {where} "  # noqa: S608
        f"order by r.rid desc limit {statement.argument(limit, 'bigint')}"
    )
    return sql, statement.arguments


def _direction(sort: Sort) -> tuple[str, str]:
    return ("desc", "<") if sort.descending else ("asc", ">")


_SORTED: Final = {
    "date": ("date_value", "low", "bigint"),
    "string": ("string_value", "value", "text"),
    "number": ("number_value", "low", "float8"),
    "quantity": ("number_value", "low", "float8"),
}
SORTABLE: Final = frozenset(_SORTED)
"""The types of search parameters that a page can be sorted by."""


def _where(query: Query, scope: Scope, statement: Statement) -> str:
    conditions = [
        f"k.tenant = {statement.argument(scope.tenant, 'int')}",
        f"k.type = {statement.argument(scope.type, 'smallint')}",
        "not r.deleted",
    ]
    if not scope.reach.whole:
        conditions.append(_reached(scope.reach, statement))
    hashed: list[int] = []
    for part in query.where.parts:
        key = statement.keys.of(part)
        if key is None:
            conditions.append(_condition(part, statement))
        else:
            hashed.append(key)
    if hashed:
        conditions.append(f"k.keys @> {statement.argument(hashed, 'bigint[]')}")
    return " and ".join(conditions)


def _reached(reach: Reach, statement: Statement) -> str:
    """Return the same as ``Reach.allows``, with the compartments' keys for the index."""
    parts = _joined(" or ", (_part(part, reach, statement) for part in reach.parts)) or "false"
    if not reach.withheld:
        return parts
    withheld = statement.argument(sorted(reach.withheld), "bigint[]")
    return f"{parts} and not r.labels && {withheld}"


def _part(part: Part, reach: Reach, statement: Statement) -> str:
    conditions = []
    if part.patients is not None:
        compartments = statement.argument(list(part.compartments), "bigint[]")
        conditions.append(f"k.keys && {compartments}")
        conditions.append(f"r.patients && {statement.argument(sorted(part.patients), 'bigint[]')}")
    if part.nobody:
        conditions.append("r.patients = '{}'")
    if part.care:
        conditions.append(_cared(reach, statement))
    wanted = (statement.argument(sorted(keys), "bigint[]") for keys in part.keys)
    conditions.extend(f"k.keys && {keys}" for keys in wanted)
    return _joined(" and ", conditions) or "true"


def _cared(reach: Reach, statement: Statement) -> str:
    practitioner = statement.argument(reach.practitioner, "bigint")
    now = statement.argument(reach.now, "bigint")
    role = statement.argument(ROLE_OF, "int")
    return (
        "exists (select from care_relation c where c.tenant = $1 and c.patient = any(r.patients)"  # noqa: S608
        f" and c.low <= {now} and c.high > {now} and c.practitioner = any({practitioner} || array("
        f"select e.src from edge e where e.dst = {practitioner} and e.param = {role})))"
    )


def _condition(part: Predicate, statement: Statement) -> str:
    match part:
        case AllOf(parts):
            return _joined(" and ", (_condition(one, statement) for one in parts)) or "true"
        case AnyOf(parts):
            return _any(parts, statement)
        case _:
            return _leaf(part, statement)


def _any(parts: tuple[Predicate, ...], statement: Statement) -> str:
    """Put what is hashed into one array, so that an OR list stays one index condition."""
    keys = [key for part in parts if (key := statement.keys.of(part)) is not None]
    others = [_condition(part, statement) for part in parts if statement.keys.of(part) is None]
    if keys:
        others.insert(0, f"k.keys && {statement.argument(keys, 'bigint[]')}")
    return f"({' or '.join(others)})" if others else "false"


def _joined(word: str, conditions: Iterable[str]) -> str:
    texts = list(conditions)
    return f"({word.join(texts)})" if texts else ""


def _leaf(leaf: Leaf, statement: Statement) -> str:
    match leaf:
        case StringIs():
            return _string(leaf, statement)
        case DateIs():
            return _date(leaf, statement)
        case NumberIs():
            return _number(leaf, statement)
        case IdIs(ids):
            return f"r.id = any({statement.argument(list(ids), 'text[]')})"
        case Missing(param, missing=True):
            return (
                f"not k.keys @> {statement.argument([statement.keys.present(param)], 'bigint[]')}"
            )
        case TokenIs() | RefersTo() | UriIs() | Missing():
            return f"k.keys @> {statement.argument([statement.keys.of(leaf)], 'bigint[]')}"
    raise NotImplementedError(type(leaf).__name__)


def _string(leaf: StringIs, statement: Statement) -> str:
    low = statement.argument(leaf.text, "text")
    high = statement.argument(leaf.text + _LAST, "text")
    condition = f"v.value >= {low} and v.value < {high}"
    return _within("string_value", statement.keys.param(leaf.param), condition, statement)


def _date(leaf: DateIs, statement: Statement) -> str:
    if leaf.param is None:
        return _last_updated(leaf.comparison, leaf.low, leaf.high, statement)
    condition = _ordered(leaf.comparison, leaf.low, leaf.high, "bigint", statement)
    return _within("date_value", statement.keys.param(leaf.param), condition, statement)


def _within(table: str, param: int, condition: str, statement: Statement) -> str:
    return (
        f"k.rid in (select v.rid from {table} v where v.tenant = $1"  # noqa: S608 - names of tables
        f" and v.param = {statement.argument(param, 'int')} and {condition})"
    )


def _number(leaf: NumberIs, statement: Statement) -> str:
    low, high = leaf.low, leaf.high
    if leaf.comparison not in (Comparison.EQUAL, Comparison.NOT_EQUAL, Comparison.APPROXIMATELY):
        low = high = leaf.exact
    condition = _ordered(leaf.comparison, low, high, "float8", statement)
    if leaf.code:
        unit = statement.keys.unit(leaf.system, leaf.code)
        condition += f" and v.unit = {statement.argument(unit, 'bigint')}"
    return _within("number_value", statement.keys.param(leaf.param), condition, statement)


def _ordered(
    comparison: Comparison, low: float, high: float, cast: str, statement: Statement
) -> str:
    """Compare the stored range [v.low, v.high) with the asked one, as the specification's table.

    https://hl7.org/fhir/R4/search.html#prefix
    """
    template = _RANGES[comparison]
    return template(lambda: statement.argument(low, cast), lambda: statement.argument(high, cast))


_Argument = Callable[[], str]
_RANGES: Final[dict[Comparison, Callable[[_Argument, _Argument], str]]] = {
    Comparison.EQUAL: lambda low, high: (
        f"v.low >= {low()} and v.low <= {(top := high())} and v.high <= {top}"
    ),
    Comparison.NOT_EQUAL: lambda low, high: f"(v.low < {low()} or v.high > {high()})",
    Comparison.GREATER: lambda _, high: f"v.high > {high()}",
    Comparison.LESS: lambda low, _: f"v.low < {low()}",
    Comparison.GREATER_OR_EQUAL: lambda low, _: f"v.high > {low()}",
    Comparison.LESS_OR_EQUAL: lambda _, high: f"v.low < {high()}",
    Comparison.STARTS_AFTER: lambda _, high: f"v.low >= {high()}",
    Comparison.ENDS_BEFORE: lambda low, _: f"v.high <= {low()}",
    Comparison.APPROXIMATELY: lambda low, high: f"v.low < {high()} and v.high > {low()}",
}


def _last_updated(comparison: Comparison, low: int, high: int, statement: Statement) -> str:
    """Compare the moment of the last update, a point, with the asked range."""
    return _MOMENTS[comparison](
        lambda: _moment(statement.argument(low, "bigint")),
        lambda: _moment(statement.argument(high, "bigint")),
    )


_MOMENTS: Final[dict[Comparison, Callable[[_Argument, _Argument], str]]] = {
    Comparison.EQUAL: lambda start, end: (
        f"(r.last_updated >= {start()} and r.last_updated < {end()})"
    ),
    Comparison.NOT_EQUAL: lambda start, end: (
        f"(r.last_updated < {start()} or r.last_updated >= {end()})"
    ),
    Comparison.GREATER: lambda _, end: f"r.last_updated >= {end()}",
    Comparison.LESS: lambda start, _: f"r.last_updated < {start()}",
    Comparison.GREATER_OR_EQUAL: lambda start, _: f"r.last_updated >= {start()}",
    Comparison.LESS_OR_EQUAL: lambda _, end: f"r.last_updated < {end()}",
    Comparison.STARTS_AFTER: lambda _, end: f"r.last_updated >= {end()}",
    Comparison.ENDS_BEFORE: lambda start, _: f"r.last_updated < {start()}",
    Comparison.APPROXIMATELY: lambda start, end: (
        f"(r.last_updated >= {start()} and r.last_updated < {end()})"
    ),
}


def _subject(query: Query, statement: Statement) -> str | None:
    """Return the rid of the one patient that a query is limited to, as a subselect.

    Only where all that refers to the patient so is in its compartment, and so has dates under it.
    """
    compartment = _compartment_keys(query.resource_type)
    for part in query.where.parts:
        if (
            isinstance(part, RefersTo)
            and part.target == "Patient"
            and part.param.keyed_as in compartment
        ):
            patient = statement.argument(type_number("Patient"), "smallint")
            identity = statement.argument(part.id, "text")
            return (
                "array(select p.rid from resource p where p.tenant = $1"  # noqa: S608
                f" and p.type = {patient} and p.id = {identity})"
            )
    return None


@cache
def _compartment_keys(resource_type: str) -> frozenset[str]:
    known = parameters(resource_type)
    return frozenset(known[code].keyed_as for code in compartment_parameters(resource_type))


def _moment(micros: str) -> str:
    return f"(timestamptz 'epoch' + {micros} * interval '1 microsecond')"


def _micros(column: str) -> str:
    return f"(extract(epoch from {column}) * 1000000)::bigint"
