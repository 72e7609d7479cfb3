"""What is reached by a principal whose limit is more than one patient's compartment.

Whoever reaches everything, or one patient's record, is served by the statements of the hot path;
for others a row is fetched with what decides about it, and the decision is made in memory.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from polyclinic.base.db.connect import Record
from polyclinic.kernel.errors import Forbidden
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.hashing import label_keys
from polyclinic.kernel.store.coalesce import Coalescer
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.index import build, targets
from polyclinic.kernel.store.placement import Place, Placement
from polyclinic.kernel.store.prepared import Change
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.reach import ROLE_OF, Binder, Reach, RowFacts
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import Resource

_BATCH: Final = 64
NO_BODY: Final = (-1, False)
"""Nobody's rid: what is not decided yet leaves its body where it is."""


class _Asked(NamedTuple):
    type: int
    id: str
    practitioner: int


class Checker:
    """Look up what decides about rows, and check what is to be written."""

    def __init__(self, pool: Connections, placement: Placement, binder: Binder) -> None:
        self._pool = pool
        self._placement = placement
        self._binder = binder
        self._coalescer: Coalescer[_Asked, Record | None] = Coalescer(self._run, largest=_BATCH)

    async def row(self, tenant: int, reach: Reach, place: Place) -> Record | None:
        """Return the row of a resource, deleted or not, with what decides; None for none."""
        return await self._coalescer.submit(tenant, _Asked(*place, reach.practitioner))

    async def version(
        self, tenant: int, place: Place, version: int, own: tuple[int, bool]
    ) -> Record | None:
        """Return a version, with its body where own (a patient's rid, and nobody's) reaches it."""
        with translated():
            return await self._pool.within(tenant).fetchrow(
                STATEMENTS["vread"], tenant, *place, min(version, 2**31 - 1), *own
            )

    async def cared(self, tenant: int, reach: Reach, patients: Collection[int]) -> frozenset[int]:
        """Return those of some patients with whom the principal has a care relation."""
        if not reach.asks_care:
            return frozenset()
        with translated():
            rows = await self._pool.within(tenant).fetch(
                STATEMENTS["cared"],
                *(tenant, list(patients), reach.practitioner, self._binder.now(), ROLE_OF),
            )
        return frozenset(row[0] for row in rows)

    async def within(self, tenant: Tenant, changes: Iterable[tuple[Change, Reach]]) -> list[Change]:
        """Return changes that may be made, each against the version that was looked at.

        Both what is there and what is to be there must lie within the reach. Raise ``Forbidden``.
        """
        return [
            change if reach.whole else await self._checked(tenant, change, reach)
            for change, reach in changes
        ]

    async def _checked(self, tenant: Tenant, change: Change, reach: Reach) -> Change:
        if change.resource is not None and not reach.allows(
            await self._content(tenant, reach, change.resource)
        ):
            message = f"Your role does not allow a {change.type} with this content."
            raise Forbidden(message)
        if change.must_be_new:
            return change
        row = await self.row(tenant.number, reach, change.place)
        if row is None or row["version"] == 0:
            return change
        if not reach.allows(facts_of(row)):
            message = f"Your role does not allow this on that {change.type}."
            raise Forbidden(message)
        if change.if_match is not None:
            return change
        return replace(change, if_match=row["version"])

    async def _content(self, tenant: Tenant, reach: Reach, resource: Resource) -> RowFacts:
        values = extract(resource, custom=tenant.custom.now)
        rid_of = await self._placement.targets(tenant.number, targets(values))
        index = build(values, tenant.index_key, rid_of)
        cared = await self.cared(tenant.number, reach, index.patients)
        labels = label_keys(values, resource.type, tenant.index_key)
        return RowFacts(index.patients, labels, index.keys, not cared.isdisjoint(index.patients))

    async def _run(self, tenant: int, batch: list[_Asked]) -> list[Record | BaseException | None]:
        types, ids, practitioners = zip(*batch, strict=True)
        with translated():
            rows = await self._pool.within(tenant).fetch(
                STATEMENTS["read_facts"],
                *(tenant, types, ids, practitioners, self._binder.now(), ROLE_OF),
            )
        found: list[Record | BaseException | None] = [None] * len(batch)
        for row in rows:
            found[row["ord"] - 1] = row
        return found


def facts(row: Record | Mapping[str, Any], cared: frozenset[int]) -> RowFacts:
    """Return what decides about a version, given the patients that are cared for."""
    known = not cared.isdisjoint(row["patients"])
    return RowFacts(row["patients"], row["labels"], row["keys"] or (), known)


def facts_of(row: Record) -> RowFacts:
    """Return what decides about a row that ``Checker.row`` returned."""
    return RowFacts(row["patients"], row["labels"], row["keys"], row["cared"])
