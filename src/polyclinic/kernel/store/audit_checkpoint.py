"""Checkpoints: what a chain's newest segment says of itself, to be kept where we cannot reach it.

A line of JSON for each tenant. Whoever has it can check the signature without us, and later that
the chain still contains it: then nothing before it was changed, and its end was not cut off.
"""

from base64 import b64decode, b64encode

import msgspec

from polyclinic.kernel.store.audit_chain import Keys, Segment, is_signed, message_of
from polyclinic.kernel.store.tenancy import Tenant


class NoCheckpoint(Exception):
    """What was given is no checkpoint."""


class Checkpoint(msgspec.Struct, frozen=True):
    """The newest segment of a tenant at some moment; the fields up to ``chain`` are signed."""

    tenant: int
    segment: int
    server: int
    rows: int
    total: int
    first: str
    last: str
    sealed: str
    previous: str
    chain: str
    name: str
    """The tenant's name, for people."""
    key: str
    """The public key, base64."""
    signature: str

    @property
    def message(self) -> bytes:
        """Return what is signed."""
        fields = self.__struct_fields__[:10]
        return message_of({name: getattr(self, name) for name in fields})

    @property
    def is_whole(self) -> bool:
        """Say whether it is as its key's owner signed it."""
        try:
            public, signature = b64decode(self.key), b64decode(self.signature)
        except ValueError:
            return False
        return is_signed(public, signature, self.message)

    def is_of(self, segment: Segment) -> bool:
        """Say whether it was made of this segment."""
        return self.message == segment.message


def checkpoint_of(tenant: Tenant, segment: Segment) -> Checkpoint:
    """Return the checkpoint of a segment."""
    return Checkpoint(
        tenant=segment.tenant,
        segment=segment.number,
        server=segment.cluster,
        rows=segment.row_count,
        total=segment.total,
        first=str(segment.first),
        last=str(segment.last),
        sealed=segment.sealed,
        previous=segment.previous.hex(),
        chain=segment.chain.hex(),
        name=tenant.name,
        key=b64encode(Keys(tenant.index_key).public).decode(),
        signature=b64encode(segment.signature).decode(),
    )


def write_checkpoint(checkpoint: Checkpoint) -> str:
    """Return a checkpoint as a line of JSON."""
    return msgspec.json.encode(checkpoint).decode()


def read_checkpoints(data: bytes) -> list[Checkpoint]:
    """Return the checkpoints in lines of JSON. Raise ``NoCheckpoint``."""
    try:
        found = [
            msgspec.json.decode(line, type=Checkpoint) for line in data.split(b"\n") if line.strip()
        ]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        message = "the file holds something else than checkpoints"
        raise NoCheckpoint(message) from error
    if not found:
        message = "the file holds no checkpoint"
        raise NoCheckpoint(message)
    if not all(checkpoint.is_whole for checkpoint in found):
        message = "a checkpoint in the file was changed after it was signed"
        raise NoCheckpoint(message)
    return found
