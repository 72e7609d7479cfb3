"""The store: every call takes a principal, and one place decides what it may do."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from polyclinic.base.clock import Clock
from polyclinic.base.crypto import Sealer
from polyclinic.base.ids import Ids
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.decide import Action, decide, readable_types
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import FhirError, Forbidden, Gone, NotFound
from polyclinic.kernel.search.predicate import Query
from polyclinic.kernel.store.audit import Auditor, Counter, Note, make_audit_months
from polyclinic.kernel.store.codec import unpack
from polyclinic.kernel.store.connections import Connections, open_hot, open_searches
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.placement import Placement
from polyclinic.kernel.store.progress import Progress
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.reading import Asked, Reader
from polyclinic.kernel.store.searching import EPOCH, Historian, HistoryPlace, Searcher, seal, unseal
from polyclinic.kernel.store.stored import Page, Stored, Written
from polyclinic.kernel.store.tenancy import Tenant, open_tenant
from polyclinic.kernel.store.writing import Change, Unchanged, Writer
from polyclinic.kernel.types import Resource, type_number

_OUTCOMES: Final = {403: 8, 404: 4, 410: 4}


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which versions to read: of one resource, of a type, or of all types."""

    resource_type: str | None = None
    id: str | None = None
    since: datetime = EPOCH
    count: int = 20
    after: str | None = None


@asynccontextmanager
async def open_store(
    url: str, settings: Settings, *, clock: Clock, ids: Ids
) -> AsyncIterator["Store"]:
    """Open the store's connections, and close them afterwards.

    The audit table has its partitions of this month and the next two from then on.
    """
    hot = await open_hot(url, settings)
    searches = await open_searches(url, settings)
    try:
        await make_audit_months(hot, clock)
        worker = await hot.fetchval(STATEMENTS["worker_number"])
        yield Store(hot, searches, worker, clock, ids)
    finally:
        await hot.close()
        await searches.close()


class Store:
    """Resources of all tenants, on PostgreSQL."""

    def __init__(
        self, hot: Connections, searches: Connections, worker: int, clock: Clock, ids: Ids
    ) -> None:
        self._hot = hot
        self._clock = clock
        self._ids = ids
        counter = Counter(worker)
        self._auditor = Auditor(hot, counter, clock)
        self._placement = Placement(hot)
        self._reader = Reader(hot, self._placement, counter, clock)
        self._writer = Writer(hot, self._placement, counter, clock)
        self._searcher = Searcher(searches)
        self._historian = Historian(searches)
        self._tenants: dict[int, Tenant] = {}

    async def open_tenant(self, name: str, kek: Sealer) -> Tenant:
        """Make a tenant's data reachable for its principals; a missing tenant is made.

        Raise ``KeyLost`` when the key file is not the one that its keys were wrapped under.
        """
        async with self._hot.acquire() as connection:
            tenant = await open_tenant(connection, name, kek, self._clock)
        self._tenants[tenant.number] = tenant
        return tenant

    def new_id(self) -> str:
        """Return an id for a resource that is about to be created."""
        return self._ids.new()

    def progress(self, principal: Principal) -> Progress:
        """Return the memory of how far files were loaded."""
        return Progress(self._hot, principal.tenant)

    async def is_empty(self, principal: Principal) -> bool:
        """Say whether the tenant has never stored anything."""
        with translated():
            return not await self._hot.fetchval(STATEMENTS["tenant_used"], principal.tenant)

    async def read(self, principal: Principal, resource_type: str, resource_id: str) -> Stored:
        """Return the current version of a resource.

        Raise ``NotFound``, also for what the principal may not see, ``Gone`` or ``Forbidden``.
        """
        own = await self._allowed(principal, Action.READ, resource_type)
        asked = Asked(
            principal.tenant, type_number(resource_type), resource_id, own, principal.account
        )
        return await self._reader.read(asked)

    async def vread(
        self, principal: Principal, resource_type: str, resource_id: str, version: int
    ) -> Stored:
        """Return one version of a resource. Raise as ``read`` does."""
        own = await self._allowed(principal, Action.READ, resource_type)
        place = type_number(resource_type), resource_id
        with translated():
            row = await self._hot.fetchrow(
                STATEMENTS["vread"], principal.tenant, *place, min(version, 2**31 - 1)
            )
        seen = row is not None and _visible(row["patients"], own)
        await self._note(
            principal,
            Action.READ,
            place[0],
            outcome=0 if seen else 4,
            about=(row["patients"] if row else (), None),
        )
        if row is None or not seen:
            raise NotFound
        if row["deleted"]:
            raise Gone
        return Stored(
            resource_type,
            resource_id,
            version,
            row["last_updated"],
            deleted=False,
            body=unpack(row["dict_id"], row["body"]),
        )

    async def create(self, principal: Principal, resource: Resource) -> Written:
        """Store a new resource under the id it carries, which ``new_id`` has just made."""
        await self._allowed(principal, Action.CREATE, resource.type)
        change = Change(resource.type, resource.id, resource, must_be_new=True)
        return await self._writer.write(self._tenant(principal), principal.account, change)

    async def update(
        self, principal: Principal, resource: Resource, if_match: int | None = None
    ) -> Written:
        """Store a new version of a resource, or its first one.

        Content that is the same makes no version. Raise ``VersionConflict``.
        """
        await self._allowed(principal, Action.UPDATE, resource.type)
        change = Change(resource.type, resource.id, resource, if_match)
        try:
            return await self._writer.write(self._tenant(principal), principal.account, change)
        except Unchanged:
            return Written(await self.read(principal, resource.type, resource.id), created=False)

    async def delete(
        self,
        principal: Principal,
        resource_type: str,
        resource_id: str,
        if_match: int | None = None,
    ) -> Stored:
        """Delete a resource; its versions stay readable. Raise ``NotFound`` or ``Gone``."""
        await self._allowed(principal, Action.DELETE, resource_type)
        change = Change(resource_type, resource_id, None, if_match)
        written = await self._writer.write(self._tenant(principal), principal.account, change)
        return written.stored

    async def write_all(
        self, principal: Principal, changes: Sequence[Change]
    ) -> list[Written | None]:
        """Write all changes in one transaction, or none; None stands for an unchanged one."""
        for resource_type in {change.type for change in changes}:
            await self._allowed(principal, Action.UPDATE, resource_type)
        return await self._writer.write_all(self._tenant(principal), principal.account, changes)

    async def search(self, principal: Principal, query: Query) -> Page:
        """Return one page of what matches and the principal may see."""
        own = await self._allowed(principal, Action.SEARCH, query.resource_type)
        tenant = self._tenant(principal)
        page, patients = await self._searcher.search(tenant, principal, query, own)
        detail = tenant.sealer.seal(msgspec.msgpack.encode(query.understood), b"audit detail")
        await self._note(
            principal,
            Action.SEARCH,
            type_number(query.resource_type),
            about=(patients, detail),
        )
        return page

    async def history(self, principal: Principal, query: HistoryQuery) -> Page:
        """Return one page of versions, newest first."""
        tenant = self._tenant(principal)
        bound = b"history page" + msgspec.msgpack.encode(
            (principal.account, query.resource_type, query.id)
        )
        place = None
        if query.after:
            place = unseal(tenant, bound, query.after, HistoryPlace)
        if query.resource_type and query.id:
            await self.read_or_gone(principal, query.resource_type, query.id)
            at = type_number(query.resource_type), query.id
            entries, last = await self._historian.instance(
                tenant.number, at, query.since, query.count, place
            )
        else:
            types = await self._history_types(principal, query.resource_type)
            entries, last = await self._historian.types(
                tenant.number, types, query.since, query.count, place
            )
            await self._note(principal, Action.SEARCH, 0)
        return Page(tuple(entries), seal(tenant, bound, last) if last else None, None)

    async def read_or_gone(
        self, principal: Principal, resource_type: str, resource_id: str
    ) -> None:
        """Check that a resource is or was there for the principal, with its audit row."""
        try:
            await self.read(principal, resource_type, resource_id)
        except Gone:
            return

    async def note_denial(self, principal: Principal, action: Action, error: FhirError) -> None:
        """Write the audit row of what was refused before any resource was touched."""
        await self._note(principal, action, 0, outcome=_OUTCOMES.get(error.http_status, 4))

    @asynccontextmanager
    async def bulk(self, principal: Principal) -> AsyncIterator[None]:
        """Make writes cheaper and searches dearer for the length of the block.

        A process that dies in it leaves the switch on; ``upkeep`` switches it off.
        """
        await self._allowed(principal, Action.UPDATE, "Patient")
        await self._switch_bulk(bulk=True)
        try:
            yield
        finally:
            await self._switch_bulk(bulk=False)

    async def _switch_bulk(self, *, bulk: bool) -> None:
        """Switch, unless another process holds the index; then it stays as it is."""
        with suppress(asyncpg.LockNotAvailableError), translated():
            await self._hot.execute(STATEMENTS["keys_bulk"], bulk)

    async def upkeep(self, principal: Principal) -> None:
        """Fold the counts of types, and make the audit's partitions of the coming months."""
        with translated():
            await self._hot.execute(STATEMENTS["fold_type_counts"], principal.tenant)
            await make_audit_months(self._hot, self._clock)
        await self._switch_bulk(bulk=False)

    async def _history_types(self, principal: Principal, resource_type: str | None) -> list[int]:
        names = [resource_type] if resource_type else readable_types(principal)
        for name in names:
            if await self._allowed(principal, Action.READ, name):
                message = "Your role reads the history of single resources only."
                raise Forbidden(message)
        return [type_number(name) for name in names]

    async def _allowed(self, principal: Principal, action: Action, resource_type: str) -> int:
        """Return the rid that a principal is limited to, 0 without limit; audit a refusal."""
        try:
            decision = decide(principal, action, resource_type)
        except Forbidden as error:
            await self.note_denial(principal, action, error)
            raise
        if decision.own_patient is None:
            return 0
        place = type_number("Patient"), decision.own_patient
        found = await self._placement.targets(principal.tenant, [place])
        return found[place]

    def _tenant(self, principal: Principal) -> Tenant:
        return self._tenants[principal.tenant]

    async def _note(
        self,
        principal: Principal,
        action: Action,
        type_: int,
        *,
        outcome: int = 0,
        about: tuple[Sequence[int], bytes | None] = ((), None),
    ) -> None:
        """Write an audit row; ``about`` is whose data it concerns and the sealed query."""
        note = Note(
            tenant=principal.tenant,
            account=principal.account,
            action=action.value,
            outcome=outcome,
            type=type_,
            patients=list(about[0]),
            detail=about[1],
        )
        await self._auditor.write(note)


def _visible(patients: Sequence[int], own: int) -> bool:
    return own == 0 or not patients or own in patients
