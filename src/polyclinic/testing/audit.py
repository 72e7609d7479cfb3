"""A tenant's audit record, to be tampered with as the owner of its tables can."""

from typing import Final

from polyclinic.base.clock import SystemClock
from polyclinic.base.db.connect import Connection
from polyclinic.kernel.store import Tenant
from polyclinic.kernel.store.audit_checkpoint import Checkpoint
from polyclinic.kernel.store.audit_record import AuditRecord
from polyclinic.kernel.store.audit_sealing import AuditSealer
from polyclinic.kernel.store.audit_verification import Fault
from polyclinic.kernel.store.connections import Connections

_ROWS: Final = """
    select worker, counter from audit where tenant = $1 order by tx, worker, counter
"""
_CHANGE: Final = "update audit set "
_INTO: Final = """
    insert into audit (worker, counter, tenant, at, account, action, outcome, type, rid, version,
                       patients, tx)
"""
_COPY: Final = """
    select worker, counter, tenant, at, account, action, outcome, type, rid, version, patients, tx
    from audit
"""
_ROW: Final = "tenant = $1 and worker = $2 and counter = $3"


class AuditBench:
    """A clinic's audit record, its owner's connection, and what verifies it."""

    def __init__(
        self, tenant: Tenant, owner: Connection, record: AuditRecord, pool: Connections
    ) -> None:
        self.tenant = tenant
        self.number = tenant.number
        self.owner = owner
        self.record = record
        self._sealer = AuditSealer(pool, SystemClock())

    async def seal(self, largest: int = 5) -> int:
        """Seal what can be sealed, in segments of a few rows."""
        return await self._sealer.seal(self.tenant, largest)

    async def faults(self, checkpoint: Checkpoint | None = None) -> list[Fault]:
        """Verify the record."""
        walk = self.record.verification(self.tenant, checkpoint)
        return [fault async for fault in walk.faults()]

    async def kinds(self, checkpoint: Checkpoint | None = None) -> list[str]:
        """Return the kinds of faults."""
        return [fault.kind for fault in await self.faults(checkpoint)]

    async def run(self, sql: str, *arguments: object) -> None:
        """Run a statement as the owner of the tables, with the tenant as its first argument."""
        await self.owner.execute(sql, self.number, *arguments)

    async def on_row(self, statement: str, place: tuple[int, int]) -> None:
        """Run a statement on one audit row, as the owner of the tables."""
        await self.owner.execute(f"{statement} where {_ROW}", self.number, *place)

    async def change(self, assignment: str, place: tuple[int, int]) -> None:
        """Change one audit row."""
        await self.on_row(_CHANGE + assignment, place)

    async def copy(self, worker: str, counter: str, place: tuple[int, int]) -> None:
        """Add a row that is like another but for its process or number."""
        copied = _COPY.replace("worker,", f"{worker},", 1).replace("counter,", f"{counter},", 1)
        await self.on_row(_INTO + copied, place)

    async def places(self) -> list[tuple[int, int]]:
        """Return process and number of every row, in the order of their commits."""
        rows = await self.owner.fetch(_ROWS, self.number)
        return [(row["worker"], row["counter"]) for row in rows]
