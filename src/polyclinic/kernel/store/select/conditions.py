"""The tree of a query as the condition of a statement."""

from collections.abc import Iterable

from polyclinic.kernel.search.predicate import AllOf, AnyOf, Has, Linked, Not, Predicate, Query
from polyclinic.kernel.store.select import leaves
from polyclinic.kernel.store.select.reached import reached
from polyclinic.kernel.store.select.statement import Scope, Statement


def where(query: Query, scope: Scope, statement: Statement) -> str:
    """Return what holds for every match of a query."""
    conditions = [
        f"k.tenant = {statement.argument(scope.tenant, 'int')}",
        f"k.type = {statement.argument(scope.type, 'smallint')}",
        "not r.deleted",
    ]
    if not scope.reach.whole:
        conditions.append(reached(scope.reach, statement))
    conditions.append(_all(query.where.parts, statement))
    return " and ".join(one for one in conditions if one)


def _all(parts: Iterable[Predicate], statement: Statement) -> str:
    """Put what is one key each into one array: the index intersects them."""
    hashed: list[int] = []
    conditions = []
    for part in parts:
        keys = statement.keys.of(part)
        if keys is not None and len(keys) == 1:
            hashed += keys
        else:
            conditions.append(_condition(part, statement))
    if hashed:
        conditions.append(f"k.keys @> {statement.argument(hashed, 'bigint[]')}")
    return " and ".join(conditions)


def _condition(part: Predicate, statement: Statement) -> str:
    match part:
        case AllOf(parts):
            return _bracketed(_all(parts, statement))
        case AnyOf(parts):
            return _any(parts, statement)
        case Not() | Linked() | Has():
            raise NotImplementedError(type(part).__name__)
        case _:
            return leaves.condition(part, statement)


def _any(parts: Iterable[Predicate], statement: Statement) -> str:
    """Put what is hashed into one array, so that an OR list stays one index condition."""
    hashed: list[int] = []
    conditions = []
    for part in parts:
        keys = statement.keys.of(part)
        if keys is None:
            conditions.append(_condition(part, statement))
        else:
            hashed += keys
    if hashed:
        conditions.insert(0, f"k.keys && {statement.argument(hashed, 'bigint[]')}")
    return f"({' or '.join(conditions)})" if conditions else "false"


def _bracketed(condition: str) -> str:
    return f"({condition})" if condition else "true"
