"""Erasure of a patient: the data key is destroyed, and what it sealed is nowhere opened again.

The steps, each of which may be the last one before the process is killed; another run goes on:

1. the data key is destroyed; a write under it that begins later is refused by its statement;
2. when the writes that were under way have ended, the current resources of the patient are deleted
   as anybody deletes them (audited, told in the change feed, out of every index), and the bodies of
   all their versions are removed: a process that still remembers the key finds nothing to open;
3. what belongs to several people names the patient no more, superseded versions included.

A copy of the database from before still has the key, wrapped. ``rotation`` follows, so that nobody
can unwrap it.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from polyclinic.base.clock import Clock
from polyclinic.base.db.connect import Connection, Record
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import NotFound, VersionConflict
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.hashing import hash_keys, reference_key
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.store.bodies import bound, sealed_body
from polyclinic.kernel.store.codec import CURRENT
from polyclinic.kernel.store.erased_references import without
from polyclinic.kernel.store.keys import SHARED
from polyclinic.kernel.store.prepared import Change
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.rotation import barrier, nothing
from polyclinic.kernel.store.store import Store
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import RESOURCE_TYPES, parse, type_name, type_number

_BATCH: Final = 200


class Person(NamedTuple):
    """Who is erased."""

    id: str
    rid: int


class Removed(NamedTuple):
    """What an erasure did."""

    deleted: int
    """Current resources of the patient."""
    versions: int
    """Versions of them whose bodies were removed."""
    rewritten: int
    """Versions of other resources that named the patient."""


class Eraser:
    """Erase patients of one tenant, on a connection of the role that owns the tables."""

    def __init__(
        self,
        store: Store,
        owner: Connection,
        tenant: Tenant,
        clock: Clock,
        reached: Callable[[str], None] = nothing,
    ) -> None:
        self._store = store
        self._owner = owner
        self._tenant = tenant
        self._clock = clock
        self._reached = reached

    async def erase(self, principal: Principal, patient_id: str) -> Removed:
        """Destroy a patient's key and sweep. Raise ``NotFound`` when nobody has this id."""
        await self._owner.execute(STATEMENTS["erasure_enter"], self._tenant.number)
        rid = await self._owner.fetchval(
            STATEMENTS["erasure_patient"], self._tenant.number, type_number("Patient"), patient_id
        )
        if rid is None:
            raise NotFound
        return await self.sweep(principal, Person(patient_id, rid))

    async def sweep(self, principal: Principal, person: Person) -> Removed:
        """Destroy the key if it is there, and remove what it sealed and who it was."""
        number = self._tenant.number
        await self._owner.execute(STATEMENTS["erasure_enter"], number)
        key_id = await self._owner.fetchval(
            STATEMENTS["erasure_destroy"], number, person.rid, self._clock.now()
        )
        await self._owner.execute(STATEMENTS["key_epoch_next"])
        self._reached("destroyed")
        await barrier(self._owner, "resource")
        deleted = await self._delete(principal, person, key_id)
        self._reached("deleted")
        versions = await self._owner.execute(
            STATEMENTS["erasure_versions"], number, key_id, person.rid
        )
        await self._owner.execute(STATEMENTS["erasure_mark"], number, key_id, person.rid)
        # Attachments are unreadable already; the next sweep removes what is left of them. An answer
        # that is kept for a retry may show anybody's record.
        await self._owner.execute(
            STATEMENTS["erasure_blobs"], number, person.rid, self._clock.now()
        )
        await self._owner.execute(STATEMENTS["idempotency_forget"], number)
        self._reached("removed")
        rewritten = await self._rewrite_current(principal, person, key_id)
        self._reached("rewritten")
        rewritten += await self._rewrite_versions(person, key_id)
        await self._owner.execute(STATEMENTS["erasure_index"], number, person.rid)
        return Removed(deleted, int(versions.split()[-1]), rewritten)

    async def sweep_rid(self, principal: Principal, rid: int) -> Removed:
        """Sweep a patient whose key an import has destroyed. Raise ``NotFound`` for no patient."""
        await self._owner.execute(STATEMENTS["erasure_enter"], self._tenant.number)
        patient_id = await self._owner.fetchval(
            STATEMENTS["erasure_patient_id"], self._tenant.number, rid
        )
        if patient_id is None:
            raise NotFound
        return await self.sweep(principal, Person(patient_id, rid))

    async def _delete(self, principal: Principal, person: Person, key_id: int) -> int:
        count = 0
        while rows := await self._owner.fetch(
            STATEMENTS["erasure_current"], self._tenant.number, key_id, person.rid, _BATCH
        ):
            changes = [Change(type_name(row["type"]), row["id"], None) for row in rows]
            await self._store.write_all(principal, changes)
            count += len(rows)
        return count

    async def _rewrite_current(self, principal: Principal, person: Person, key_id: int) -> int:
        """Give current resources a version that does not name the patient."""
        number, count, after = self._tenant.number, 0, 0
        shared = (await self._store.keys.of(number, [SHARED]))[SHARED].key_id
        while rows := await self._owner.fetch(
            STATEMENTS["erasure_shared"], number, key_id, shared, person.rid, after, _BATCH
        ):
            moved = False
            for row, body in zip(rows, await self._opened(rows), strict=True):
                if body and (left := without(body, person.id)):
                    try:
                        await self._store.update(principal, parse(left), row["version"])
                    except VersionConflict:
                        moved = True
                    else:
                        count += 1
            # What another has changed meanwhile is looked at again.
            after = after if moved else rows[-1]["rid"]
        return count

    async def _rewrite_versions(self, person: Person, key_id: int) -> int:
        """Take the patient's name out of superseded versions."""
        number, count, after = self._tenant.number, 0, (0, 0)
        shared = (await self._store.keys.of(number, [SHARED]))[SHARED].key_id
        references = _reference_keys(person.id, self._tenant)
        while rows := await self._owner.fetch(
            STATEMENTS["erasure_shared_versions"],
            *(number, key_id, shared, references, *after, _BATCH),
        ):
            for row, body in zip(rows, await self._opened(rows), strict=True):
                if body and (left := without(body, person.id)):
                    await self._rewrite(row, person, left)
                    count += 1
            after = rows[-1]["rid"], rows[-1]["version"]
        return count

    async def _rewrite(self, row: Record, person: Person, left: bytes) -> None:
        number, resource = self._tenant.number, parse(left)
        patients = [rid for rid in row["patients"] if rid != person.rid]
        subject = patients[0] if len(patients) == 1 else SHARED
        key = (await self._store.keys.of(number, [subject]))[subject]
        place = bound(number, row["type"], row["id"], row["version"])
        sealed = self._store.bodies.seal(key, place, resource.body)
        keys = hash_keys(
            extract(resource, custom=self._tenant.custom.now), resource.type, self._tenant.index_key
        )
        await self._owner.execute(
            STATEMENTS["erasure_rewrite"],
            *(row["rid"], row["version"], sealed, key.key_id, CURRENT, patients, keys),
        )

    async def _opened(self, rows: list[Record]) -> list[bytes]:
        """Return bodies; empty for what is damaged, or was erased for another patient."""
        opened = await self._store.bodies.open(
            self._tenant.number, [sealed_body(row) for row in rows]
        )
        return [body if isinstance(body, bytes) else b"" for body in opened]


async def tenant_names(connection: Connection) -> dict[int, str]:
    """Return the name of each tenant by its number."""
    return {
        row["tenant"]: row["name"] for row in await connection.fetch(STATEMENTS["tenant_names"])
    }


def _reference_keys(patient_id: str, tenant: Tenant) -> list[int]:
    """Return every key that a reference to a patient can be found by."""
    return sorted(
        {
            reference_key(resource_type, param, "Patient", patient_id, tenant.index_key)
            for resource_type in RESOURCE_TYPES
            for param in (
                *parameters(resource_type).values(),
                *tenant.custom.now.of(resource_type).values(),
            )
            if param.type == "reference"
        }
    )
