"""Search pages and histories."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, TypeVar

import msgspec

from polyclinic.base.crypto import CannotOpen
from polyclinic.base.db.connect import Record
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.predicate import Query
from polyclinic.kernel.store import select
from polyclinic.kernel.store.bodies import Bodies, sealed_body
from polyclinic.kernel.store.checking import Checker, facts
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.index import QueryKeys
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.reach import Reach
from polyclinic.kernel.store.stored import Page, Stored
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import type_name, type_number

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FUTURE: Final = datetime(9999, 1, 1, tzinfo=UTC)
_LAST: Final = 2**62


Sealed = TypeVar("Sealed", bound=msgspec.Struct)


class HistoryPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of a history ends."""

    at: int
    """Microseconds since 1970."""
    rid: int
    version: int


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which versions to read: of one resource, of a type, or of all types."""

    resource_type: str | None = None
    id: str | None = None
    since: datetime = EPOCH
    count: int = 20
    after: str | None = None


class HistoryPart(NamedTuple):
    """Which versions of a history a page holds."""

    since: datetime
    size: int
    after: HistoryPlace | None


class Versions(NamedTuple):
    """A page of a history."""

    entries: tuple[Stored, ...]
    last: HistoryPlace | None
    """Where it ends; None on the last."""
    patients: list[int]
    """Whose data is on it."""


class _SearchPlace(msgspec.Struct, frozen=True, array_like=True):
    phase: select.Phase
    value: str | int | float | None
    rid: int


def seal(tenant: Tenant, context: bytes, place: msgspec.Struct) -> str:
    """Write a place so that only the same principal and the same query can use it."""
    return urlsafe_b64encode(tenant.sealer.seal(msgspec.msgpack.encode(place), context)).decode()


def unseal(tenant: Tenant, context: bytes, text: str, kind: type[Sealed]) -> Sealed:
    """Read a place. Raise ``BadRequest`` when it belongs to another principal or query."""
    try:
        data = tenant.sealer.open(urlsafe_b64decode(text.encode()), context)
        return msgspec.msgpack.decode(data, type=kind)
    except (CannotOpen, ValueError, msgspec.MsgspecError):
        message = "This page link belongs to another search or another user; search again."
        raise BadRequest(message) from None


def context(principal: Principal, query: Query) -> bytes:
    """Return what a page link of a search is bound to."""
    shape = (principal.tenant, principal.account, query.resource_type, query.understood)
    return b"search page" + msgspec.msgpack.encode(shape)


class Searcher:
    """Run searches of one type."""

    def __init__(self, pool: Connections, bodies: Bodies) -> None:
        self._pool = pool
        self._bodies = bodies

    async def search(
        self, tenant: Tenant, principal: Principal, query: Query, reach: Reach
    ) -> tuple[Page, list[int]]:
        """Return one page, with the total when the query asks for it, and whose data is on it."""
        scope = select.Scope(tenant.number, type_number(query.resource_type), reach)
        keys = QueryKeys(tenant.index_key, query.resource_type)
        with translated():
            total = await self._total(query, scope, keys) if query.total else None
            if query.count == 0:
                return Page((), None, total), []
            bound = context(principal, query)
            after = None
            if query.after:
                found = unseal(tenant, bound, query.after, _SearchPlace)
                after = select.Place(found.phase, found.value, found.rid)
            rows, last = await self._rows(query, scope, keys, after)
        link = None if last is None else seal(tenant, bound, last)
        entries = await self._stored(scope, rows)
        patients = sorted({rid for row in rows for rid in row["patients"]})
        return Page(entries, link, total), patients

    async def _total(self, query: Query, scope: select.Scope, keys: QueryKeys) -> int:
        if not query.where.parts and scope.reach.whole:
            within = self._pool.within(scope.tenant)
            counted = await within.fetchval(STATEMENTS["type_count"], scope.tenant, scope.type)
            return int(counted)
        sql, arguments = select.total(query, scope, keys)
        within = self._pool.within(scope.tenant, scope.reach.audience())
        return int(await within.fetchval(sql, *arguments))

    async def _rows(
        self, query: Query, scope: select.Scope, keys: QueryKeys, after: select.Place | None
    ) -> tuple[Sequence[Record], _SearchPlace | None]:
        sql, arguments = select.page(query, scope, keys, after)
        within = self._pool.within(scope.tenant, scope.reach.audience())
        rows = list(await within.fetch(sql, *arguments))
        phase: select.Phase = after.phase if after else "valued"
        valued = len(rows)
        if phase == "valued" and query.sort[0].param is not None and valued <= query.count:
            sql, arguments = select.page(query, scope, keys, select.Place("rest", None, 0))
            rows += await within.fetch(sql, *arguments)
        if len(rows) <= query.count:
            return rows, None
        rows = rows[: query.count]
        ended: select.Phase = "rest" if phase == "rest" or len(rows) > valued else "valued"
        last = rows[-1]
        return rows, _SearchPlace(ended, last[0] if ended == "valued" else None, last[1])

    async def _stored(self, scope: select.Scope, rows: Sequence[Record]) -> tuple[Stored, ...]:
        sealed = [sealed_body(row, scope.type) for row in rows]
        bodies = await self._bodies.open(scope.tenant, sealed)
        resource_type = type_name(scope.type)
        return tuple(
            Stored.opened((resource_type, row["id"], row["version"]), row["last_updated"], body)
            for row, body in zip(rows, bodies, strict=True)
        )


class Historian:
    """Read histories, newest version first."""

    def __init__(self, pool: Connections, checker: Checker, bodies: Bodies) -> None:
        self._pool = pool
        self._checker = checker
        self._bodies = bodies

    async def instance(
        self, key: tuple[int, int, str], reach: Reach, part: HistoryPart
    ) -> Versions:
        """Return versions of one resource (tenant, type, id) and where the page ends.

        What is neither everything nor one patient's is left out afterwards, so that such a page
        may be shorter.
        """
        before = part.after.version if part.after else 2**31 - 1
        own = reach.own or (0, True)
        with translated():
            rows = await self._pool.within(key[0], reach.audience()).fetch(
                STATEMENTS["history_instance"],
                *(*key, part.since, before, part.size + 1, *own, reach.asks_keys),
            )
        if reach.whole or reach.own:
            return await self._versions(key[0], rows, part.size)
        patients = {rid for row in rows for rid in row["patients"]}
        cared = await self._checker.cared(key[0], reach, patients)
        return await self._versions(
            key[0], rows, part.size, lambda row: reach.allows(facts(row, cared))
        )

    async def types(self, tenant: int, types: list[int], part: HistoryPart) -> Versions:
        """Return versions of all resources of some types and where the page ends."""
        since, count, after = part
        at = EPOCH + timedelta(microseconds=after.at) if after else _FUTURE
        rid, version = (after.rid, after.version) if after else (_LAST, 0)
        with translated():
            rows = await self._pool.within(tenant).fetch(
                STATEMENTS["history_types"], tenant, types, since, at, rid, version, count + 1
            )
        return await self._versions(tenant, rows, count)

    async def _versions(
        self,
        tenant: int,
        rows: Sequence[Record],
        count: int,
        allowed: Callable[[Record], bool] | None = None,
    ) -> Versions:
        page = [row for row in rows[:count] if allowed is None or allowed(row)]
        bodies = await self._bodies.open(tenant, [sealed_body(row) for row in page])
        entries = tuple(
            Stored.opened(
                (type_name(row["type"]), row["id"], row["version"]),
                row["at"],
                body,
                deleted=row["deleted"],
            )
            for row, body in zip(page, bodies, strict=True)
        )
        patients = sorted({rid for row in page for rid in row["patients"]})
        if len(rows) <= count or not count:
            return Versions(entries, None, patients)
        last = rows[count - 1]
        micros = (last["at"] - EPOCH) // timedelta(microseconds=1)
        return Versions(entries, HistoryPlace(micros, last["rid"], last["version"]), patients)
