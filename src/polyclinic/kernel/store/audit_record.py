"""The audit record: rendered as AuditEvents, sealed into a chain, verified."""

from typing import Final

from polyclinic.base.clock import Clock
from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.store.audit import (
    About,
    Auditor,
    Interaction,
    Note,
    make_audit_months,
    seal_detail,
)
from polyclinic.kernel.store.audit_checkpoint import Checkpoint, checkpoint_of
from polyclinic.kernel.store.audit_events import AUDIT_EVENT, AuditEvents
from polyclinic.kernel.store.audit_sealing import AuditSealer
from polyclinic.kernel.store.audit_verification import AuditVerification
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.placement import Place
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.stored import Stored
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import type_number

NOTHING_THERE: Final = 4
"""What failed without being refused: nothing there, or a conflict; audit-event-outcome."""


class AuditRecord:
    """Everything that is done with audit rows after they were written."""

    def __init__(self, pool: Connections, auditor: Auditor, clock: Clock) -> None:
        self._pool = pool
        self._auditor = auditor
        self._clock = clock
        self._sealer = AuditSealer(pool, clock)
        self.events = AuditEvents(pool)

    async def read(self, tenant: Tenant, principal: Principal, identity: str) -> Stored:
        """Return one AuditEvent, with an audit row of its own. Raise ``NotFound``."""
        found = await self.events.read(tenant, identity)
        about = About(
            type_number(AUDIT_EVENT),
            patients=found.patients if found else (),
            detail=seal_detail(tenant, identity),
        )
        outcome = 0 if found else NOTHING_THERE
        await self._auditor.write(
            Note(tenant.number, principal.account, Action.READ.value, outcome, about)
        )
        if found is None:
            raise NotFound
        return found.stored

    async def failed_write(self, principal: Principal, action: Action, place: Place) -> None:
        """Write the row of a write that was not done because of what is, or is not, stored."""
        with translated():
            within = self._pool.within(principal.tenant)
            seen = await within.fetchrow(STATEMENTS["audit_about"], principal.tenant, *place)
        rid, version, patients = seen or (0, 0, ())
        what = About(place[0], rid, version, patients)
        await self._auditor.write(
            Note(principal.tenant, principal.account, action.value, NOTHING_THERE, what)
        )

    async def failed_transaction(self, principal: Principal) -> None:
        """Write the row of a transaction of which nothing was done."""
        about = About(0, interaction=Interaction.TRANSACTION)
        action = Action.UPDATE.value
        await self._auditor.write(
            Note(principal.tenant, principal.account, action, NOTHING_THERE, about)
        )

    async def make_months(self) -> None:
        """Make the partitions of the coming months."""
        await make_audit_months(self._pool, self._clock)

    async def seal(self, tenant: Tenant) -> int:
        """Seal what can be sealed and return how many rows were."""
        return await self._sealer.seal(tenant)

    async def checkpoint(self, tenant: Tenant) -> Checkpoint | None:
        """Return the checkpoint of the newest segment, None before the first."""
        newest = await self._sealer.newest(tenant)
        return checkpoint_of(tenant, newest) if newest else None

    async def sealed_rows(self, tenant: Tenant) -> int:
        """Return how many rows are sealed."""
        with translated():
            within = self._pool.within(tenant.number)
            return int(await within.fetchval(STATEMENTS["audit_sizes"], tenant.number))

    def verification(
        self, tenant: Tenant, checkpoint: Checkpoint | None = None
    ) -> AuditVerification:
        """Return a walk through the record, against a checkpoint that was kept elsewhere."""
        return AuditVerification(self._pool, tenant, checkpoint)
