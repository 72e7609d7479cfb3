"""Places in the change feed, the cursors that clients keep of them, and the epochs they hold in.

Changes stand in the order of their transactions, and PostgreSQL counts transactions within one
cluster: what came with a dump carries numbers of another. Each cluster that the data has lived in
is a part of the feed, told apart by the sequence, which a dump does carry.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from polyclinic.base.db.connect import Record
from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.tenancy import Tenant

LAST: Final = 2**63 - 1
"""The largest number of a sequence."""
_CURSOR: Final = struct.Struct(">qQQQ")
_KEY_BYTES: Final = 64


class Place(NamedTuple):
    """Just behind one change."""

    part: int
    """The part's first sequence number, exclusive."""
    tx: int
    seq: int


BEGINNING: Final = Place(0, 0, 0)


class Cursor(NamedTuple):
    """A place, and the epoch it holds in."""

    epoch: int
    place: Place


@dataclass(frozen=True, slots=True)
class Epoch:
    """A time in which the numbers of transactions have kept their meaning."""

    token: int
    here: tuple[str, str]
    """The cluster with its database, and the timeline."""
    parts: tuple[int, ...]
    """Where each part begins; the last one grows."""

    def bounds(self, part: int) -> tuple[int, int, bool]:
        """Return the sequence numbers of a part, above the first up to the second, and if it grows.

        Raise ``ValueError`` for what is no part.
        """
        at = self.parts.index(part) + 1
        return (part, LAST, True) if at == len(self.parts) else (part, self.parts[at], False)

    def following(self, part: int) -> Place:
        """Return where the part after one begins."""
        return Place(self.parts[self.parts.index(part) + 1], 0, 0)


BEYOND: Final = 2**64 - 1
"""A horizon that is behind everything."""


class Source(Protocol):
    """A pool, or a connection with its transaction."""

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Record]:
        """Return the rows of a statement."""
        ...

    async def fetchrow(self, sql: str, *arguments: object) -> Record | None:
        """Return the first row of a statement."""
        ...

    async def execute(self, sql: str, *arguments: object) -> object:
        """Run a statement."""
        ...


async def horizon_of(source: Source) -> int:
    """Return the transaction id below which nothing can be added any more.

    What is read up to it has to be read by a later statement.
    """
    row = await source.fetchrow(STATEMENTS["feed_horizon"])
    assert row is not None
    return int(row[0])


class Epochs:
    """The epochs of the database that is served."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._current: Epoch | None = None

    async def current(self) -> Epoch:
        """Return the epoch as it was found last."""
        return self._current or await self.begin()

    async def begin(self) -> Epoch:
        """Return the epoch that holds now; one begins when the database has moved."""
        with translated():
            await self._source.execute(STATEMENTS["feed_epoch_begin"])
        return await self.read()

    async def read(self) -> Epoch:
        """Return the newest epoch that has begun."""
        with translated():
            rows = await self._source.fetch(STATEMENTS["feed_epochs"])
        self._current = _epoch(rows[-1], tuple(sorted({row["first_seq"] for row in rows})))
        return self._current


def _epoch(row: Record, parts: tuple[int, ...]) -> Epoch:
    return Epoch(row["token"], (row["system"], row["timeline"]), parts)


class Cursors:
    """Write a tenant's cursors, so that only whoever they were written for can use them.

    AES-SIV (RFC 5297): the same place has the same cursor each time, so that a page that is asked
    for again is the same to the byte. In clear, the numbers would tell how busy other tenants are.
    """

    def __init__(self, tenant: Tenant) -> None:
        key = blake2b(tenant.index_key, digest_size=_KEY_BYTES, person=b"polyclinic feed")
        self._cipher = AESSIV(key.digest())

    def write(self, cursor: Cursor, context: bytes) -> str:
        """Return a cursor as text, 64 characters that stand in an address as they are."""
        data = _CURSOR.pack(cursor.epoch, *cursor.place)
        return urlsafe_b64encode(self._cipher.encrypt(data, [context])).decode()

    def read(self, text: str, context: bytes) -> Cursor:
        """Return what was written. Raise ``BadRequest`` when it was written for somebody else."""
        try:
            data = self._cipher.decrypt(urlsafe_b64decode(text.encode("ascii")), [context])
        except (InvalidTag, ValueError):
            message = "This cursor belongs to another filter or another user; use it as you got it."
            raise BadRequest(message) from None
        epoch, *place = _CURSOR.unpack(data)
        return Cursor(epoch, Place(*place))
