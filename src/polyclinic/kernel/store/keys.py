"""Data keys: one for each patient, and one for each tenant's records of several people or none.

A key is made when it is first needed: an Observation may come before its Patient. In the database
it is wrapped under a key-encryption key; opened keys are remembered here, for a limited time and up
to a number, so that a read or a write asks for one only once in a while.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from polyclinic.base import log
from polyclinic.base.clock import Clock
from polyclinic.base.crypto import CannotOpen, Sealer, new_key
from polyclinic.base.db.connect import Record
from polyclinic.base.keys import KeyRing
from polyclinic.kernel.errors import Erased, Unreadable
from polyclinic.kernel.store.coalesce import Coalescer
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.recent import Recent

SHARED: Final = 0
"""The subject of records that belong to several patients or to none: the tenant itself."""
_REMEMBERED: Final = 50_000
"""Keys of a tenant that a process keeps opened, about 15 MB."""
_CIPHERS: Final = 2_048
"""Of these, how many are kept ready to use; a cipher takes 2.5 kB, and 2 us to make again."""
_LIFETIME: Final = 900.0
"""Seconds after which every opened key is forgotten, so that none outlives its erasure for long."""
_TRIES: Final = 4
_LOOKS: Final = 2

Fault = type[Erased] | type[Unreadable]


class DataKey(NamedTuple):
    """A data key as this process knows it."""

    key_id: int
    subject: int
    """The rid of the patient, or ``SHARED``."""
    secret: bytes
    epoch: int
    """When it was known to be there: no write is made under it when keys were destroyed since."""
    fault: Fault | None = None
    """Why it cannot be used: it was destroyed, or the key that wraps it is not here."""


class Limits(NamedTuple):
    """How much is remembered, and for how long."""

    keys: int = _REMEMBERED
    seconds: float = _LIFETIME
    now: Callable[[], float] = time.monotonic


USUAL: Final = Limits()


class _Opened:
    """What is remembered of one tenant."""

    def __init__(self, ring: KeyRing, limits: Limits) -> None:
        self.ring = ring
        self.by_id: Recent[int, DataKey] = Recent(limits.keys)
        self.by_subject: Recent[int, DataKey] = Recent(limits.keys)
        self.wrapping: Sealer | None = None
        """The current key-encryption key, as far as is known."""
        self.epoch: int | None = None
        """Of what is remembered; asked for before any key is."""
        self._limits = limits
        self._until = limits.now() + limits.seconds

    def fresh(self) -> None:
        """Forget all when it is time."""
        if self._limits.now() >= self._until:
            self.forget()
            self._until = self._limits.now() + self._limits.seconds

    def forget(self) -> None:
        """Forget every key."""
        self.by_id.clear()
        self.by_subject.clear()
        self.epoch = None

    def put(self, key: DataKey) -> None:
        """Remember a key, unless all were forgotten since it was asked for.

        One whose wrapping key is missing may be found the next time.
        """
        if key.fault is not Unreadable and key.epoch == self.epoch:
            self.by_id.put(key.key_id, key)
            self.by_subject.put(key.subject, key)


class DataKeys:
    """The data keys of every tenant that is open."""

    def __init__(self, pool: Connections, clock: Clock, limits: Limits = USUAL) -> None:
        self._pool = pool
        self._clock = clock
        self._limits = limits
        self._tenants: dict[int, _Opened] = {}
        self._finding: Coalescer[Collection[int], dict[int, DataKey]] = Coalescer(
            self._find, largest=64
        )
        self.cipher = lru_cache(maxsize=_CIPHERS)(AESGCM)

    def add(self, tenant: int, ring: KeyRing) -> None:
        """Open the keys of a tenant from now on."""
        self._tenants[tenant] = _Opened(ring, self._limits)

    def remove(self, tenant: int) -> None:
        """Put the keys of a tenant out of memory."""
        self._tenants.pop(tenant, None)
        self.cipher.cache_clear()

    async def of(self, tenant: int, subjects: Iterable[int]) -> dict[int, DataKey]:
        """Return the keys to write with, by the rid of the patient or ``SHARED``.

        What is missing is made, all in one statement. Raise ``Erased`` for a patient whose key was
        destroyed, ``Unreadable`` when the key-encryption key is not here.
        """
        opened = self._tenants[tenant]
        opened.fresh()
        found: dict[int, DataKey] = {}
        missing: set[int] = set()
        for subject in subjects:
            key = opened.by_subject.get(subject)
            if key is None:
                missing.add(subject)
            else:
                found[subject] = key
        if missing:
            found |= await self._finding.submit(tenant, missing)
        for key in found.values():
            if key.fault is not None:
                raise key.fault
        return found

    async def numbered(self, tenant: int, key_ids: Collection[int]) -> dict[int, DataKey]:
        """Return the keys that rows name, those included that were destroyed."""
        opened = self._tenants[tenant]
        opened.fresh()
        found: dict[int, DataKey] = {}
        missing: list[int] = []
        for key_id in key_ids:
            key = opened.by_id.get(key_id)
            if key is None:
                missing.append(key_id)
            else:
                found[key_id] = key
        if missing:
            found |= await self._stored(tenant, opened, missing)
        return found

    def forget(self, tenant: int, key_ids: Iterable[int]) -> None:
        """Ask the database again before these keys are used: one may have been destroyed."""
        opened = self._tenants[tenant]
        for key_id in key_ids:
            key = opened.by_id.get(key_id)
            if key is not None:
                opened.by_id.forget(key_id)
                opened.by_subject.forget(key.subject)

    async def check(self, tenant: int) -> int:
        """Forget every key when any was destroyed since they were asked for.

        Return the number of the tenant's own search parameters: the other reason for which a write
        may have been left out.
        """
        opened = self._tenants[tenant]
        with translated():
            state = await self._pool.within(tenant).fetchrow(STATEMENTS["write_state"], tenant)
        if state is None or state["epoch"] != opened.epoch:
            opened.forget()
        return 0 if state is None else int(state["number"])

    async def _stored(self, tenant: int, opened: _Opened, key_ids: list[int]) -> dict[int, DataKey]:
        found: dict[int, DataKey] = {}
        epoch = await self._epoch(tenant, opened)
        pool = self._pool.within(tenant)
        for _ in range(_LOOKS):
            with translated():
                rows = await pool.fetch(STATEMENTS["data_keys"], tenant, key_ids)
            for row in rows:
                found[row["key_id"]] = await self._open((tenant, epoch), opened, row)
            # Between the look and the unwrapping, a key may have been wrapped anew.
            key_ids = [key.key_id for key in found.values() if key.fault is Unreadable]
            if not key_ids:
                break
        return found

    async def _find(
        self, tenant: int, asked: list[Collection[int]]
    ) -> list[dict[int, DataKey] | BaseException]:
        found = await self._found_or_made(tenant, sorted({one for part in asked for one in part}))
        return [{subject: found[subject] for subject in part} for part in asked]

    async def _found_or_made(self, tenant: int, subjects: list[int]) -> dict[int, DataKey]:
        opened = self._tenants[tenant]
        found: dict[int, DataKey] = {}
        for _ in range(_TRIES):
            epoch = await self._epoch(tenant, opened)
            kek = opened.wrapping
            if kek is None:
                raise Unreadable
            wrapped = [kek.seal(new_key(), context(tenant, subject)) for subject in subjects]
            with translated():
                rows = await self._pool.within(tenant).fetch(
                    STATEMENTS["data_keys_of"],
                    *(tenant, subjects, wrapped, kek.name, self._clock.now()),
                )
            for row in rows:
                key = await self._open((tenant, epoch), opened, row)
                if key.fault is not Unreadable:
                    found[row["subject"]] = key
            subjects = [subject for subject in subjects if subject not in found]
            if not subjects:
                return found
            # Another process made them at the same time, or keys are being rotated.
            opened.wrapping, opened.epoch = None, None
        raise Unreadable

    async def _epoch(self, tenant: int, opened: _Opened) -> int:
        """Return the epoch of what is asked for from now on, and know the current wrapping key."""
        if opened.epoch is None:
            with translated():
                state = await self._pool.within(tenant).fetchrow(STATEMENTS["key_state"])
            assert state is not None
            kek = state["kek"]
            opened.wrapping = opened.ring.first if kek is None else await opened.ring.find(kek)
            if opened.wrapping is None:
                log.event("key.missing", level=logging.ERROR, kek=kek)
            opened.epoch = state["epoch"]
        return opened.epoch

    @staticmethod
    async def _open(place: tuple[int, int], opened: _Opened, row: Record) -> DataKey:
        """Unwrap a key of a tenant that was asked for in an epoch."""
        tenant, epoch = place
        key_id, subject, wrapped = row["key_id"], row["subject"], row["wrapped"]
        if wrapped is None:
            key = DataKey(key_id, subject, b"", epoch, Erased)
        else:
            kek = await opened.ring.find(row["kek"])
            try:
                secret = kek.open(wrapped, context(tenant, subject)) if kek else b""
            except CannotOpen:
                secret = b""
            key = DataKey(key_id, subject, secret, epoch, None if secret else Unreadable)
            if not secret:
                log.event("key.unusable", level=logging.ERROR, key=key_id, kek=row["kek"])
        opened.put(key)
        return key


def context(tenant: int, subject: int) -> bytes:
    """Return what the wrapping of a data key is bound to."""
    return b"data key of tenant %d, patient %d" % (tenant, subject)
