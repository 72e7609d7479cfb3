"""What keeps the bytes of large files: the contract of a local disk and of an S3 service.

An object is written once and never changed. It appears whole or not at all, and only when it is
durable. Objects lie in a *place*, which is an organization's own.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class StorageFailed(Exception):
    """The storage of attachments cannot be used now."""


class ObjectMissing(Exception):
    """The storage has no such object."""


@dataclass(frozen=True, slots=True)
class Found:
    """One object that lies in a place."""

    name: str
    modified: datetime


class Draft(Protocol):
    """An object that is being written and that nobody can see."""

    name: str
    """What the object will be called: 32 hexadecimal digits that mean nothing."""

    async def append(self, data: bytes) -> None:
        """Add to its end. Raise ``StorageFailed``."""
        ...

    async def publish(self) -> None:
        """Make it durable and then visible. Raise ``StorageFailed``."""
        ...

    async def discard(self) -> None:
        """Forget it; an error is left to ``BlobStorage.tidy``."""
        ...


class BlobStorage(Protocol):
    """Keeps objects."""

    async def begin(self, place: str) -> Draft:
        """Begin an object. Raise ``StorageFailed``."""
        ...

    def read(self, place: str, name: str) -> AsyncGenerator[bytes, None]:
        """Yield an object in pieces. Raise ``ObjectMissing`` or ``StorageFailed``."""
        ...

    async def delete(self, place: str, name: str) -> None:
        """Remove an object; one that is not there is removed. Raise ``StorageFailed``."""
        ...

    def find(self, place: str) -> AsyncIterator[Found]:
        """Yield every object in a place. Raise ``StorageFailed``."""
        ...

    async def tidy(self, place: str, before: datetime) -> int:
        """Remove drafts that nobody has added to since a moment; return how many."""
        ...
