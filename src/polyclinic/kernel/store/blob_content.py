"""The content of attachments on its way in and out: hashed, sealed, checked, never held whole."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from hashlib import sha256

from polyclinic.base import log
from polyclinic.base.blob import ChunkOpener, ChunkSealer, Draft, ObjectMissing, StorageFailed
from polyclinic.base.blob.chunks import CHUNK_BYTES
from polyclinic.base.crypto import CannotOpen, new_key
from polyclinic.kernel.errors import FhirError, Unavailable


class AttachmentDamaged(FhirError):
    """What is stored of the attachment is not what was stored; restore it from a backup."""


@dataclass(frozen=True, slots=True)
class Content:
    """An attachment that is being read."""

    size: int
    content_type: str
    chunks: AsyncGenerator[bytes, None]
    """What was checked, piece by piece. Raises ``AttachmentDamaged`` or ``Unavailable``.

    Close it (``contextlib.aclosing``) where it is not read to its end.
    """


class Incoming:
    """One upload: takes pieces of any size, and adds sealed chunks to a draft."""

    def __init__(self, draft: Draft) -> None:
        self.key = new_key()
        self.size = 0
        self._draft = draft
        self._digest = sha256()
        self._sealer = ChunkSealer(self.key)
        self._pending = bytearray()
        self._begun = False

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 of what came so far."""
        return self._digest.digest()

    async def take(self, data: bytes) -> None:
        """Take a piece."""
        self.size += len(data)
        self._pending += data
        # The last chunk is sealed as the last one, so one always waits.
        while len(self._pending) > CHUNK_BYTES:
            chunk = bytes(self._pending[:CHUNK_BYTES])
            del self._pending[:CHUNK_BYTES]
            await self._add(chunk, last=False)

    async def finish(self) -> None:
        """Seal the last chunk, and make the object durable."""
        await self._add(bytes(self._pending), last=True)
        await self._draft.publish()

    async def _add(self, chunk: bytes, *, last: bool) -> None:
        sealed = await asyncio.to_thread(self._seal, chunk, last)
        if not self._begun:
            self._begun = True
            sealed = self._sealer.header + sealed
        await self._draft.append(sealed)

    def _seal(self, chunk: bytes, last: bool) -> bytes:  # noqa: FBT001 - to_thread passes it on
        self._digest.update(chunk)
        return self._sealer.seal(chunk, last=last)


@dataclass(frozen=True, slots=True)
class Expected:
    """What an attachment must turn out to be."""

    object: str
    size: int
    key: bytes
    is_digest: Callable[[bytes], bool]
    """Says whether a SHA-256 is the one that the attachment's name was made from."""


async def opened(
    pieces: AsyncGenerator[bytes, None], expected: Expected
) -> AsyncGenerator[bytes, None]:
    """Yield what the pieces of an object hold; the last of it only when all of it is right."""
    opener, digest, size = ChunkOpener(expected.key), sha256(), 0
    with failing(expected.object):
        async with aclosing(pieces):
            async for piece in pieces:
                data = await asyncio.to_thread(opener.feed, piece)
                digest.update(data)
                size += len(data)
                if data:
                    yield data
        last = await asyncio.to_thread(opener.finish)
        digest.update(last)
        if size + len(last) != expected.size or not expected.is_digest(digest.digest()):
            raise CannotOpen
        yield last


@contextmanager
def failing(object_name: str) -> Iterator[None]:
    """Turn what storage and keys refuse into what a client is told."""
    try:
        yield
    except (CannotOpen, ObjectMissing) as error:
        log.event("attachment.damaged", level=logging.ERROR, object=object_name)
        raise AttachmentDamaged from error
    except StorageFailed as error:
        log.failure("attachment.storage_failed", error, object=object_name)
        message = "The storage of attachments cannot be used now; try again soon."
        raise Unavailable(message) from error
