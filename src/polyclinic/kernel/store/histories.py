"""Pages of histories: the versions of a resource, of a type or of all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from polyclinic.base.db.connect import Record
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.store.bodies import Bodies, sealed_body
from polyclinic.kernel.store.checking import Checker, facts
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.page_links import seal, unseal
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.reach import Reach
from polyclinic.kernel.store.stored import Page, Stored
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import type_name

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FUTURE: Final = datetime(9999, 1, 1, tzinfo=UTC)
_LAST: Final = 2**62


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

    def page(self, tenant: Tenant, bound: bytes) -> Page:
        """Return the page, its link to the next one bound to whoever asks."""
        return Page(self.entries, seal(tenant, bound, self.last) if self.last else None, None)


def history_part(
    tenant: Tenant, principal: Principal, query: HistoryQuery
) -> tuple[bytes, HistoryPart]:
    """Return what the links of a history are bound to, and the part that is asked for.

    Raise ``BadRequest`` for a link of somebody else, or of another history.
    """
    shape = principal.account, query.resource_type, query.id
    bound = b"history page" + msgspec.msgpack.encode(shape)
    place = unseal(tenant, bound, query.after, HistoryPlace) if query.after else None
    return bound, HistoryPart(query.since, query.count, place)


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
