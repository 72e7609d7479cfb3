"""The keys of attachments, sealed under the data key of whom they are about."""

from polyclinic.base.crypto import CannotOpen, Sealer
from polyclinic.kernel.errors import Erased
from polyclinic.kernel.store.keys import DataKeys


class BlobKeys:
    """Seal and open the keys of attachments."""

    def __init__(self, keys: DataKeys) -> None:
        self._keys = keys

    async def seal(
        self, tenant: int, subject: int, secret: bytes, context: bytes
    ) -> tuple[int, bytes]:
        """Return the number of the data key of a patient (its rid), or of nobody, and the seal.

        Raise ``Erased`` or ``Unreadable``.
        """
        key = (await self._keys.of(tenant, [subject]))[subject]
        return key.key_id, Sealer(key.secret).seal(secret, context)

    async def open(self, tenant: int, key_id: int, sealed: bytes, context: bytes) -> bytes:
        """Return what was sealed. Raise ``Erased``, ``Unreadable`` or ``CannotOpen``."""
        key = (await self._keys.numbered(tenant, [key_id])).get(key_id)
        if key is None:
            raise CannotOpen
        if key.fault is not None:
            raise key.fault
        return Sealer(key.secret).open(sealed, context)

    def erased(self, tenant: int, key_id: int) -> Erased:
        """Forget a key that the database no longer has, and return what to tell."""
        self._keys.forget(tenant, [key_id])
        return Erased()
