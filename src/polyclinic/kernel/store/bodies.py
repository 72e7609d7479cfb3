"""Bodies of resources, sealed: compressed, then AES-256-GCM under the key of whom they are about.

A sealed body is nonce, ciphertext and tag, bound to tenant, type, id and version: moved to another
row, or an earlier one put back, it does not open. https://doi.org/10.6028/NIST.SP.800-38D
"""

import logging
from collections.abc import Mapping, Sequence
from secrets import token_bytes
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from zstandard import ZstdError

from polyclinic.base import log
from polyclinic.base.db.connect import Record
from polyclinic.kernel.errors import Erased, FhirError, Gone, Unreadable
from polyclinic.kernel.store.codec import pack, unpack
from polyclinic.kernel.store.keys import DataKey, DataKeys
from polyclinic.kernel.store.stored import Stored
from polyclinic.kernel.types import type_name

_NONCE: Final = 12
"""Bytes, drawn at random for each body; a key may seal 2**32 bodies (SP 800-38D, 8.3)."""
BODILESS: Final = (Gone, Erased, Unreadable)
"""Why a resource that there is or was has no body to show."""


class SealedBody(NamedTuple):
    """A body as it stands in its row."""

    type: int
    id: str
    version: int
    key_id: int
    """0 where there never was a body: a deletion."""
    dict_id: int
    body: bytes | None
    """None without a body, and after its erasure."""


class Bodies:
    """Seal bodies, and open what rows hold."""

    def __init__(self, keys: DataKeys) -> None:
        self._keys = keys

    def seal(self, key: DataKey, bound: bytes, body: bytes) -> bytes:
        """Return a body as it goes into its row."""
        nonce = token_bytes(_NONCE)
        return nonce + self._keys.cipher(key.secret).encrypt(nonce, pack(body), bound)

    async def open(self, tenant: int, rows: Sequence[SealedBody]) -> list[bytes | FhirError]:
        """Return for each row its body, empty without one, or why it cannot be had.

        That is ``Erased`` or ``Unreadable``. One row's fault is no other's. Waits only for keys
        that are not remembered.
        """
        keys = await self._keys.numbered(tenant, {row.key_id for row in rows if row.body})
        return [self._body(tenant, row, keys) for row in rows]

    async def stored(self, tenant: int, type_number: int, row: Record) -> Stored:
        """Return the one version that a row holds.

        Raise ``Gone`` for a deletion, ``Erased`` or ``Unreadable``.
        """
        if row["deleted"]:
            raise Erased if row["key_id"] else Gone
        (body,) = await self.open(tenant, [sealed_body(row, type_number)])
        version = type_name(type_number), row["id"], row["version"]
        stored = Stored.opened(version, row["last_updated"], body)
        if stored.fault is not None:
            raise stored.fault
        return stored

    def _body(self, tenant: int, row: SealedBody, keys: dict[int, DataKey]) -> bytes | FhirError:
        sealed = row.body
        if sealed is None:
            return Erased() if row.key_id else b""
        key = keys.get(row.key_id)
        if key is not None and key.fault is Erased:
            return Erased()
        try:
            if key is not None and key.fault is None:
                packed = self._keys.cipher(key.secret).decrypt(
                    sealed[:_NONCE],
                    sealed[_NONCE:],
                    bound(tenant, row.type, row.id, row.version),
                )
                return unpack(row.dict_id, packed)
        except (InvalidTag, ValueError, ZstdError):
            pass
        log.event(
            "body.unreadable",
            level=logging.ERROR,
            tenant=tenant,
            type=row.type,
            id=row.id,
            version=row.version,
            key=row.key_id,
        )
        return Unreadable()


def sealed_body(row: Record | Mapping[str, Any], type_number: int | None = None) -> SealedBody:
    """Return the body of a row that has its columns by name; the type, where it has no column."""
    return SealedBody(
        row["type"] if type_number is None else type_number,
        row["id"],
        row["version"],
        row["key_id"],
        row["dict_id"],
        row["body"],
    )


def bound(tenant: int, type_number: int, resource_id: str, version: int) -> bytes:
    """Return what a body is bound to."""
    return b"%d|%d|%b|%d" % (tenant, type_number, resource_id.encode(), version)
