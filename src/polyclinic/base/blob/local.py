"""Objects as files of this machine: written beside, synchronized, renamed.

<root>/<place>/drafts/<name>        what is being written
<root>/<place>/<ab>/<name>          objects, by the first two digits of their name
"""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from polyclinic.base.blob.storage import Found, ObjectMissing, StorageFailed

_PIECE_BYTES: Final = 2**18
_DRAFTS: Final = "drafts"
_PRIVATE: Final = 0o700


def nothing(_point: str) -> None:
    """Go on: nobody wants to know what was reached."""


class LocalDisk:
    """Keep objects below a directory, readable by its owner only."""

    def __init__(self, root: Path, reached: Callable[[str], None] = nothing) -> None:
        """Tell a test what was reached, which may end the process there."""
        self._root = root
        self._reached = reached

    async def begin(self, place: str) -> "FileDraft":
        """Open a file beside the objects."""
        name = secrets.token_hex(16)
        with _failing():
            return await asyncio.to_thread(self._begin, self._root / place, name)

    async def read(self, place: str, name: str) -> AsyncGenerator[bytes, None]:
        """Yield an object in pieces."""
        with _failing():
            try:
                file = await asyncio.to_thread(_path(self._root / place, name).open, "rb")
            except FileNotFoundError:
                raise ObjectMissing from None
            try:
                while data := await asyncio.to_thread(file.read, _PIECE_BYTES):
                    yield data
            finally:
                file.close()

    async def delete(self, place: str, name: str) -> None:
        """Remove the file."""
        with _failing():
            path = _path(self._root / place, name)
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def find(self, place: str) -> AsyncIterator[Found]:
        """Yield every object, one directory after the other."""
        base = self._root / place
        with _failing():
            for directory in await asyncio.to_thread(_directories, base):
                for found in await asyncio.to_thread(_files, directory):
                    yield found

    async def tidy(self, place: str, before: datetime) -> int:
        """Remove drafts that nobody writes any more."""
        with _failing():
            return await asyncio.to_thread(_tidy, self._root / place / _DRAFTS, before)

    def _begin(self, base: Path, name: str) -> "FileDraft":
        drafts = base / _DRAFTS
        _make(drafts)
        descriptor = os.open(drafts / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return FileDraft(name, base, os.fdopen(descriptor, "wb", buffering=0), self._reached)


class FileDraft:
    """A file that is being written."""

    def __init__(
        self, name: str, base: Path, file: BinaryIO, reached: Callable[[str], None]
    ) -> None:
        self.name = name
        self._base = base
        self._file = file
        self._reached = reached

    async def append(self, data: bytes) -> None:
        """Write to its end."""
        with _failing():
            await asyncio.to_thread(self._append, data)

    async def publish(self) -> None:
        """Synchronize the file, give it its name, synchronize that."""
        with _failing():
            await asyncio.to_thread(self._publish)

    async def discard(self) -> None:
        """Remove the file."""
        self._file.close()
        with suppress(OSError):
            await asyncio.to_thread(self._draft.unlink, missing_ok=True)

    @property
    def _draft(self) -> Path:
        return self._base / _DRAFTS / self.name

    def _append(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self._reached("appended")

    def _publish(self) -> None:
        self._reached("written")
        os.fsync(self._file.fileno())
        self._file.close()
        self._reached("synchronized")
        path = _path(self._base, self.name)
        _make(path.parent)
        self._draft.rename(path)
        self._reached("renamed")
        _synchronize(path.parent)
        _synchronize(self._draft.parent)


def _path(base: Path, name: str) -> Path:
    return base / name[:2] / name


def _make(directory: Path) -> None:
    """Make a directory and those above it, durably."""
    if directory.is_dir():
        return
    _make(directory.parent)
    with suppress(FileExistsError):
        directory.mkdir(_PRIVATE)
    _synchronize(directory.parent)


def _synchronize(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _directories(base: Path) -> list[Path]:
    if not base.is_dir():
        return []
    return sorted(entry for entry in base.iterdir() if entry.name != _DRAFTS)


def _files(directory: Path) -> list[Found]:
    return [Found(path.name, modified) for path, modified in _with_time(directory)]


def _tidy(drafts: Path, before: datetime) -> int:
    if not drafts.is_dir():
        return 0
    old = [path for path, modified in _with_time(drafts) if modified < before]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _with_time(directory: Path) -> Iterator[tuple[Path, datetime]]:
    for path in directory.iterdir():
        with suppress(FileNotFoundError):
            yield path, datetime.fromtimestamp(path.stat().st_mtime, UTC)


@contextmanager
def _failing() -> Iterator[None]:
    """Turn the system's errors into ``StorageFailed``, with their reason and without a path."""
    try:
        yield
    except OSError as error:
        raise StorageFailed(error.strerror or type(error).__name__) from error
