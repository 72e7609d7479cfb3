"""A search of AuditEvents as SQL on the audit table; every value is an argument.

Each row stands for one event, or for one of each of its patients, as ``p`` counts them. The
conditions on patient, account and time are written so that their indexes can be used.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, NoReturn

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Comparison,
    Contains,
    DateIs,
    Has,
    IdIs,
    InCompartment,
    InList,
    Leaf,
    Linked,
    Not,
    Predicate,
    Query,
    RefersTo,
    TokenIs,
)
from polyclinic.kernel.store.placement import Place
from polyclinic.kernel.types import type_number

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LATEST: Final = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_MOST_DIGITS: Final = 18
_SYSTEMS: Final = {
    "action": {"http://hl7.org/fhir/audit-event-action"},
    "outcome": {
        "http://hl7.org/fhir/audit-event-outcome",
        "http://terminology.hl7.org/CodeSystem/audit-event-outcome",
    },
}
_COLUMNS: Final = """
  a.at, a.worker, a.counter, coalesce(p.n, 0)::int as n, p.rid as patient, a.account, a.action,
  a.outcome, a.type, a.rid, a.version, a.detail, a.request, a.interaction
"""
_FROM: Final = """
  from audit a left join lateral unnest(a.patients) with ordinality as p(rid, n) on true
"""
_NAMED: Final = "select e.*, r.type, r.id, s.id from"
_NAMES: Final = """
  e left join resource r on r.rid = e.rid and e.rid <> 0 left join resource s on s.rid = e.patient
"""
_PLACE: Final = "(a.at, a.worker, a.counter, coalesce(p.n, 0))"


class EventPlace(NamedTuple):
    """What an AuditEvent's id names."""

    at: datetime
    worker: int
    counter: int
    n: int


def event_id(place: EventPlace) -> str:
    """Return the id of an AuditEvent."""
    return f"{micros(place.at):x}-{place.worker:x}-{place.counter:x}-{place.n:x}"


def place_of(identity: str) -> EventPlace | None:
    """Return what an id names, or None when it was never given."""
    try:
        at, worker, counter, n = (int(part, 16) for part in identity.split("-"))
        place = EventPlace(moment(at), worker, counter, n)
    except (ValueError, OverflowError):
        return None
    return place if event_id(place) == identity and max(place[1:]) < 2**63 else None


def micros(at: datetime) -> int:
    """Return the microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """Return the moment some microseconds after 1970, within the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=min(max(at, _EARLIEST), _LATEST))


@dataclass(slots=True)
class EventSelect:
    """SQL and its arguments while they are gathered."""

    tenant: int
    rids: Mapping[Place, int]
    """Where the resources are that the query names."""
    arguments: list[object] = field(default_factory=list)

    def argument(self, value: object, cast: str) -> str:
        """Add an argument and return how the SQL names it."""
        self.arguments.append(value)
        return f"${len(self.arguments)}::{cast}"


def page(
    query: Query, tenant: int, rids: Mapping[Place, int], after: EventPlace | None
) -> tuple[str, list[object]]:
    """Return the statement of one page, one row longer than the page.

    Raise ``BadRequest`` for what AuditEvents are not searched by.
    """
    select = EventSelect(tenant, rids)
    where = _where(query, select)
    descending = _is_descending(query)
    if after is not None:
        at = select.argument(after.at, "timestamptz")
        rest = ", ".join(select.argument(value, "bigint") for value in after[1:])
        sign = "<" if descending else ">"
        where += f" and a.at {sign}= {at} and {_PLACE} {sign} ({at}, {rest})"
    way = "desc" if descending else "asc"
    order = f"a.at {way}, a.worker {way}, a.counter {way}, coalesce(p.n, 0) {way}"
    limit = select.argument(query.count + 1, "int")
    inner = f"select {_COLUMNS} {_FROM} where {where} order by {order} limit {limit}"
    return _named(inner, way), select.arguments


def total(query: Query, tenant: int, rids: Mapping[Place, int]) -> tuple[str, list[object]]:
    """Return the statement that counts what matches. Raise as ``page`` does."""
    select = EventSelect(tenant, rids)
    where = _where(query, select)
    return f"select count(*) {_FROM} where {where}", select.arguments


def one(place: EventPlace, tenant: int) -> tuple[str, list[object]]:
    """Return the statement of a single event."""
    select = EventSelect(tenant, {})
    where = f"a.tenant = {select.argument(tenant, 'int')} and {_at(place, select)}"
    return _named(f"select {_COLUMNS} {_FROM} where {where} limit 1", "asc"), select.arguments


def named(predicate: Predicate) -> Iterator[Place]:
    """Yield the resources that a query names: they have to be looked up first."""
    match predicate:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from named(part)
        case Not(part):
            yield from named(part)
        case InCompartment("Patient", identity):
            yield type_number("Patient"), identity
        case RefersTo(param, target, identity) if param.code in ("patient", "entity"):
            yield type_number(target), identity
        case _:
            return


def _named(inner: str, way: str) -> str:
    """Add what the rids stand for."""
    order = f"e.at {way}, e.worker {way}, e.counter {way}, e.n {way}"
    return f"{_NAMED} ({inner}) {_NAMES} order by {order}"


def _is_descending(query: Query) -> bool:
    """Return the direction of the only order that there is: of time."""
    codes = {None if sort.param is None else sort.param.code for sort in query.sort}
    # What was recorded at the same moment has an order of its own behind it.
    if not codes <= {None, "date"}:
        message = "AuditEvents are sorted by date, -date, _lastUpdated or -_lastUpdated."
        raise BadRequest(message)
    return query.sort[0].descending


def _where(query: Query, select: EventSelect) -> str:
    parts = [_condition(part, select) for part in query.where.parts]
    if query.as_of is not None:
        parts.append(f"a.at <= {select.argument(query.as_of, 'timestamptz')}")
    return " and ".join([f"a.tenant = {select.argument(select.tenant, 'int')}", *parts])


def _condition(predicate: Predicate, select: EventSelect) -> str:
    match predicate:
        case AllOf(parts):
            return f"({' and '.join(_condition(part, select) for part in parts) or 'true'})"
        case AnyOf(parts):
            return f"({' or '.join(_condition(part, select) for part in parts) or 'false'})"
        case Not(part):
            # An event without a patient or an outcome has none that is asked for.
            return f"({_condition(part, select)}) is not true"
        case Linked() | Has():
            return _refuse("a chain or _has")
        case InCompartment("Patient", identity):
            rid = select.rids.get((type_number("Patient"), identity))
            return "false" if rid is None else _patient(rid, select)
        case _:
            return _leaf(predicate, select)


def _leaf(predicate: Leaf, select: EventSelect) -> str:
    match predicate:
        case IdIs(ids):
            places = [place for identity in ids if (place := place_of(identity))]
            return f"({' or '.join(_at(place, select) for place in places) or 'false'})"
        case DateIs(param) if param is None or param.code == "date":
            return _date(predicate, select)
        case TokenIs(param) if param.code in _SYSTEMS:
            return _token(predicate, select)
        case RefersTo(param):
            return _reference(predicate, select)
        case InList() | InCompartment() | Contains():
            return _refuse("a list, a compartment or what is contained")
        case _:
            param = predicate.param
            return _refuse(param.code if param else "_lastUpdated")


def _at(place: EventPlace, select: EventSelect) -> str:
    at = select.argument(place.at, "timestamptz")
    rest = ", ".join(select.argument(value, "bigint") for value in place[1:])
    return f"(a.at = {at} and (a.worker, a.counter, coalesce(p.n, 0)) = ({rest}))"


def _token(leaf: TokenIs, select: EventSelect) -> str:
    if leaf.code is None:
        return _refuse(f"{leaf.param.code} without a code")
    if leaf.system is not None and leaf.system not in _SYSTEMS[leaf.param.code]:
        return "false"
    if leaf.param.code == "action":
        known = leaf.code in ("C", "R", "U", "D", "E")
        return f'a.action = {select.argument(leaf.code, "text")}::"char"' if known else "false"
    known = leaf.code in ("0", "4", "8", "12")
    return f"a.outcome = {select.argument(int(leaf.code), 'smallint')}" if known else "false"


def _reference(leaf: RefersTo, select: EventSelect) -> str:
    match leaf.param.code:
        case "agent":
            # Accounts are no resources: their number is what an id stands for here.
            if not (leaf.id.isascii() and leaf.id.isdigit() and len(leaf.id) <= _MOST_DIGITS):
                return "false"
            return f"a.account = {select.argument(int(leaf.id), 'bigint')}"
        case "patient":
            rid = select.rids.get((type_number(leaf.target), leaf.id))
            return "false" if rid is None else _patient(rid, select)
        case "entity":
            rid = select.rids.get((type_number(leaf.target), leaf.id))
            if rid is None:
                return "false"
            itself = f"a.rid = {select.argument(rid, 'bigint')}"
            return f"({itself} or {_patient(rid, select)})" if leaf.target == "Patient" else itself
        case code:
            return _refuse(code)


def _patient(rid: int, select: EventSelect) -> str:
    """Return the condition in the words of the index on patients, and which of a row it is."""
    patients = select.argument([rid], "bigint[]")
    found = f"a.patients <> '{{}}' and a.patients @> {patients}"
    return f"({found} and p.rid = {select.argument(rid, 'bigint')})"


def _date(leaf: DateIs, select: EventSelect) -> str:
    """Compare the moment, a point, with the asked range."""

    def low() -> str:
        return select.argument(moment(leaf.low), "timestamptz")

    def high() -> str:
        return select.argument(moment(leaf.high), "timestamptz")

    return _DATES[leaf.comparison](low, high)


_Argument = Callable[[], str]


def _during(low: _Argument, high: _Argument) -> str:
    return f"(a.at >= {low()} and a.at < {high()})"


_DATES: Final[dict[Comparison, Callable[[_Argument, _Argument], str]]] = {
    Comparison.EQUAL: _during,
    Comparison.APPROXIMATELY: _during,
    Comparison.INCLUDES: lambda low, high: (
        f"(a.at <= {low()} and a.at + interval '1 microsecond' >= {high()})"
    ),
    Comparison.NOT_EQUAL: lambda low, high: f"(a.at < {low()} or a.at >= {high()})",
    Comparison.GREATER: lambda _, high: f"a.at >= {high()}",
    Comparison.STARTS_AFTER: lambda _, high: f"a.at >= {high()}",
    Comparison.LESS: lambda low, _: f"a.at < {low()}",
    Comparison.ENDS_BEFORE: lambda low, _: f"a.at < {low()}",
    Comparison.GREATER_OR_EQUAL: lambda low, _: f"a.at >= {low()}",
    Comparison.LESS_OR_EQUAL: lambda _, high: f"a.at < {high()}",
}


def _refuse(what: str) -> NoReturn:
    message = (
        f"AuditEvents are not searched by {what[:64]} here; take patient, agent, entity, date, "
        "action, outcome, _id or _lastUpdated."
    )
    raise BadRequest(message)
