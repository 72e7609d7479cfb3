"""A tenant: an organization whose data nobody else's query can reach, and the keys it has."""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from polyclinic.base.clock import Clock
from polyclinic.base.crypto import CannotOpen, Sealer, new_key
from polyclinic.base.db.connect import Connection, Record
from polyclinic.base.keys import KeyRing
from polyclinic.kernel.store.custom_known import Known
from polyclinic.kernel.store.queries import STATEMENTS

DEFAULT: Final = "default"


class KeyLost(Exception):
    """The database's keys were wrapped under a key that the key file does not hold."""

    def __init__(self, tenant: str, kek: str, ring: KeyRing) -> None:
        super().__init__(
            f"the keys of tenant {tenant} were wrapped under key {kek}, and the key file holds "
            f"{', '.join(ring.names)}; restore the key file from its backup, or, when the database "
            "was restored from a backup that is older than the last change of that key, run: "
            "polyclinic keys import FILE"
        )


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organization."""

    number: int
    name: str
    index_key: bytes
    """Under it the values of token, reference and uri searches are hashed."""
    sealer: Sealer
    """Seals page tokens and the queries in audit rows."""
    custom: Known = field(default_factory=Known, compare=False)
    """The search parameters that it defined, as this process knows them."""


async def open_tenant(connection: Connection, name: str, ring: KeyRing, clock: Clock) -> Tenant:
    """Return a tenant, which is made when it is missing.

    Raise ``KeyLost`` when the key file is not the one that its keys were wrapped under.
    """
    row = await connection.fetchrow(STATEMENTS["tenant"], name)
    if row is None or row["wrapped"] is None:
        row = await _create(connection, name, ring, clock)
    kek = await ring.find(row["kek"])
    if kek is None:
        raise KeyLost(name, row["kek"], ring)
    try:
        index_key = kek.open(row["wrapped"], index_context(row["tenant"]))
    except CannotOpen:
        raise KeyLost(name, row["kek"], ring) from None
    await _check_others(connection, row["tenant"], name, ring)
    sealing = blake2b(index_key, digest_size=32, person=b"polyclinic seal").digest()
    known = Known()
    if found := await connection.fetchrow(STATEMENTS["custom_search"], row["tenant"]):
        known.learn(found)
    return Tenant(row["tenant"], name, index_key, Sealer(sealing), known)


async def _check_others(connection: Connection, tenant: int, name: str, ring: KeyRing) -> None:
    """Raise ``KeyLost`` when any data key is wrapped under a key that is not here."""
    elsewhere = await connection.fetchval(STATEMENTS["keys_elsewhere"], tenant, list(ring.names))
    # Between the two looks, keys may have been wrapped under a new key, which is in the file then.
    if elsewhere is not None and await ring.find(elsewhere) is None:
        raise KeyLost(name, elsewhere, ring)


async def _create(connection: Connection, name: str, ring: KeyRing, clock: Clock) -> Record:
    await connection.execute(STATEMENTS["tenant_new"], name, clock.now())
    number = await connection.fetchval(STATEMENTS["tenant_number"], name)
    while True:
        current = await connection.fetchval(STATEMENTS["key_generation"])
        kek = ring.first if current is None else await ring.find(current)
        if kek is None:
            raise KeyLost(name, current, ring)
        wrapped = kek.seal(new_key(), index_context(number))
        await connection.execute(
            STATEMENTS["index_key_new"], number, kek.name, wrapped, clock.now()
        )
        row = await connection.fetchrow(STATEMENTS["tenant"], name)
        # Without a key, keys are being rotated: another one is current now.
        if row is not None and row["wrapped"] is not None:
            return row


def index_context(tenant: int) -> bytes:
    """Return what the wrapping of a tenant's index key is bound to."""
    return b"index key of tenant %d" % tenant
