"""What looks back does with the store: whose rights are asked, and how versions are fetched."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.access.policy import Policy
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import FhirError
from polyclinic.kernel.store.audit import About
from polyclinic.kernel.store.bodies import Bodies, sealed_body
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.placement import Place, Placement
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.reach import Reach
from polyclinic.kernel.store.stored import Stored
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.store.versions import Row, Versions
from polyclinic.kernel.types import type_name

VersionOf = tuple[int, int]
"""rid and version."""


@dataclass(frozen=True, slots=True)
class PastRights:
    """What of the store says, and notes, what a principal may do."""

    tenant: Callable[[Principal], Tenant]
    policy: Callable[[int], Awaitable[Policy]]
    allowed: Callable[[Principal, Action, str], Awaitable[Reach]]
    note: Callable[[Principal, Action, About], Awaitable[None]]
    denied: Callable[[Principal, Action, FhirError, str], Awaitable[None]]


class Past:
    """Find versions of a tenant's resources."""

    def __init__(
        self, pool: Connections, placement: Placement, bodies: Bodies, versions: Versions
    ) -> None:
        self.pool = pool
        self.placement = placement
        self._bodies = bodies
        self._versions = versions

    async def version(self, tenant: int, place: Place, at: datetime) -> int:
        """Return the number of the version that was current at a moment; 0 for none."""
        with translated():
            found = await self.pool.within(tenant).fetchval(
                STATEMENTS["as_of_version"], tenant, *place, at
            )
        return int(found or 0)

    async def reached(
        self, tenant: int, reaches: Mapping[str, Reach], wanted: Sequence[VersionOf]
    ) -> dict[VersionOf, Row]:
        """Return those of some versions that may be seen.

        For none at all it asks as much, so that what is hidden takes as many statements.
        """
        rids, versions = [one[0] for one in wanted], [one[1] for one in wanted]
        with translated():
            rows = await self.pool.within(tenant).fetch(
                STATEMENTS["versions"], tenant, rids, versions
            )
        found = await self._versions.reached(tenant, reaches, rows)
        return {(row["rid"], row["version"]): row for row in found}

    async def opened(self, tenant: int, rows: Sequence[Row]) -> list[Stored]:
        """Return versions with their bodies, or why they have none."""
        bodies = await self._bodies.open(tenant, [sealed_body(row) for row in rows])
        return [
            Stored.opened(
                (type_name(row["type"]), row["id"], row["version"]),
                row["last_updated"],
                body,
                deleted=row["deleted"],
            )
            for row, body in zip(rows, bodies, strict=True)
        ]
