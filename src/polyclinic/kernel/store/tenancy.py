"""A tenant: an organization whose data nobody else's query can reach, and the keys it has."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from polyclinic.base.clock import Clock
from polyclinic.base.crypto import CannotOpen, Sealer, new_key
from polyclinic.base.db.connect import Connection, Record
from polyclinic.kernel.store.queries import STATEMENTS

DEFAULT: Final = "default"


class KeyLost(Exception):
    """The database's keys were wrapped under another key file; restore that file."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organization."""

    number: int
    name: str
    index_key: bytes
    """Under it the values of token, reference and uri searches are hashed."""
    sealer: Sealer
    """Seals page tokens and the queries in audit rows."""


async def open_tenant(connection: Connection, name: str, kek: Sealer, clock: Clock) -> Tenant:
    """Return a tenant, which is made when it is missing.

    Raise ``KeyLost`` when the key file is not the one that its keys were wrapped under.
    """
    row = await connection.fetchrow(STATEMENTS["tenant"], name)
    if row is None or row["wrapped"] is None:
        row = await _create(connection, name, kek, clock)
    try:
        index_key = kek.open(row["wrapped"], _context(row["tenant"]))
    except CannotOpen:
        message = (
            f"the keys of tenant {name} were wrapped under key {row['kek']}, and the key file "
            f"holds {kek.name}; restore the key file from its backup"
        )
        raise KeyLost(message) from None
    sealing = blake2b(index_key, digest_size=32, person=b"polyclinic seal").digest()
    return Tenant(row["tenant"], name, index_key, Sealer(sealing))


async def _create(connection: Connection, name: str, kek: Sealer, clock: Clock) -> Record:
    await connection.execute(STATEMENTS["tenant_new"], name, clock.now())
    number = await connection.fetchval(STATEMENTS["tenant_number"], name)
    wrapped = kek.seal(new_key(), _context(number))
    await connection.execute(STATEMENTS["index_key_new"], number, kek.name, wrapped, clock.now())
    row = await connection.fetchrow(STATEMENTS["tenant"], name)
    assert row is not None
    return row


def _context(tenant: int) -> bytes:
    return b"index key of tenant %d" % tenant
