"""Rotation: every key is wrapped under a new key-encryption key, while the servers go on working.

The steps, each of which may be the last one before the process is killed; another run finds what is
left to do:

1. the new key-encryption key is in the key file, beside the old one;
2. the table ``key_generation`` says that it is the current one: a server that would wrap a new data
   key under the old one is refused, reads the key file again, and wraps it under the new one;
3. the data keys are wrapped anew, some hundred at a time;
4. when nothing is wrapped under the old one any more, it is removed from the key file.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import asyncpg

from polyclinic.base.clock import Clock
from polyclinic.base.crypto import CannotOpen, Sealer
from polyclinic.base.db.connect import Connection, Record
from polyclinic.base.keys import KeyFile
from polyclinic.kernel.store.keys import context
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.tenancy import index_context

_BATCH: Final = 500
_LOCK_MILLISECONDS: Final = 500
_PAUSE_SECONDS: Final = 0.5


class KeysBusy(Exception):
    """Keys are being rotated, erased or imported already; wait until that has ended."""


class KeyDamaged(Exception):
    """A data key does not open under the key-encryption key that it names."""


class Rotated(NamedTuple):
    """What a rotation did."""

    kek: str
    """The name of the new key-encryption key."""
    keys: int
    """How many keys were wrapped anew."""


class Status(NamedTuple):
    """How many keys there are."""

    current: str | None
    """The name of the current key-encryption key; None until the first rotation."""
    wrapped: dict[str, int]
    """How many keys are wrapped under each key-encryption key."""
    destroyed: int


def nothing(_point: str) -> None:
    """Go on: nobody wants to know what was reached."""


@asynccontextmanager
async def alone(connection: Connection) -> AsyncIterator[None]:
    """Keep other changes of keys away. Raise ``KeysBusy`` when one is under way."""
    if not await connection.fetchval(STATEMENTS["keys_lock"]):
        raise KeysBusy
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute(STATEMENTS["keys_unlock"])


async def status(connection: Connection) -> Status:
    """Count the keys; any role may ask."""
    current = await connection.fetchval(STATEMENTS["key_generation"])
    wrapped: dict[str, int] = {}
    destroyed = 0
    for row in await connection.fetch(STATEMENTS["keys_counted"]):
        if row["wrapped"]:
            wrapped[row["kek"]] = row["count"]
        else:
            destroyed += row["count"]
    return Status(current, wrapped, destroyed)


async def rotate(
    connection: Connection, file: KeyFile, clock: Clock, reached: Callable[[str], None] = nothing
) -> Rotated:
    """Wrap every key under a new key-encryption key, and remove the old ones from the key file.

    What a run that was interrupted has left to do is done too. The connection is the owner's, and
    holds ``alone``. Raise ``KeyFileError`` and ``KeyDamaged``; then nothing is lost.
    """
    held = [key.name for key in await file.read()]
    await _check_held(connection, held)
    known = [row["kek"] for row in await connection.fetch(STATEMENTS["key_generations"])]
    if not known:
        known = held[:1]
        await connection.execute(STATEMENTS["key_generation_new"], held[0], clock.now())
    # A key in the file that was never current comes from a run that got no further.
    spare = [name for name in held if name not in known]
    new = spare[0] if spare else (await file.add()).name
    reached("added")
    await connection.execute(STATEMENTS["key_generation_new"], new, clock.now())
    reached("current")
    # A server that was just making a key may not have seen yet which one is current.
    await barrier(connection, "data_key")
    count = await _wrap_anew(connection, {key.name: key for key in await file.read()}, new, reached)
    await file.keep(new)
    reached("removed")
    return Rotated(new, count)


async def _check_held(connection: Connection, held: list[str]) -> None:
    """Raise ``KeyDamaged`` when keys are wrapped under one that the key file does not hold."""
    for kek in (await status(connection)).wrapped:
        if kek not in held:
            message = (
                f"keys are wrapped under {kek}, and the key file holds {', '.join(held)}; "
                "restore the key file from its backup, or run: polyclinic keys import FILE"
            )
            raise KeyDamaged(message)


async def barrier(connection: Connection, table: str) -> None:
    """Wait until every statement that began to write into a table before now has ended.

    Whoever begins to write meanwhile waits behind us, so each try is short.
    """
    while True:
        try:
            async with connection.transaction():
                await connection.execute(f"set local lock_timeout = {_LOCK_MILLISECONDS}")
                await connection.execute(f"lock table {table} in share row exclusive mode")
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return


async def _wrap_anew(
    connection: Connection, keys: dict[str, Sealer], new: str, reached: Callable[[str], None]
) -> int:
    """Wrap under a key what is wrapped under others; return how many there were."""
    count, after = 0, 0
    while rows := await connection.fetch(STATEMENTS["keys_to_wrap"], new, after, _BATCH):
        wrapped = [_wrapped(row, keys, keys[new]) for row in rows]
        await connection.execute(
            STATEMENTS["keys_wrap"],
            *(new, [row["key_id"] for row in rows], [row["kek"] for row in rows], wrapped),
        )
        count, after = count + len(rows), rows[-1]["key_id"]
        reached("wrapped")
    return count


def _wrapped(row: Record, keys: dict[str, Sealer], new: Sealer) -> bytes:
    tenant = row["tenant"]
    bound = index_context(tenant) if row["purpose"] == "index" else context(tenant, row["subject"])
    old = keys.get(row["kek"])
    try:
        if old is not None:
            return new.seal(old.open(row["wrapped"], bound), bound)
    except CannotOpen:
        pass
    message = (
        f"key {row['key_id']} does not open under {row['kek']}; restore the key file, or the row "
        "of data_key, from a backup, and start again"
    )
    raise KeyDamaged(message)
