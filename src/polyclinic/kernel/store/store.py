"""The store: every call takes a principal, and one place decides what it may do."""

from collections.abc import Sequence
from copy import copy
from datetime import datetime
from typing import Final

from polyclinic.base.clock import Clock
from polyclinic.base.ids import Ids
from polyclinic.base.keys import KeyRing
from polyclinic.kernel.access.decide import WHOLE, Action, decide, readable_types
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import FhirError, Forbidden, NotFound
from polyclinic.kernel.search.custom.parameters import CustomParameters
from polyclinic.kernel.search.predicate import Query
from polyclinic.kernel.store.audit import About, Auditor, Counter, Interaction, Note, seal_detail
from polyclinic.kernel.store.audit_events import AUDIT_EVENT
from polyclinic.kernel.store.audit_record import AuditRecord
from polyclinic.kernel.store.blobs import Blobs, BlobSeams
from polyclinic.kernel.store.bodies import BODILESS, Bodies
from polyclinic.kernel.store.checking import NO_BODY, Checker, facts, facts_of
from polyclinic.kernel.store.conditional import Conditions
from polyclinic.kernel.store.connections import Connections, Pools
from polyclinic.kernel.store.directory import Directory
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.feed import Seams
from polyclinic.kernel.store.following import Following
from polyclinic.kernel.store.histories import Historian, HistoryQuery, history_part
from polyclinic.kernel.store.idempotency import Claims
from polyclinic.kernel.store.keys import DataKeys
from polyclinic.kernel.store.lookback import LookBack
from polyclinic.kernel.store.past import Past, PastRights
from polyclinic.kernel.store.placement import Place, Placement
from polyclinic.kernel.store.policies import Policies
from polyclinic.kernel.store.prepared import Change, Keeper
from polyclinic.kernel.store.progress import Progress
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.reach import EVERYTHING, Binder, Reach
from polyclinic.kernel.store.reading import Asked, Reader
from polyclinic.kernel.store.rehearsal import ImaginedKeys, ImaginedPlacement, Rehearsal
from polyclinic.kernel.store.reindex import Reindexer
from polyclinic.kernel.store.searching import Rights as SearchRights
from polyclinic.kernel.store.searching import Searcher
from polyclinic.kernel.store.simulation import Case, Simulation, Simulator, may_simulate
from polyclinic.kernel.store.snapshot import Snapshots
from polyclinic.kernel.store.stored import Page, Stored, Written, to_millisecond
from polyclinic.kernel.store.tenancy import Tenant, open_tenant
from polyclinic.kernel.store.versions import Versions
from polyclinic.kernel.store.writes import Rights, Writes
from polyclinic.kernel.store.writing import Writer
from polyclinic.kernel.types import Resource, type_number

_OUTCOMES: Final = {403: 8, 404: 4, 410: 4}


class Store:
    """Resources of all tenants, on PostgreSQL."""

    blobs: Blobs
    """Attachments."""
    is_rehearsal = False
    """Whether nothing that is written stays."""

    def __init__(
        self, hot: Connections, searches: Connections, worker: int, clock: Clock, ids: Ids
    ) -> None:
        self._hot, self._clock, self._ids = hot, clock, ids
        self._counter = counter = Counter(worker)
        self._auditor = Auditor(hot, counter, clock)
        self._audit_record = AuditRecord(searches, self._auditor, clock)
        self._placement = Placement(hot)
        self.keys = DataKeys(hot, clock)
        self.bodies = Bodies(self.keys)
        self._reader = Reader(hot, self._placement, counter, clock, self.bodies)
        self._binder = Binder(self._placement, clock)
        self._checker = Checker(hot, self._placement, self._binder)
        self._conditions = Conditions(hot, searches)
        self.writes = self._make_writes(
            Writer(hot, self._placement, counter, clock, self.keys), self._checker
        )
        self._historian = Historian(searches, self._checker, self.bodies)
        self._tenants: dict[int, Tenant] = {}
        self.policies = Policies(searches, clock, self._tenants)
        self._simulator = Simulator(searches, self._binder)
        rights = self._history_types, self.policies.current
        seams = Seams(self._tenant, *rights, self._note, self.bodies)
        self.following = Following(searches, clock, seams)
        versions = Versions(self._checker, self.bodies)
        self.searcher = Searcher(
            Pools(hot, searches),
            self.bodies,
            Snapshots(searches, versions, self.following.epochs),
            SearchRights(self.policies.current, self._allowed, self.note_denial),
        )
        self.blob_seams = BlobSeams(
            *(self._tenant, self._allowed, self.writes.may_write, self.read),
            *(self._auditor, self._placement, self.keys),
        )
        self.lookback = LookBack(
            Past(searches, self._placement, self.bodies, versions),
            PastRights(self._tenant, *rights[1:], self._allowed, self._note, self.note_denial),
        )
        self.directory = Directory(hot, clock)
        self.claims = Claims(hot, clock, self._tenant, self._auditor)

    async def open_tenant(self, name: str, ring: KeyRing) -> Tenant:
        """Make a tenant's data reachable for its principals; a missing tenant is made.

        Raise ``KeyLost`` when the key file is not the one that its keys were wrapped under.
        """
        async with self._hot.acquire() as connection:
            tenant = await open_tenant(connection, name, ring, self._clock)
        self.keys.add(tenant.number, ring)
        self._tenants[tenant.number] = tenant
        return tenant

    async def close_tenant(self, tenant: Tenant) -> None:
        """Put a tenant's keys out of memory, unless it was opened again since.

        The audit record learns how many rows this process wrote, so that one that is gone shows.
        """
        await self._auditor.farewell(tenant)
        if self._tenants.get(tenant.number) is tenant:
            del self._tenants[tenant.number]
            self.keys.remove(tenant.number)

    def new_id(self) -> str:
        """Return an id for a resource that is about to be created."""
        return self._ids.new()

    def progress(self, principal: Principal) -> Progress:
        """Return the memory of how far files were loaded."""
        return Progress(self._hot, principal.tenant)

    def now(self) -> datetime:
        """Return the moment that a write would have."""
        return to_millisecond(self._clock.now())

    async def is_empty(self, principal: Principal) -> bool:
        """Say whether the tenant has never stored anything."""
        with translated():
            hot = self._hot.within(principal.tenant)
            return not await hot.fetchval(STATEMENTS["tenant_used"], principal.tenant)

    async def read(self, principal: Principal, resource_type: str, resource_id: str) -> Stored:
        """Return the current version of a resource.

        Raise ``NotFound``, also for what the principal may not see, ``Gone`` or ``Forbidden``.
        """
        reach = await self._allowed(principal, Action.READ, resource_type)
        if resource_type == AUDIT_EVENT:
            return await self._audit_record.read(self._tenant(principal), principal, resource_id)
        place = type_number(resource_type), resource_id
        own = (0, True) if reach.whole else reach.own
        if own is None or self.is_rehearsal:
            return await self._read_limited(principal, reach, place)
        return await self._reader.read(Asked(principal.tenant, *place, *own, principal.account))

    async def _read_limited(self, principal: Principal, reach: Reach, place: Place) -> Stored:
        """Read for somebody whose limit is more than one patient's compartment."""
        row = await self._checker.row(principal.tenant, reach, place)
        about = About(place[0])
        if row is None or row["version"] == 0:
            await self._note(principal, Action.READ, about, outcome=_OUTCOMES[404])
            raise NotFound
        about = About(place[0], row["rid"], row["version"], row["patients"])
        if not reach.allows(facts_of(row)):
            await self._note(principal, Action.READ, about, outcome=_OUTCOMES[403])
            raise NotFound
        await self._note(principal, Action.READ, about)
        return await self._shown(principal, place, row["version"])

    async def _shown(self, principal: Principal, place: Place, version: int) -> Stored:
        """Return a version that may be seen."""
        row = await self._checker.version(principal.tenant, place, version, (0, True))
        assert row is not None
        return await self.bodies.stored(principal.tenant, place[0], row)

    async def vread(
        self, principal: Principal, resource_type: str, resource_id: str, version: int
    ) -> Stored:
        """Return one version of a resource. Raise as ``read`` does."""
        reach = await self._allowed(principal, Action.READ, resource_type)
        if resource_type == AUDIT_EVENT and version == 1:
            return await self._audit_record.read(self._tenant(principal), principal, resource_id)
        place = type_number(resource_type), resource_id
        own = (0, True) if reach.whole else reach.own
        row = await self._checker.version(principal.tenant, place, version, own or NO_BODY)
        about = About(place[0], interaction=Interaction.VREAD)
        # Asked also where there is nothing: what is hidden takes as many statements.
        cared = await self._checker.cared(principal.tenant, reach, row["patients"] if row else ())
        if row is None:
            await self._note(principal, Action.READ, about, outcome=_OUTCOMES[404])
            raise NotFound
        about = about.seen(row["rid"], row["version"], row["patients"])
        if not reach.allows(facts(row, cared)):
            await self._note(principal, Action.READ, about, outcome=_OUTCOMES[403])
            raise NotFound
        await self._note(principal, Action.READ, about)
        if own is None:
            return await self._shown(principal, place, version)
        return await self.bodies.stored(principal.tenant, place[0], row)

    async def create(
        self, principal: Principal, resource: Resource, keeper: Keeper | None = None
    ) -> Written:
        """Store a new resource under the id it carries, which ``new_id`` has just made."""
        change = Change(resource.type, resource.id, resource, must_be_new=True, keeper=keeper)
        return await self.writes.create(principal, change)

    async def update(
        self,
        principal: Principal,
        resource: Resource,
        if_match: int | None = None,
        keeper: Keeper | None = None,
    ) -> Written:
        """Store a new version of a resource, or its first one.

        Content that is the same makes no version. Raise ``VersionConflict``.
        """
        change = Change(resource.type, resource.id, resource, if_match, keeper=keeper)
        return await self.writes.update(principal, change)

    async def delete(
        self,
        principal: Principal,
        resource_type: str,
        resource_id: str,
        if_match: int | None = None,
        keeper: Keeper | None = None,
    ) -> Stored:
        """Delete a resource; its versions stay readable. Raise ``NotFound`` or ``Gone``."""
        change = Change(resource_type, resource_id, None, if_match, keeper=keeper)
        return (await self.writes.write(principal, change)).stored

    async def write_all(
        self, principal: Principal, changes: Sequence[Change]
    ) -> Sequence[Written | None]:
        """Write all changes in one transaction, or none; None stands for an unchanged one."""
        return await self.writes.write_all(principal, changes)

    def rehearsal(self) -> "Store":
        """Return a store that does all that this one does, and keeps nothing of what is written."""
        placement = ImaginedPlacement(self._hot)
        keys = ImaginedKeys(self._hot, self._clock)
        writer = Rehearsal(self._hot, placement, self._counter, self._clock, keys)
        checker = Checker(self._hot, placement, self._binder)
        found = copy(self)
        found.is_rehearsal = True
        found.writes = found._make_writes(writer, checker)  # noqa: SLF001 - another of us
        return found

    def _make_writes(self, writer: Writer, checker: Checker) -> Writes:
        rights = Rights(self._tenant, self._allowed, self.read, self._note, self.note_denial)
        return Writes(rights, writer, checker, self._conditions, self._audit_record)

    async def search(self, principal: Principal, query: Query) -> Page:
        """Return one page of what matches and the principal may see."""
        tenant = self._tenant(principal)
        if query.types == (AUDIT_EVENT,):
            await self._allowed(principal, Action.SEARCH, AUDIT_EVENT)
            page, patients = await self._audit_record.events.search(tenant, principal, query)
        else:
            page, patients = await self.searcher.search(tenant, principal, query)
        detail = seal_detail(tenant, query.understood)
        number = type_number(query.resource_type) if len(query.types) == 1 else 0
        about = About(number, patients=patients, detail=detail)
        await self._note(principal, Action.SEARCH, about)
        return page

    async def history(self, principal: Principal, query: HistoryQuery) -> Page:
        """Return one page of versions, newest first."""
        tenant = self._tenant(principal)
        bound, part = history_part(tenant, principal, query)
        if query.resource_type and query.id:
            if query.resource_type == AUDIT_EVENT:
                stored = await self.read(principal, query.resource_type, query.id)
                return Page((stored,), None, None)
            reach = await self._allowed(principal, Action.READ, query.resource_type)
            await self.read_or_gone(principal, query.resource_type, query.id)
            key = tenant.number, type_number(query.resource_type), query.id
            versions = await self._historian.instance(key, reach, part)
            # Older versions may have been other patients'.
            about = About(key[1], 0, 0, versions.patients, None, Interaction.HISTORY_INSTANCE)
            await self._note(principal, Action.READ, about)
        else:
            types = await self._history_types(principal, query.resource_type)
            versions = await self._historian.types(tenant.number, types, part)
            of = types if query.resource_type else ()
            await self._note(principal, Action.SEARCH, About.history(of, versions.patients))
        return versions.page(tenant, bound)

    async def read_or_gone(
        self, principal: Principal, resource_type: str, resource_id: str
    ) -> None:
        """Check that a resource is or was there for the principal, with its audit row."""
        try:
            await self.read(principal, resource_type, resource_id)
        except BODILESS:
            return

    async def simulate(self, principal: Principal, case: Case) -> Simulation:
        """Return what the tenant's policy says of a case; nothing is shown of a resource."""
        try:
            may_simulate(principal)
            policy = await self.policies.current(principal.tenant)
            number = await self.policies.number(principal.tenant)
            found = await self._simulator.run(self._tenant(principal), (number, policy), case)
        except (Forbidden, NotFound) as error:
            await self.note_denial(principal, Action.READ, error, case.resource_type)
            raise
        await self._note(principal, Action.READ, About(type_number(case.resource_type)))
        return found

    async def note_denial(
        self, principal: Principal, action: Action, error: FhirError, resource_type: str = ""
    ) -> None:
        """Write the audit row of what was refused before any resource was touched."""
        outcome = _OUTCOMES.get(error.http_status, _OUTCOMES[404])
        number = type_number(resource_type) if resource_type else 0
        await self._note(principal, action, About(number), outcome=outcome)

    async def audit_record(self, principal: Principal) -> AuditRecord:
        """Return what seals and verifies the audit record. Raise ``Forbidden``.

        Its own reads leave no rows: they show no event, and sealing would never come to an end.
        """
        await self._allowed(principal, Action.SEARCH, AUDIT_EVENT)
        return self._audit_record

    async def close_tenants(self) -> None:
        """Close every tenant that is still open."""
        for tenant in list(self._tenants.values()):
            await self.close_tenant(tenant)

    async def loaded(self, principal: Principal) -> None:
        """Tell the planner what is there after many writes; searches are slow until it knows."""
        await self._allowed(principal, Action.UPDATE, "Patient")
        with translated():
            await self._hot.execute(STATEMENTS["analyze"])

    async def reindexer(self, principal: Principal) -> Reindexer:
        """Return what rebuilds index rows. Raise ``Forbidden``."""
        await self._allowed(principal, Action.UPDATE, "Patient")
        return Reindexer(self._hot, self._placement, self.bodies, self._tenant(principal))

    async def custom_parameters(self, principal: Principal) -> CustomParameters:
        """Return the search parameters that the tenant defined, at most a second old."""
        await self.policies.current(principal.tenant)
        return self._tenant(principal).custom.now

    async def upkeep(self, principal: Principal) -> None:
        """Fold the counts of types, and make the audit's partitions of the coming months."""
        with translated():
            hot = self._hot.within(principal.tenant)
            await hot.execute(STATEMENTS["fold_type_counts"], principal.tenant)
            await self._audit_record.make_months()

    async def _history_types(self, principal: Principal, resource_type: str | None) -> list[int]:
        names = (
            [resource_type]
            if resource_type
            else readable_types(await self.policies.current(principal.tenant), principal)
        )
        reaches = [await self._allowed(principal, Action.READ, name) for name in names]
        if not names or not all(reach.whole for reach in reaches):
            error = Forbidden("Your role reads the history of single resources only.")
            await self.note_denial(principal, Action.READ, error)
            raise error
        return [type_number(name) for name in names]

    async def _allowed(self, principal: Principal, action: Action, resource_type: str) -> Reach:
        """Return what of a type a principal may see; audit a refusal."""
        try:
            policy = await self.policies.current(principal.tenant)
            decision = decide(policy, principal, action, resource_type)
        except Forbidden as error:
            await self.note_denial(principal, action, error, resource_type)
            raise
        if decision is WHOLE:
            return EVERYTHING
        with translated():
            tenant = self._tenant(principal)
            return await self._binder.bind(tenant, principal, resource_type, decision)

    def _tenant(self, principal: Principal) -> Tenant:
        return self._tenants[principal.tenant]

    async def _note(
        self, principal: Principal, action: Action, about: About, *, outcome: int = 0
    ) -> None:
        """Write an audit row."""
        await self._auditor.write(
            Note(principal.tenant, principal.account, action.value, outcome, about)
        )
