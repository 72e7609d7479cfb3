"""What conditions match: which resource is meant, named by what it is found by.

https://hl7.org/fhir/R4/http.html#ccreate, #cond-update, #transaction

A condition that decides about a write is searched before it, and again in the transaction of the
write, under a lock that everybody takes who writes by the same condition. The lock is a statement
of its own before the search: under READ COMMITTED each statement sees what was committed before it
began, so a search behind the lock sees what the last holder of the lock has written.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from polyclinic.base.db.connect import Connection, Record
from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.errors import FhirError
from polyclinic.kernel.search.predicate import Query
from polyclinic.kernel.store import select
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.index import QueryKeys
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.reach import Reach
from polyclinic.kernel.store.row import ragged
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import type_number

_MOST_LOCKS: Final = 64
"""Conditions of one transaction that are locked each by itself; PostgreSQL's table of locks is
shared by all sessions and small. With more, the types are locked as a whole."""
_encode = msgspec.msgpack.Encoder().encode


class Match(NamedTuple):
    """A resource that a condition matches."""

    rid: int
    id: str
    version: int
    patients: tuple[int, ...]


Matches = tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, and what is to be done with what it matches."""

    query: Query
    action: Action | None
    """What the match decides about; None for a reference, which decides about nothing."""
    most: int = 2
    """Matches that are looked for."""


class Bounded(NamedTuple):
    """A condition within what a principal may see."""

    condition: Condition
    reaches: Mapping[str, Reach]
    """Of each type that the condition names or walks through."""


class Moved(FhirError):
    """Others keep changing what the condition matches; repeat the request."""

    status = 409
    code = "conflict"


class Fetching(Protocol):
    """What runs a statement in the context of a tenant."""

    async def fetch(self, sql: str, *arguments: Any) -> Sequence[Record]:
        """Return the rows of a statement."""


class Lock(NamedTuple):
    """An advisory lock of the database, until the transaction ends."""

    key: int
    is_shared: bool = False


class Guard(NamedTuple):
    """Conditions, and what they matched when the write was made ready."""

    bounded: Sequence[Bounded]
    found: Sequence[Matches]


class Conditions:
    """Search for what conditions match."""

    def __init__(self, hot: Connections, searches: Connections) -> None:
        self._hot = hot
        self._searches = searches

    async def find(self, tenant: Tenant, bounded: Sequence[Bounded]) -> list[Matches]:
        """Return what each condition matches: as many as it asks for at most."""
        with translated():
            return await _found(
                tenant,
                bounded,
                self._hot.within(tenant.number),
                lambda audience: self._searches.within(tenant.number, audience),
            )

    async def hold(
        self, connection: Connection, tenant: Tenant, guard: Guard, locks: Sequence[Lock]
    ) -> None:
        """Lock conditions and search them again. Raise ``Moved`` when they match something else."""
        await connection.execute(
            STATEMENTS["condition_locks"],
            [lock.key for lock in locks],
            [lock.is_shared for lock in locks],
        )
        if any(_hashed(tenant, one) is None for one in guard.bounded):
            await connection.execute(STATEMENTS["condition_plans"])
        found = await self.on(connection, tenant, guard.bounded)
        if [_ids(matches) for matches in found] != [_ids(matches) for matches in guard.found]:
            raise Moved

    @staticmethod
    async def on(
        connection: Connection, tenant: Tenant, bounded: Sequence[Bounded]
    ) -> list[Matches]:
        """Return what conditions match, as a transaction sees it."""
        return await _found(tenant, bounded, connection, lambda _: connection)


def locks(tenant: Tenant, conditions: Collection[Condition]) -> list[Lock]:
    """Return the locks of a write, in the order in which everybody takes them.

    Each condition has one, and its type has one that is shared; a transaction with very many
    conditions takes those of the types for itself alone.
    """
    types = {one.query.resource_type for one in conditions}
    if len(conditions) > _MOST_LOCKS:
        return sorted(Lock(_key(tenant, name, ())) for name in types)
    found = {Lock(_key(tenant, name, ()), is_shared=True) for name in types}
    found |= {Lock(condition_key(tenant, one.query)) for one in conditions}
    return sorted(found)


def condition_key(tenant: Tenant, query: Query) -> int:
    """Return the key of a condition: the same for the same parameters in any order."""
    return _key(tenant, query.resource_type, sorted(set(query.understood)))


def _key(tenant: Tenant, resource_type: str, given: Sequence[tuple[str, str]]) -> int:
    text = _encode((resource_type, given))
    hashed = blake2b(text, digest_size=8, key=tenant.index_key, person=b"condition")
    return int.from_bytes(hashed.digest(), "big", signed=True)


def _ids(matches: Matches) -> list[str]:
    return sorted(match.id for match in matches)


async def _found(
    tenant: Tenant, bounded: Sequence[Bounded], hot: Fetching, other: Any
) -> list[Matches]:
    """Search what is hashed in one statement, and the rest one by one."""
    hashed = [_hashed(tenant, one) for one in bounded]
    found: list[Matches] = [()] * len(bounded)
    together = [at for at, keys in enumerate(hashed) if keys is not None]
    if together:
        rows = await hot.fetch(
            STATEMENTS["conditions"],
            tenant.number,
            [type_number(bounded[at].condition.query.resource_type) for at in together],
            [bounded[at].condition.most for at in together],
            *ragged([hashed[at] or () for at in together]),
        )
        for ordinal, *match in rows:
            found[together[ordinal - 1]] += (_match(*match),)
    for at, keys in enumerate(hashed):
        if keys is None:
            found[at] = await _searched(tenant, bounded[at], other)
    return found


async def _searched(tenant: Tenant, bounded: Bounded, other: Any) -> Matches:
    condition, reaches = bounded
    query = replace(condition.query, count=condition.most - 1)
    scope = select.Scope(tenant.number, reaches)
    keys = QueryKeys(tenant.index_key, query.resource_type)
    sql, arguments = select.page(select.Asked(query, scope, keys))
    rows = await other(scope.audience()).fetch(sql, *arguments)
    # The last row tells of the snapshot.
    return tuple(
        _match(row["rid"], row["id"], row["version"], row["patients"])
        for row in rows
        if row["rid"] is not None
    )


def _match(rid: int, identity: str, version: int, patients: Sequence[int]) -> Match:
    return Match(rid, identity, version, tuple(patients))


def _hashed(tenant: Tenant, bounded: Bounded) -> list[int] | None:
    """Return the keys that a condition asks for, None where it asks for more than keys."""
    query = bounded.condition.query
    if not bounded.reaches[query.resource_type].whole:
        return None
    keys = QueryKeys(tenant.index_key, query.resource_type)
    found: list[int] = []
    for part in query.where.parts:
        any_of = keys.of(part)
        if any_of is None or len(any_of) != 1:
            return None
        found += any_of
    return found or None
