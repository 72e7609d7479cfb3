"""Attachments: content of any size, sealed, found by what it is, read through a resource.

An attachment's name is a keyed hash of its content, its media type and its patient. Its bytes lie
in storage as an object with a random name, sealed under a key of their own; that key stands in the
row, sealed under the key of the patient or the tenant: who erases that key erases the content in
every copy. The order of steps is: object durable, then row, then use; and backwards when it goes.
What a crash leaves in between can be seen by nobody, and ``sweep`` removes it.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from polyclinic.base.blob import BlobStorage, StorageFailed, blob_storage
from polyclinic.base.clock import Clock
from polyclinic.base.crypto import CannotOpen
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Erased, NotFound, PayloadTooLarge
from polyclinic.kernel.store.audit import About, Auditor, Note
from polyclinic.kernel.store.blob_content import Content, Expected, Incoming, failing, opened
from polyclinic.kernel.store.blob_keys import BlobKeys
from polyclinic.kernel.store.blob_rows import BlobRows, NewRow, QuotaExceeded, Used
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.keys import DataKeys
from polyclinic.kernel.store.placement import Placement
from polyclinic.kernel.store.prepared import Change
from polyclinic.kernel.store.stored import Stored
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import parse, type_number

GRACE: Final = timedelta(hours=1)
"""How long an upload may wait until a resource uses it."""
_TYPE: Final = "Binary"
"""The type whose rules say who may upload."""
_TICKET: Final = b"attachment ticket"
_SWEPT_AT_ONCE: Final = 500


class BlobSeams(NamedTuple):
    """What the store lends: who may do what is decided there."""

    tenant: Callable[[Principal], Tenant]
    may: Callable[[Principal, Action, str], Awaitable[object]]
    """Raises ``Forbidden``, with its audit row."""
    may_write: Callable[[Principal, Sequence[Change]], Awaitable[object]]
    """Raises ``Forbidden``, with its audit row."""
    read: Callable[[Principal, str, str], Awaitable[Stored]]
    """Reads a resource, with its audit row; raises ``NotFound`` for what must not be seen."""
    auditor: Auditor
    placement: Placement
    keys: DataKeys


def keeping(settings: Settings, clock: Clock) -> "Keeping":
    """Return where and how much an installation keeps, as its settings say."""
    return Keeping(blob_storage(settings, clock), settings.blob_max, settings.blob_quota)


def _nothing(_point: str) -> None:
    """Go on: nobody wants to know what was reached."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where attachments are kept, and how much of them."""

    storage: BlobStorage
    largest: int
    quota: int
    reached: Callable[[str], None] = _nothing
    """Told what was reached, for tests that end the process there."""


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """What is said of content before it comes."""

    content_type: str
    patient: str | None = None
    """The id of the Patient whose it is; None for what is nobody's."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Content that is stored, and that no resource uses yet."""

    name: str
    size: int
    sha256: str
    ticket: str
    """Lets its principal, and nobody else, have a resource use it within ``GRACE``."""


class Swept(NamedTuple):
    """What a sweep has removed."""

    unused: int
    orphans: int
    drafts: int


class Blobs:
    """The attachments of all tenants."""

    def __init__(self, pool: Connections, keeping: Keeping, seams: BlobSeams, clock: Clock) -> None:
        self._pool = pool
        self._keeping = keeping
        self._seams = seams
        self._clock = clock
        self._keys = BlobKeys(seams.keys)
        self._arriving: Counter[int] = Counter()

    async def write(
        self, principal: Principal, content: AsyncIterable[bytes], new: NewAttachment
    ) -> Uploaded:
        """Store content as it comes.

        Raise ``Forbidden``, ``PayloadTooLarge``, ``QuotaExceeded``, ``Unavailable``, or ``Erased``
        for a patient whose record was erased; then nothing of it can be seen.
        """
        await self._seams.may(principal, Action.CREATE, _TYPE)
        tenant = self._seams.tenant(principal)
        patient = await self._patient(tenant, new.patient)
        place = _place(tenant)
        with failing(place):
            draft = await self._keeping.storage.begin(place)
            try:
                incoming = Incoming(draft)
                await self._receive(tenant.number, content, incoming)
            except BaseException:
                await draft.discard()
                raise
        name = _name(tenant, patient, new.content_type, incoming.digest)
        key_id, sealed = await self._keys.seal(
            tenant.number, patient, incoming.key, _context(tenant, name, draft.name)
        )
        now = self._clock.now()
        row = NewRow(
            *(name, draft.name, patient, incoming.size, new.content_type, key_id, sealed, now)
        )
        await self._add(tenant, row)
        await self._note(principal, Action.CREATE, 0, [patient] if patient else [])
        ticket = _Ticket(name, principal.account, now + GRACE)
        return Uploaded(name.hex(), incoming.size, incoming.digest.hex(), _written(tenant, ticket))

    async def use(
        self, principal: Principal, ticket: str, resource_type: str, resource_id: str
    ) -> str:
        """Let a resource use what its principal has uploaded; return the attachment's name.

        Raise ``Forbidden``, or ``NotFound`` for a resource that the principal does not see or that
        is not of the attachment's patient, and for a ticket of somebody else or of long ago.
        """
        await self._may_change(principal, resource_type, resource_id)
        tenant, now = self._seams.tenant(principal), self._clock.now()
        given = _read_ticket(tenant, ticket)
        if given.account != principal.account or given.expires < now:
            raise NotFound
        used = Used(given.name, type_number(resource_type), resource_id)
        await self._rows(tenant).use(used, now)
        return given.name.hex()

    async def release(
        self, principal: Principal, name: str, resource_type: str, resource_id: str
    ) -> None:
        """Let a resource use an attachment no longer; unused, it is swept after ``GRACE``."""
        await self._may_change(principal, resource_type, resource_id)
        used = Used(_parsed(name), type_number(resource_type), resource_id)
        await self._rows(self._seams.tenant(principal)).release(used, self._clock.now())

    async def open(
        self, principal: Principal, name: str, resource_type: str, resource_id: str
    ) -> Content:
        """Return an attachment of a resource that the principal may read.

        Raise ``NotFound``, ``Forbidden``, ``Erased``, ``Unreadable`` or ``AttachmentDamaged``.
        """
        await self._seams.read(principal, resource_type, resource_id)
        tenant = self._seams.tenant(principal)
        used = Used(_parsed(name), type_number(resource_type), resource_id)
        row = await self._rows(tenant).readable(used)
        await self._note(principal, Action.READ, row.rid, row.patients)
        context = _context(tenant, used.name, row.object)
        if not row.has_key:
            raise self._keys.erased(tenant.number, row.key_id)
        with failing(row.object):
            key = await self._keys.open(tenant.number, row.key_id, row.sealed_key, context)
        named = partial(_name, tenant, row.patient, row.content_type)
        expected = Expected(row.object, row.size, key, lambda sha256: named(sha256) == used.name)
        pieces = self._keeping.storage.read(_place(tenant), row.object)
        return Content(row.size, row.content_type, opened(pieces, expected))

    async def usage(self, principal: Principal) -> int:
        """Return how many bytes the principal's tenant keeps."""
        return await self._rows(self._seams.tenant(principal)).usage()

    async def sweep(self, principal: Principal) -> Swept:
        """Remove what no resource has used for ``GRACE``, and what crashes have left behind."""
        await self._seams.may(principal, Action.DELETE, _TYPE)
        tenant = self._seams.tenant(principal)
        before = self._clock.now() - GRACE
        with failing(_place(tenant)):
            unused = await self._sweep_unused(tenant, before)
            orphans = await self._sweep_orphans(tenant, before)
            drafts = await self._keeping.storage.tidy(_place(tenant), before)
        return Swept(unused, orphans, drafts)

    async def _may_change(self, principal: Principal, resource_type: str, resource_id: str) -> None:
        """Raise ``Forbidden`` or ``NotFound`` unless the principal may update a resource."""
        await self._seams.may(principal, Action.UPDATE, resource_type)
        stored = await self._seams.read(principal, resource_type, resource_id)
        change = Change(resource_type, resource_id, parse(stored.body))
        await self._seams.may_write(principal, [change])

    async def _patient(self, tenant: Tenant, patient: str | None) -> int:
        if patient is None:
            return 0
        place = type_number("Patient"), patient
        with translated():
            return (await self._seams.placement.targets(tenant.number, [place]))[place]

    async def _note(
        self, principal: Principal, action: Action, rid: int, patients: Sequence[int]
    ) -> None:
        about = About(type_number(_TYPE), rid, 0, patients)
        await self._seams.auditor.write(
            Note(principal.tenant, principal.account, action.value, 0, about)
        )

    async def _receive(
        self, tenant: int, content: AsyncIterable[bytes], incoming: Incoming
    ) -> None:
        """Take content within the limits, whatever length was announced."""
        kept = await BlobRows(self._pool, tenant, self._keeping.reached).usage()
        size = 0
        try:
            async for data in content:
                size += len(data)
                self._arriving[tenant] += len(data)
                if size > self._keeping.largest:
                    message = f"An attachment may have {self._keeping.largest} bytes."
                    raise PayloadTooLarge(message)
                if kept + self._arriving[tenant] > self._keeping.quota:
                    raise QuotaExceeded
                await incoming.take(data)
            await incoming.finish()
        finally:
            self._arriving[tenant] -= size

    async def _add(self, tenant: Tenant, row: NewRow) -> None:
        """Add the row, or keep the one of the same name and let our object go.

        When the database is lost at the commit, nobody knows whether the row is there: then the
        object stays, and if it is an orphan the sweep finds it.
        """
        try:
            added = await self._rows(tenant).add(row, self._keeping.quota)
        except QuotaExceeded:
            await self._forget(tenant, row.object)
            raise
        except Erased:
            await self._forget(tenant, row.object)
            raise self._keys.erased(tenant.number, row.key_id) from None
        if added.object != row.object:
            await self._forget(tenant, row.object)

    async def _forget(self, tenant: Tenant, name: str) -> None:
        try:
            await self._keeping.storage.delete(_place(tenant), name)
        except StorageFailed:
            return  # the sweep finds it

    async def _sweep_unused(self, tenant: Tenant, before: datetime) -> int:
        removed = 0
        while objects := await self._rows(tenant).sweep(before, _SWEPT_AT_ONCE):
            for name in objects:
                await self._keeping.storage.delete(_place(tenant), name)
            removed += len(objects)
        return removed

    async def _sweep_orphans(self, tenant: Tenant, before: datetime) -> int:
        removed, old = 0, []
        async for found in self._keeping.storage.find(_place(tenant)):
            if found.modified < before:
                old.append(found.name)
            if len(old) == _SWEPT_AT_ONCE:
                removed += await self._remove_orphans(tenant, old)
                old = []
        return removed + await self._remove_orphans(tenant, old)

    async def _remove_orphans(self, tenant: Tenant, names: Sequence[str]) -> int:
        orphans = await self._rows(tenant).without_row(names)
        for name in orphans:
            await self._keeping.storage.delete(_place(tenant), name)
        return len(orphans)

    def _rows(self, tenant: Tenant) -> BlobRows:
        return BlobRows(self._pool, tenant.number, self._keeping.reached)


class _Ticket(msgspec.Struct, frozen=True, array_like=True):
    """That somebody has uploaded something."""

    name: bytes
    account: int
    expires: datetime


def _written(tenant: Tenant, ticket: _Ticket) -> str:
    sealed = tenant.sealer.seal(msgspec.msgpack.encode(ticket), _TICKET)
    return urlsafe_b64encode(sealed).decode()


def _read_ticket(tenant: Tenant, text: str) -> _Ticket:
    try:
        data = tenant.sealer.open(urlsafe_b64decode(text.encode()), _TICKET)
        return msgspec.msgpack.decode(data, type=_Ticket)
    except (CannotOpen, ValueError, msgspec.MsgspecError):
        raise NotFound from None


def _name(tenant: Tenant, patient: int, content_type: str, digest: bytes) -> bytes:
    """Return the name of content: the same for the same content, type and patient of a tenant."""
    hashed = blake2b(digest_size=32, key=tenant.index_key, person=b"polyclinic blob")
    hashed.update(patient.to_bytes(8, "big") + digest + content_type.encode())
    return hashed.digest()


def _context(tenant: Tenant, name: bytes, stored: str) -> bytes:
    """Return what an attachment's key is bound to: no other row and no other object opens it."""
    return b"attachment of tenant %d: %b %b" % (tenant.number, name, stored.encode())


def _place(tenant: Tenant) -> str:
    """Return where a tenant's objects lie.

    It comes from the tenant's key: a database with other keys never takes them for orphans.
    """
    key = tenant.index_key
    return blake2b(digest_size=16, key=key, person=b"polyclinic place").hexdigest()


def _parsed(name: str) -> bytes:
    try:
        return bytes.fromhex(name)
    except ValueError:
        raise NotFound from None
