"""What a principal may reach of a type, as the store checks it: rids and keyed hashes.

A reach is used in two ways that mean the same: in memory against the facts of one row, and as a
condition of a search. A test keeps them equal.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from polyclinic.base.clock import Clock
from polyclinic.kernel.access.decide import WHOLE, Decision, Extent
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.search.hashing import token_key
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import AnyOf
from polyclinic.kernel.store.index import QueryKeys
from polyclinic.kernel.store.numbers import edge_number
from polyclinic.kernel.store.placement import Place, Placement
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import type_number


class RowFacts(NamedTuple):
    """What of a row decides who may see it."""

    patients: Sequence[int]
    labels: Sequence[int]
    keys: Collection[int]
    cared: bool
    """The principal has a care relation with one of its patients."""


class Part(NamedTuple):
    """An extent with rids and hashes."""

    patients: frozenset[int] | None
    compartments: tuple[int, ...]
    """The keys of the patients' compartments, for the index."""
    nobody: bool
    care: bool
    keys: tuple[frozenset[int], ...]
    """Of each, a row must have one."""

    def holds(self, row: RowFacts) -> bool:
        """Say whether a row lies in it."""
        return (
            (self.patients is None or not self.patients.isdisjoint(row.patients))
            and not (self.nobody and row.patients)
            and (not self.care or row.cared)
            and all(not keys.isdisjoint(row.keys) for keys in self.keys)
        )


class Reach(NamedTuple):
    """What of one type may be reached."""

    parts: tuple[Part, ...]
    withheld: frozenset[int] = frozenset()
    """Labels of which a row may have none."""
    practitioner: int = 0
    """The rid by which care relations are found, 0 for whoever has none."""
    now: int = 0
    """Microseconds since 1970 at which a care relation has to hold."""

    @property
    def whole(self) -> bool:
        """Say whether there is no limit."""
        return self == EVERYTHING

    @property
    def own(self) -> tuple[int, bool] | None:
        """Return the one patient and whether what is nobody's is reached too, where that is all."""
        if self.withheld or len(self.parts) > 2:  # noqa: PLR2004 - one of the patient, one of nobody
            return None
        patient, shared = 0, False
        for part in self.parts:
            if part.care or part.keys:
                return None
            if part.nobody and part.patients is None:
                shared = True
            elif not part.nobody and part.patients is not None and len(part.patients) == 1:
                (patient,) = part.patients
            else:
                return None
        return (patient, shared) if patient else None

    @property
    def asks_care(self) -> bool:
        """Say whether care relations have to be looked up."""
        return any(part.care for part in self.parts)

    @property
    def asks_keys(self) -> bool:
        """Say whether a row's keys have to be looked up."""
        return any(part.keys for part in self.parts)

    def audience(self) -> frozenset[int] | None:
        """Return the patients beyond whom nothing is reached; None: no such list."""
        if any(part.patients is None and not part.nobody for part in self.parts):
            return None
        return frozenset(rid for part in self.parts for rid in part.patients or ())

    def allows(self, row: RowFacts) -> bool:
        """Say whether a row may be seen."""
        if not self.withheld.isdisjoint(row.labels):
            return False
        return any(part.holds(row) for part in self.parts)


EVERYTHING: Final = Reach((Part(None, (), nobody=False, care=False, keys=()),))


class Binder:
    """Turn decisions into reaches."""

    def __init__(self, placement: Placement, clock: Clock) -> None:
        self._placement = placement
        self._clock = clock

    async def bind(
        self, tenant: Tenant, principal: Principal, resource_type: str, decision: Decision
    ) -> Reach:
        """Return a decision about a type with the rids and hashes of the tenant."""
        if decision is WHOLE:
            return EVERYTHING
        patient = type_number("Patient")
        places: set[Place] = {
            (patient, one) for extent in decision.extents for one in extent.patients or ()
        }
        staff = (type_number("Practitioner"), principal.practitioner or "")
        asks_care = any(extent.care for extent in decision.extents)
        if asks_care:
            places.add(staff)
        rids = await self._placement.targets(tenant.number, places)
        keys = QueryKeys(tenant.index_key, resource_type)
        label = parameters(resource_type)["_security"]
        return Reach(
            tuple(_part(extent, rids, keys) for extent in decision.extents),
            frozenset(
                token_key(resource_type, label, system, code, tenant.index_key)
                for system, code in decision.withheld
            ),
            rids[staff] if asks_care else 0,
            self.now() if asks_care else 0,
        )

    def now(self) -> int:
        """Return the moment at which care relations have to hold."""
        return int(self._clock.now().timestamp() * 1_000_000)


def _part(extent: Extent, rids: dict[Place, int], keys: QueryKeys) -> Part:
    patient = type_number("Patient")
    asked = []
    for condition in extent.where:
        parts = condition.parts if isinstance(condition, AnyOf) else (condition,)
        wanted: set[int] = set()
        for part in parts:
            found = keys.of(part)
            # A condition without a key would be no condition.
            assert found
            wanted.update(found)
        asked.append(frozenset(wanted))
    ids = sorted(extent.patients) if extent.patients is not None else []
    return Part(
        None if extent.patients is None else frozenset(rids[patient, one] for one in ids),
        tuple(key for one in ids for key in keys.compartment(one)),
        extent.nobody,
        extent.care,
        tuple(asked),
    )


ROLE_OF: Final = edge_number("PractitionerRole", "practitioner")
"""The edge from a PractitionerRole to its Practitioner: a relation of the role is the person's."""
