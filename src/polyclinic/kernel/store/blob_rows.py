"""The rows of attachments: names, uses, and how much a tenant keeps."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from polyclinic.base.db.connect import Connection
from polyclinic.kernel.errors import Erased, FhirError, NotFound
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.queries import STATEMENTS


class QuotaExceeded(FhirError):
    """The attachments of this organization have reached their limit; nothing was stored."""

    status = 507
    code = "too-costly"


@dataclass(frozen=True, slots=True)
class NewRow:
    """An attachment whose object is durable."""

    name: bytes
    object: str
    patient: int
    size: int
    content_type: str
    key_id: int
    sealed_key: bytes
    created: datetime


class Added(NamedTuple):
    """What stands under a name now: the new row, or one that was there."""

    object: str
    has_key: bool


class Readable(NamedTuple):
    """An attachment and the resource through which it is read."""

    object: str
    size: int
    content_type: str
    key_id: int
    sealed_key: bytes
    patient: int
    has_key: bool
    """The key that seals it was not erased."""
    rid: int
    patients: Sequence[int]


class Used(NamedTuple):
    """A resource that uses an attachment."""

    name: bytes
    type: int
    id: str


class BlobRows:
    """Read and write the rows of one tenant's attachments."""

    def __init__(self, pool: Connections, tenant: int, reached: Callable[[str], None]) -> None:
        self._pool = pool.within(tenant)
        self._tenant = tenant
        self._reached = reached

    async def usage(self) -> int:
        """Return how many bytes the tenant keeps."""
        with translated():
            return int(await self._pool.fetchval(STATEMENTS["blob_usage"], self._tenant))

    async def add(self, row: NewRow, quota: int) -> Added:
        """Add a row unless its name is there. Raise ``QuotaExceeded`` or ``Erased``: none added."""
        values = (row.object, row.patient, row.size, row.content_type, row.key_id, row.sealed_key)
        async with self._transaction() as connection:
            found = await connection.fetchrow(
                STATEMENTS["blob_add"], self._tenant, row.name, *values, row.created
            )
            assert found is not None
            added = Added(*found)
            if not added.has_key:
                raise Erased
            if added.object == row.object:
                await self._count(connection, row.size, quota)
            self._reached("row added")
        self._reached("row committed")
        return added

    async def use(self, used: Used, at: datetime) -> None:
        """Let a resource use an attachment.

        Raise ``NotFound`` when there is no such attachment, no such resource, or the attachment
        is another patient's.
        """
        async with self._transaction() as connection:
            patient = await connection.fetchval(STATEMENTS["blob_lock"], self._tenant, used.name)
            if patient is None:
                raise NotFound
            rid = await connection.fetchval(
                STATEMENTS["blob_use"], self._tenant, *used, patient, at
            )
            if rid is None:
                raise NotFound
            await connection.execute(STATEMENTS["blob_used"], self._tenant, used.name)

    async def release(self, used: Used, at: datetime) -> None:
        """Let a resource use an attachment no longer; nothing happens when it does not."""
        async with self._transaction() as connection:
            await connection.fetchval(STATEMENTS["blob_lock"], self._tenant, used.name)
            await connection.execute(STATEMENTS["blob_release"], self._tenant, *used)
            await connection.execute(STATEMENTS["blob_unused"], self._tenant, used.name, at)

    async def readable(self, used: Used) -> Readable:
        """Return an attachment that a resource uses. Raise ``NotFound``."""
        with translated():
            row = await self._pool.fetchrow(
                STATEMENTS["blob_read"], self._tenant, used.type, used.id, used.name
            )
        if row is None:
            raise NotFound
        return Readable(*row)

    async def sweep(self, before: datetime, largest: int) -> list[str]:
        """Remove rows that nothing has used since a moment; return their objects."""
        async with self._transaction() as connection:
            rows = await connection.fetch(
                STATEMENTS["blob_sweepable"], self._tenant, before, largest
            )
            # A statement of its own sees what has been used until the rows were locked.
            swept = await connection.fetch(
                STATEMENTS["blob_sweep"], self._tenant, [row["name"] for row in rows]
            )
            size = sum(row["size"] for row in swept)
            if swept:
                await connection.execute(STATEMENTS["blob_uncount"], self._tenant, size)
        if swept:
            self._reached("rows removed")
        return [row["object"] for row in swept]

    async def without_row(self, objects: Sequence[str]) -> list[str]:
        """Return those objects that belong to no attachment."""
        with translated():
            rows = await self._pool.fetch(STATEMENTS["blob_kept"], self._tenant, objects)
        kept = {row["object"] for row in rows}
        return [name for name in objects if name not in kept]

    async def _count(self, connection: Connection, size: int, quota: int) -> None:
        # The row is locked until the commit: of uploads that end together none gets past the quota.
        total = await connection.fetchval(STATEMENTS["blob_count"], self._tenant, size)
        if total > quota:
            raise QuotaExceeded

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                yield connection
