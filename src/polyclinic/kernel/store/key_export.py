"""The wrapped data keys as a file, for a database that is restored from an older backup.

After a rotation, the keys in an older backup are wrapped under a key-encryption key that is nowhere
any more. The file has the same keys as they are wrapped now, all but those that were destroyed: the
backup's records open again, and those of whoever was erased do not.
"""

from datetime import datetime
from typing import Final, Literal, NamedTuple

import msgspec

from polyclinic.base.clock import Clock
from polyclinic.base.crypto import CannotOpen, Sealer
from polyclinic.base.db.connect import Connection
from polyclinic.base.keys import KeyFile
from polyclinic.kernel.store.keys import context
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.tenancy import index_context

_FORMAT: Final = "polyclinic wrapped data keys 1"


class NotImportable(Exception):
    """The file cannot be imported here; nothing was changed."""


class _Key(msgspec.Struct, frozen=True, array_like=True):
    key_id: int
    tenant: int
    purpose: Literal["index", "tenant", "patient"]
    subject: int
    kek: str
    wrapped: bytes | None
    destroyed: datetime | None


class _File(msgspec.Struct, frozen=True):
    format: Literal["polyclinic wrapped data keys 1"]
    generations: list[str]
    keys: list[_Key]


class Imported(NamedTuple):
    """What an import did."""

    wrapped: int
    """How many keys are as the file has them now."""
    destroyed: list[tuple[int, int]]
    """Tenant and rid of the patients whose keys are destroyed, now or before."""


async def export_keys(connection: Connection) -> bytes:
    """Return every data key as it is wrapped, and which were destroyed."""
    return msgspec.json.encode(
        _File(_FORMAT, await _generations(connection), await _keys(connection))
    )


async def import_keys(connection: Connection, file: KeyFile, data: bytes, clock: Clock) -> Imported:
    """Let the database's data keys be as the file has them; what is not in the file stays.

    A key that either has as destroyed is destroyed afterwards. Raise ``NotImportable`` when the
    file is of another installation, or does not open under the key file: nothing was changed then.
    """
    given = _read(data)
    known = {key.key_id: key for key in await _keys(connection)}
    keks = {key.name: key for key in await file.read()}
    found = [key for key in given.keys if key.key_id in known]
    for key in found:
        _check(key, known[key.key_id], keks)
    _check_left(known, found, keks)
    wrapped = [key for key in found if key.wrapped and known[key.key_id].wrapped]
    gone = [key for key in found if not key.wrapped and known[key.key_id].wrapped]
    async with connection.transaction():
        for name in given.generations:
            await connection.execute(STATEMENTS["key_generation_known"], name, clock.now())
        await connection.execute(
            STATEMENTS["keys_import"],
            [key.key_id for key in wrapped],
            [key.kek for key in wrapped],
            [key.wrapped for key in wrapped],
        )
        await connection.execute(
            STATEMENTS["keys_destroy"],
            [key.key_id for key in gone],
            [key.destroyed or clock.now() for key in gone],
        )
    if gone:
        await connection.execute(STATEMENTS["key_epoch_next"])
    erased = [key for key in found if not key.wrapped and key.subject]
    return Imported(len(wrapped), [(key.tenant, key.subject) for key in erased])


async def _generations(connection: Connection) -> list[str]:
    return [row["kek"] for row in await connection.fetch(STATEMENTS["key_generations"])]


async def _keys(connection: Connection) -> list[_Key]:
    return [_Key(*row) for row in await connection.fetch(STATEMENTS["keys_export"])]


def _read(data: bytes) -> _File:
    try:
        return msgspec.json.decode(data, type=_File)
    except msgspec.MsgspecError:
        message = "this is not a file that polyclinic keys export has written"
        raise NotImportable(message) from None


def _check(given: _Key, known: _Key, keks: dict[str, Sealer]) -> None:
    """Raise ``NotImportable`` unless this is the same key, and opens."""
    if (given.tenant, given.purpose, given.subject) != (known.tenant, known.purpose, known.subject):
        message = "the file is of another installation: it has other patients' keys"
        raise NotImportable(message)
    if given.wrapped is None:
        return
    kek = keks.get(given.kek)
    if kek is None:
        message = (
            f"the file's keys are wrapped under {given.kek}, and the key file holds "
            f"{', '.join(keks)}; import the file that was written after the last rotation"
        )
        raise NotImportable(message)
    tenant = given.tenant
    bound = index_context(tenant) if given.purpose == "index" else context(tenant, given.subject)
    try:
        kek.open(given.wrapped, bound)
    except CannotOpen:
        message = f"key {given.key_id} of the file is damaged; take another copy of the file"
        raise NotImportable(message) from None


def _check_left(known: dict[int, _Key], found: list[_Key], keks: dict[str, Sealer]) -> None:
    """Raise ``NotImportable`` when keys that the file lacks would stay closed."""
    in_file = {key.key_id for key in found}
    closed = [
        key
        for key in known.values()
        if key.wrapped and key.key_id not in in_file and key.kek not in keks
    ]
    if closed:
        message = (
            f"the file lacks {len(closed)} of the database's keys: it is older than they are; "
            "import the file that was written after the last rotation"
        )
        raise NotImportable(message)
