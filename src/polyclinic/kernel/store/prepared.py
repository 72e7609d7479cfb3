"""What is to be written, and what of it does not depend on what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Protocol

from polyclinic.base.db.connect import Connection
from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.errors import Conflict, Gone, NotFound, VersionConflict
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.index_values import IndexValues
from polyclinic.kernel.store.handles import Handle
from polyclinic.kernel.store.index import targets
from polyclinic.kernel.store.keys import SHARED, DataKey
from polyclinic.kernel.store.placement import Place
from polyclinic.kernel.store.stored import Written
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import Resource, type_number

_PATIENT: Final = type_number("Patient")
_NO_KEY: Final = DataKey(0, SHARED, b"", 0)


class Keeper(Protocol):
    """Keeps an answer in the transaction of the writes that it answers for."""

    async def keep(
        self,
        connection: Connection,
        changes: Sequence["Change"],
        written: Sequence[Written | None],
    ) -> list[Written]:
        """Keep the answer; return what was written, with what stands where nothing was changed.

        Whatever it raises undoes all of it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """A resource to store, or one to delete, and what must be true for it."""

    type: str
    id: str
    resource: Resource | None
    """None deletes."""
    if_match: int | None = None
    """The version that must be current."""
    must_be_new: bool = False
    """The id was just made, so nothing can be there."""
    keeper: Keeper | None = None
    """Keeps an answer in the transaction that all of it is written in."""
    must_be_absent: bool = False
    """Nothing may be there, though the id was chosen by the client."""
    is_pinned: bool = False
    """``if_match`` is the version that was looked at just now, not one that the client named."""
    even_same: bool = False
    """Content that is the same makes a version too: something refers to the one to come."""

    @property
    def place(self) -> Place:
        """Return where it stands."""
        return type_number(self.type), self.id

    @property
    def action(self) -> Action:
        """Return what it does, as a principal may or may not."""
        if self.resource is None:
            return Action.DELETE
        is_new = self.must_be_new or self.must_be_absent
        return Action.CREATE if is_new else Action.UPDATE


class Unchanged(Exception):
    """The stored content is the same already; no version is made."""


class Prepared:
    """A change with what follows from it alone; the dear parts only when needed."""

    __slots__ = ("_targets", "_values", "change", "custom", "digest", "key", "rid", "was_deleted")

    def __init__(self, change: Change, tenant: Tenant) -> None:
        self.change = change
        self.rid = 0
        self.was_deleted = False
        self.key = _NO_KEY
        self.digest = 0
        self.custom = tenant.custom.now
        self._values: IndexValues | None = None
        self._targets: set[Place] | None = None
        if change.resource is not None:
            hashed = blake2b(change.resource.body, digest_size=8, key=tenant.index_key)
            self.digest = int.from_bytes(hashed.digest(), "big", signed=True)

    @property
    def values(self) -> IndexValues | None:
        """Return what the resource is found by."""
        if self._values is None and self.change.resource is not None:
            self._values = extract(self.change.resource, custom=self.custom)
        return self._values

    @property
    def targets(self) -> set[Place]:
        """Return what the resource refers to."""
        if self._targets is None:
            self._targets = targets(self.values) if self.values else set()
        return self._targets

    def renew(self, tenant: Tenant) -> None:
        """Take the search parameters that the tenant has now, when they are others."""
        if self.custom is not tenant.custom.now:
            self.custom = tenant.custom.now
            self._values = self._targets = None

    def subject(self, rid_of: dict[Place, int]) -> int:
        """Return under whose key it belongs: the rid of its only patient, or ``SHARED``."""
        patients = self.values.patients if self.values else []
        return rid_of[_PATIENT, patients[0]] if len(patients) == 1 else SHARED


def same(item: Prepared, handle: Handle | None) -> bool:
    """Say whether what is stored has the content of a change already."""
    return (
        handle is not None
        and item.change.resource is not None
        and not item.change.even_same
        and item.change.if_match in (None, handle.version)
        and handle.version > 0
        and not handle.deleted
        and handle.digest == item.digest
    )


def doubtful(handle: Handle, item: Prepared) -> bool:
    """Say whether a remembered handle would refuse the change, and so must be asked for again."""
    change = item.change
    if change.if_match is not None and change.if_match != handle.version:
        return True
    if change.resource is None:
        return handle.deleted or handle.version == 0
    if change.must_be_absent and not handle.deleted and handle.version > 0:
        return True
    return handle.digest == item.digest and not handle.deleted


def check(item: Prepared, handle: Handle | None) -> None:
    """Raise what a change meets: a conflict, nothing to delete, or nothing to do."""
    change = item.change
    present = handle if handle is not None and handle.version > 0 else None
    if change.if_match is not None and (present is None or change.if_match != present.version):
        raise VersionConflict
    if change.resource is None:
        if present is None:
            raise NotFound
        if present.deleted:
            raise Gone
        return
    item.was_deleted = present is not None and present.deleted
    if change.must_be_absent and present is not None and not present.deleted:
        message = "There is another resource under this id, which the condition does not match."
        raise Conflict(message)
    if same(item, handle):
        raise Unchanged
