"""The chain over audit rows: a MAC of each row, segments of them, each signed and tied to the last.

Keys are derived from the tenant's index key, which only the installation's key file opens: the
MACs by keyed BLAKE2b (RFC 7693), the signature by Ed25519 (RFC 8032) from a seed by HKDF (RFC
5869). docs/explanation/audit.md says what the chain proves and what it does not.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
import zstandard
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typing_extensions import override

MAC_BYTES: Final = 16
LARGEST: Final = 4096
"""Rows of a segment at most."""
GENESIS: Final = bytes(32)
"""What stands before the first segment."""

_MEMBERS_BYTES: Final = 128 * LARGEST
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.msgpack.Encoder().encode


class Place(NamedTuple):
    """Where a row stands in the order of commits: its transaction, process and number."""

    tx: int
    worker: int
    counter: int

    @override
    def __str__(self) -> str:
        return f"{self.tx}.{self.worker}.{self.counter}"


BEGINNING: Final = Place(0, 0, 0)
"""Before every row."""


class AuditRow(NamedTuple):
    """An audit row, in the order of the statements ``audit_unsealed`` and ``audit_sealed``."""

    tenant: int
    tx: int
    worker: int
    counter: int
    at: datetime
    account: int
    action: bytes
    outcome: int
    type: int
    rid: int
    version: int
    patients: Sequence[int]
    detail: bytes | None
    request: UUID | None
    interaction: int | None

    @property
    def place(self) -> Place:
        """Return where it stands."""
        return Place(self.tx, self.worker, self.counter)


class Keys:
    """What seals the audit record of a tenant."""

    def __init__(self, index_key: bytes) -> None:
        self._mac = blake2b(index_key, digest_size=32, person=b"polyclinic audit").digest()
        seed = HKDF(SHA256(), 32, salt=None, info=b"polyclinic audit signature").derive(index_key)
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        """The 32 bytes by which anybody can check a signature."""

    def mac(self, row: AuditRow) -> bytes:
        """Return the MAC of every column of a row."""
        columns = (
            *row[:4],
            (row.at - _EPOCH) // timedelta(microseconds=1),
            *row[5:11],
            list(row.patients),
            row.detail,
            row.request and row.request.bytes,
            row.interaction,
        )
        return blake2b(_encode(columns), key=self._mac, digest_size=MAC_BYTES).digest()

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        return self._private.sign(message)


class Segment(NamedTuple):
    """Rows of a tenant that follow one another in the order of their commits, sealed together."""

    tenant: int
    number: int
    """From 1, without a gap."""
    cluster: int
    """The system identifier of the database server on which the rows were written."""
    row_count: int
    total: int
    """Rows sealed so far, with those of this segment."""
    first: Place
    last: Place
    at: datetime
    """When it was sealed."""
    members: bytes
    """The places of its rows, compressed (``pack_members``)."""
    macs: bytes
    """The MACs of its rows, one after another."""
    previous: bytes
    """The chain hash of the segment before it."""
    chain: bytes
    signature: bytes

    @property
    def sealed(self) -> str:
        """Return when it was sealed, to the microsecond."""
        return self.at.astimezone(UTC).isoformat(timespec="microseconds")

    @property
    def message(self) -> bytes:
        """Return what is signed."""
        return message_of(
            {
                "tenant": self.tenant,
                "segment": self.number,
                "server": self.cluster,
                "rows": self.row_count,
                "total": self.total,
                "first": str(self.first),
                "last": str(self.last),
                "sealed": self.sealed,
                "previous": self.previous.hex(),
                "chain": self.chain.hex(),
            }
        )


class Before(NamedTuple):
    """What a new segment follows."""

    number: int = 0
    total: int = 0
    chain: bytes = GENESIS


def seal_rows(
    keys: Keys, before: Before, cluster: int, rows: Sequence[AuditRow], at: datetime
) -> Segment:
    """Return the segment of some rows, which are in the order of their commits."""
    places = [row.place for row in rows]
    members = pack_members(places)
    macs = b"".join(map(keys.mac, rows))
    segment = Segment(
        rows[0].tenant,
        before.number + 1,
        cluster,
        len(rows),
        before.total + len(rows),
        places[0],
        places[-1],
        at,
        members,
        macs,
        before.chain,
        chain_hash(before.chain, members, macs),
        b"",
    )
    return segment._replace(signature=keys.sign(segment.message))


def chain_hash(previous: bytes, members: bytes, macs: bytes) -> bytes:
    """Return what ties a segment's rows to all before it."""
    hashed = blake2b(previous, digest_size=32, person=b"polyclinic chain")
    hashed.update(len(members).to_bytes(8, "big"))
    hashed.update(members)
    hashed.update(macs)
    return hashed.digest()


def pack_members(places: Sequence[Place]) -> bytes:
    """Compress places."""
    before, steps = 0, []
    for place in places:
        steps.append(place.tx - before)
        before = place.tx
    columns = (steps, [place.worker for place in places], [place.counter for place in places])
    return zstandard.ZstdCompressor(level=3).compress(_encode(columns))


def unpack_members(members: bytes) -> list[Place]:
    """Return the places of a segment's rows. Raise ``ValueError`` when there are none to read."""
    try:
        if zstandard.frame_content_size(members) > _MEMBERS_BYTES:
            message = "the places of a segment are more than a segment has"
            raise ValueError(message)
        plain = zstandard.ZstdDecompressor().decompress(members, max_output_size=_MEMBERS_BYTES)
        steps, workers, counters = msgspec.msgpack.decode(
            plain, type=tuple[list[int], list[int], list[int]]
        )
    except (zstandard.ZstdError, msgspec.MsgspecError) as error:
        message = "the places of a segment cannot be read"
        raise ValueError(message) from error
    places, tx = [], 0
    for step, worker, counter in zip(steps, workers, counters, strict=True):
        tx += step
        places.append(Place(tx, worker, counter))
    return places


def message_of(fields: dict[str, Any]) -> bytes:
    """Return the text that is signed: a line each, so that others can write it down and check."""
    lines = [f"{name} {value}\n" for name, value in fields.items()]
    return ("polyclinic audit 1\n" + "".join(lines)).encode()


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether a signature is that of the key's owner."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
