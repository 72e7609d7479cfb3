"""The order of a page: which values it is sorted by, and what follows a place in it.

What lacks a value comes last in either direction; ties go by rid, in the direction of the first
key.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from polyclinic.kernel.search.parameters import compartment_parameters, parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    InCompartment,
    Predicate,
    Query,
    RefersTo,
    Sort,
)
from polyclinic.kernel.search.sorting import SortValue
from polyclinic.kernel.store.row import REPEATED
from polyclinic.kernel.store.select.statement import Place, Statement, micros, moment
from polyclinic.kernel.types import type_number


class _Table(NamedTuple):
    name: str
    column: str
    cast: str


_TABLES: Final = {
    "date": _Table("date_value", "low", "bigint"),
    "string": _Table("string_value", "value", "text"),
    "number": _Table("number_value", "low", "float8"),
    "quantity": _Table("number_value", "low", "float8"),
}


class Key(NamedTuple):
    """One key of an order, as SQL."""

    value: str
    """The expression of what it compares."""
    shown: str
    """The expression of what a place keeps of it."""
    cast: str
    descending: bool
    missing: bool
    """It may have no value."""

    @property
    def beyond(self) -> str:
        """Return how what follows compares."""
        return "<" if self.descending else ">"

    def by(self) -> str:
        """Return it as a part of an order by."""
        way = "desc" if self.descending else "asc"
        return f"{self.value} {way}{' nulls last' if self.missing else ''}"

    def at(self, value: SortValue, statement: Statement) -> str:
        """Return a value of a place as an argument."""
        if self.value == "r.last_updated":
            return moment(statement.argument(value, "bigint"))
        return statement.argument(value, self.cast)


class Order(NamedTuple):
    """An order as the parts of a statement."""

    joins: str
    condition: str
    keys: tuple[Key, ...]
    descending: bool
    """Of the rids."""
    rid: str = "r.rid"
    """The rid, of the table whose index is walked."""

    @property
    def shown(self) -> str:
        """Return the columns that a place is made of, each with a comma behind it."""
        return "".join(f"{key.shown} as o{at}, " for at, key in enumerate(self.keys))

    def by(self) -> str:
        """Return the order by."""
        rid = f"{self.rid} {'desc' if self.descending else 'asc'}"
        return ", ".join([*(key.by() for key in self.keys if key.value != "null"), rid])


BY_RID: Final = Order("", "", (), descending=True)
"""Where no order was asked for: what was stored last comes first."""


def has_rest(query: Query) -> bool:
    """Say whether resources without the first value are read by a second statement."""
    first = query.sort[0].param
    return first is not None and first.type in _TABLES


def in_memory(query: Query) -> bool:
    """Say whether the database cannot sort: it has only hashes of what a key compares."""
    return any(
        sort.param is not None and sort.param.type not in _TABLES and sort.param.code != "_id"
        for sort in query.sort
    )


def valued(query: Query, statement: Statement) -> Order:
    """Return the order of what has the first value."""
    first, descending = query.sort[0], query.sort[0].descending
    if not has_rest(query):
        keys, joins = _further(query.sort, statement)
        return Order(joins, "", keys, descending)
    assert first.param is not None
    table = _TABLES[first.param.type]
    extreme = 2 if descending else 1
    condition = f" and s.tenant = $1 and {statement.of_param('s', first.param)}"
    if table.name == "date_value" and (patient := subject(query, statement)):
        condition += f" and s.subject = any({patient})"
        extreme |= extreme << REPEATED
    condition += f" and s.extreme & {extreme} <> 0"
    keys, joins = _further(query.sort[1:], statement)
    value = f"s.{table.column}"
    key = Key(value, value, table.cast, descending, missing=False)
    joins = f" join {table.name} s on s.rid = k.rid{joins}"
    return Order(joins, condition, (key, *keys), descending, "s.rid")


def rest(query: Query, statement: Statement) -> Order:
    """Return the order of what lacks the first value."""
    first = query.sort[0].param
    assert first is not None
    condition = (
        f" and not exists (select from {_TABLES[first.type].name} s where s.rid = k.rid"
        f" and {statement.of_param('s', first)})"
    )
    keys, joins = _further(query.sort[1:], statement)
    none = Key("null", "null", "text", query.sort[0].descending, missing=True)
    return Order(joins, condition, (none, *keys), query.sort[0].descending)


def gathered(query: Query, statement: Statement) -> Order:
    """Return the order of matches that were all gathered, with a first value or without."""
    keys, joins = _further(query.sort, statement)
    return Order(joins, "", keys, query.sort[0].descending)


def _further(sorts: Sequence[Sort], statement: Statement) -> tuple[tuple[Key, ...], str]:
    """Return keys whose values are looked up for each match, and the joins that do it."""
    keys: list[Key] = []
    joins = ""
    for at, sort in enumerate(sorts):
        way = sort.descending
        if sort.param is None:
            shown = micros("r.last_updated")
            keys.append(Key("r.last_updated", shown, "bigint", way, missing=False))
        elif sort.param.code == "_id":
            keys.append(Key("r.id", "r.id", "text", way, missing=False))
        else:
            table = _TABLES[sort.param.type]
            joins += (
                f" left join lateral (select v.{table.column} as value from {table.name} v"  # noqa: S608
                f" where v.rid = k.rid and {statement.of_param('v', sort.param)}"
                f" and v.extreme & {2 if way else 1} <> 0 limit 1) s{at} on true"
            )
            value = f"s{at}.value"
            keys.append(Key(value, value, table.cast, way, missing=True))
    return tuple(keys), joins


def following(order: Order, after: Place, statement: Statement) -> str:
    """Return what holds for what stands behind a place."""
    rid = statement.argument(after.rid, "bigint")
    keys = [
        (key, value)
        for key, value in zip(order.keys, after.values, strict=True)
        if key.value != "null"
    ]
    beyond = "<" if order.descending else ">"
    if len(keys) == 1 and not keys[0][0].missing and keys[0][0].descending == order.descending:
        ((key, value),) = keys
        return f" and ({key.value}, {order.rid}) {beyond} ({key.at(value, statement)}, {rid})"
    condition = f"{order.rid} {beyond} {rid}"
    for key, value in reversed(keys):
        condition = _behind(key, value, condition, statement)
    return f" and {condition}"


def _behind(key: Key, value: SortValue, then: str, statement: Statement) -> str:
    if value is None:
        return f"({key.value} is null and {then})"
    at = key.at(value, statement)
    missing = f" or {key.value} is null" if key.missing else ""
    return f"({key.value} {key.beyond} {at}{missing} or ({key.value} = {at} and {then}))"


def subject(query: Query, statement: Statement) -> str | None:
    """Return the rid of the one patient that a query is limited to, as a subselect.

    Only where all that refers to the patient so is in its compartment, and so has dates under it.
    """
    if len(query.types) != 1:
        return None
    for part in _required(query.where):
        patient = _patient(part, query.resource_type)
        if patient:
            number = statement.argument(type_number("Patient"), "smallint")
            identity = statement.argument(patient, "text")
            return (
                "array(select p.rid from resource p where p.tenant = $1"  # noqa: S608
                f" and p.type = {number} and p.id = {identity})"
            )
    return None


def _required(part: Predicate) -> Sequence[Predicate]:
    if isinstance(part, AllOf):
        return [found for one in part.parts for found in _required(one)]
    return [part]


def _patient(part: Predicate, resource_type: str) -> str | None:
    match part:
        case RefersTo(param, "Patient", identity):
            return identity if param.keyed_as in _compartment_keys(resource_type) else None
        case InCompartment("Patient", identity):
            return identity
        case _:
            return None


@cache
def _compartment_keys(resource_type: str) -> frozenset[str]:
    known = parameters(resource_type)
    return frozenset(known[code].keyed_as for code in compartment_parameters(resource_type))
