"""AuditEvents: the audit table as FHIR reads and searches it.

One row is one event for each of its patients, or one without a patient, as the Basic Audit Log
Patterns of IHE ask; the id says which. https://hl7.org/fhir/R4/auditevent.html
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from polyclinic.base.db.connect import Record
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.search.predicate import Query
from polyclinic.kernel.store import audit_select
from polyclinic.kernel.store.audit import open_detail
from polyclinic.kernel.store.audit_rendering import Event, rendered
from polyclinic.kernel.store.audit_select import EventPlace, event_id, micros, moment, place_of
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.page_links import context, seal, unseal
from polyclinic.kernel.store.placement import Place
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.stored import Page, Stored
from polyclinic.kernel.store.tenancy import Tenant

AUDIT_EVENT: Final = "AuditEvent"


class Found(NamedTuple):
    """An AuditEvent, and whose data the event was about."""

    stored: Stored
    patients: list[int]


class _PageEnd(msgspec.Struct, frozen=True, array_like=True):
    at: int
    worker: int
    counter: int
    n: int


class AuditEvents:
    """Read and search the audit record of tenants."""

    def __init__(self, pool: Connections) -> None:
        self._pool = pool

    async def read(self, tenant: Tenant, identity: str) -> Found | None:
        """Return one AuditEvent, or None."""
        place = place_of(identity)
        if place is None:
            return None
        sql, arguments = audit_select.one(place, tenant.number)
        with translated():
            row = await self._pool.within(tenant.number).fetchrow(sql, *arguments)
        if row is None:
            return None
        event = Event(*row)
        return Found(_rendered(tenant, event), _patients([event]))

    async def search(
        self, tenant: Tenant, principal: Principal, query: Query
    ) -> tuple[Page, list[int]]:
        """Return one page, with the total when the query asks for it, and whose data is on it.

        Raise ``BadRequest`` for what AuditEvents are not searched by.
        """
        with translated():
            rids = await self._rids(tenant, list(audit_select.named(query.where)))
            total = None
            if query.total:
                sql, arguments = audit_select.total(query, tenant.number, rids)
                total = int(await self._pool.within(tenant.number).fetchval(sql, *arguments))
            if query.count == 0:
                return Page((), None, total), []
            bound = context(principal, query)
            sql, arguments = audit_select.page(
                query, tenant.number, rids, _after(tenant, bound, query.after)
            )
            rows = await self._pool.within(tenant.number).fetch(sql, *arguments)
        events = [Event(*row) for row in rows[: query.count]]
        link = None
        if len(rows) > query.count:
            last = events[-1]
            end = _PageEnd(micros(last.at), last.worker, last.counter, last.n)
            link = seal(tenant, bound, end)
        entries = tuple(_rendered(tenant, event) for event in events)
        return Page(entries, link, total), _patients(events)

    async def _rids(self, tenant: Tenant, places: list[Place]) -> dict[Place, int]:
        if not places:
            return {}
        rows: Sequence[Record] = await self._pool.within(tenant.number).fetch(
            STATEMENTS["handles"],
            tenant.number,
            [place[0] for place in places],
            [place[1] for place in places],
        )
        return {places[ordinal - 1]: rid for ordinal, rid, *_ in rows}


def _after(tenant: Tenant, bound: bytes, text: str | None) -> EventPlace | None:
    if text is None:
        return None
    end = unseal(tenant, bound, text, _PageEnd)
    return EventPlace(moment(end.at), end.worker, end.counter, end.n)


def _rendered(tenant: Tenant, event: Event) -> Stored:
    identity = event_id(EventPlace(event.at, event.worker, event.counter, event.n))
    return rendered(event, identity, tenant.name, lambda sealed: open_detail(tenant, sealed))


def _patients(events: Sequence[Event]) -> list[int]:
    return sorted({event.patient for event in events if event.patient is not None})
