"""The key file: one key-encryption key of 32 random bytes, or several while they are rotated.

Only its owner may read it. It changes as a whole: a new file takes the place of the old one.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from polyclinic.base.crypto import KEY_BYTES, Sealer, new_key


class KeyFileError(Exception):
    """The key file cannot be used; the message says why and what to do."""


class KeyFile:
    """The file that holds the key-encryption keys, one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None

    async def read(self, *, is_new: bool = False) -> list[Sealer]:
        """Return the keys, the first first; a new installation's is made.

        Raise ``KeyFileError`` when the file is missing, others may read it, or it holds no keys.
        """
        if not self.path.exists():
            if not is_new:
                message = f"the key file {self.path} is missing; restore it from its backup"
                raise KeyFileError(message)
            self._create()
        return [Sealer(key) for key in self._content()]

    async def changed(self) -> Sequence[Sealer] | None:
        """Return the keys when the file is another than the one last read."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return None if self._seen == (status.st_ino, status.st_mtime_ns) else await self.read()

    async def add(self) -> Sealer:
        """Make a key, put it behind the others, and return it when it is safely on disk."""
        key = new_key()
        _replace(self.path, b"".join([*self._content(), key]))
        return Sealer(key)

    async def keep(self, name: str) -> None:
        """Remove every key but one. Raise ``KeyFileError`` when that one is not there."""
        kept = [key for key in self._content() if Sealer(key).name == name]
        if not kept:
            message = f"{self.path} does not hold the key {name}; restore it from its backup"
            raise KeyFileError(message)
        _replace(self.path, kept[0])

    def _content(self) -> list[bytes]:
        status = self.path.stat()
        if status.st_mode & 0o077:
            message = f"{self.path} can be read by others; run: chmod 0400 {self.path}"
            raise KeyFileError(message)
        content = self.path.read_bytes()
        if not content or len(content) % KEY_BYTES:
            message = f"{self.path} is not a key of {KEY_BYTES} bytes; restore it from its backup"
            raise KeyFileError(message)
        self._seen = status.st_ino, status.st_mtime_ns
        return [content[at : at + KEY_BYTES] for at in range(0, len(content), KEY_BYTES)]

    def _create(self) -> None:
        """Write a first key; the first of several starts wins."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = _written_beside(self.path, new_key())
        try:
            os.link(beside, self.path)
        except FileExistsError:
            return
        finally:
            beside.unlink()


_MODE: Final = 0o400


def _replace(path: Path, content: bytes) -> None:
    """Put new content in a file's place, whole or not at all, and durably."""
    beside = _written_beside(path, content)
    try:
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _written_beside(path: Path, content: bytes) -> Path:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return beside
