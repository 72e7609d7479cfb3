"""The key file: one key-encryption key of 32 random bytes, or several while they are rotated.

Only its owner may read it. It changes as a whole: a new file takes the place of the old one. With
a key management service it is text, a line for each key, which only the service can unwrap.
"""

import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from polyclinic.base.crypto import KEY_BYTES, Sealer, new_key
from polyclinic.base.keys.kms import Kms, KmsError

_HEADER: Final = b"polyclinic key-encryption keys, wrapped\n"
_PLAIN: Final = "plain"
"""Stands in a line where others have the name of the service's key."""
_MODE: Final = 0o400


class KeyFileError(Exception):
    """The key file cannot be used; the message says why and what to do."""


class _Entry(NamedTuple):
    """One key as it stands in the file."""

    under: str
    """The service's key that it is wrapped under, or ``_PLAIN``."""
    text: str


class KeyFile:
    """The file that holds the key-encryption keys, one after the other."""

    def __init__(self, path: Path, kms: Kms | None = None) -> None:
        self.path = path
        self._kms = kms
        self._seen: tuple[int, int] | None = None

    async def read(self, *, is_new: bool = False) -> list[Sealer]:
        """Return the keys, in their order; a new installation's is made.

        Raise ``KeyFileError`` when the file is missing, others may read it, or it holds no keys.
        """
        if not self.path.exists():
            if not is_new:
                message = f"the key file {self.path} is missing; restore it from its backup"
                raise KeyFileError(message)
            await self._create()
        return [Sealer(await self._key(entry)) for entry in self._entries()]

    async def changed(self) -> Sequence[Sealer] | None:
        """Return the keys when the file is another than the one last read."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return None if self._seen == _identity(status) else await self.read()

    async def add(self) -> Sealer:
        """Make a key, put it behind the others, and return it when it is safely on disk."""
        key = new_key()
        write_whole(self.path, _content([*self._entries(), await self._entry(key)]))
        return Sealer(key)

    async def keep(self, name: str) -> None:
        """Remove every key but one. Raise ``KeyFileError`` when that one is not there."""
        kept = [entry for entry in self._entries() if Sealer(await self._key(entry)).name == name]
        if not kept:
            message = f"{self.path} does not hold the key {name}; restore it from its backup"
            raise KeyFileError(message)
        write_whole(self.path, _content(kept[:1]))

    def _entries(self) -> list[_Entry]:
        status = self.path.stat()
        if status.st_mode & 0o077:
            message = f"{self.path} can be read by others; run: chmod 0400 {self.path}"
            raise KeyFileError(message)
        content = self.path.read_bytes()
        entries = _parsed(content)
        if not entries:
            message = f"{self.path} is not a key of {KEY_BYTES} bytes; restore it from its backup"
            raise KeyFileError(message)
        self._seen = _identity(status)
        return entries

    async def _key(self, entry: _Entry) -> bytes:
        if entry.under == _PLAIN:
            return b64decode(entry.text)
        if self._kms is None:
            message = (
                f"{self.path} was wrapped by a key management service under its key {entry.under}; "
                "set POLYCLINIC_KMS_URL and POLYCLINIC_KMS_KEY"
            )
            raise KeyFileError(message)
        try:
            key = await self._kms.unwrap(entry.under, entry.text)
        except KmsError as error:
            raise KeyFileError(str(error)) from error
        if len(key) != KEY_BYTES:
            message = f"{self.path} holds what is not a key of {KEY_BYTES} bytes"
            raise KeyFileError(message)
        return key

    async def _entry(self, key: bytes) -> _Entry:
        if self._kms is None:
            return _plain(key)
        try:
            return _Entry(self._kms.name, await self._kms.wrap(key))
        except KmsError as error:
            raise KeyFileError(str(error)) from error

    async def _create(self) -> None:
        """Write a first key; the first of several starts wins."""
        content = _content([await self._entry(new_key())])
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = _written_beside(self.path, content)
        try:
            os.link(beside, self.path)
        except FileExistsError:
            return
        finally:
            beside.unlink()


def _parsed(content: bytes) -> list[_Entry]:
    """Return the keys of a file, or none when it is not one."""
    if not content.startswith(_HEADER):
        if len(content) % KEY_BYTES:
            return []
        return [_plain(content[at : at + KEY_BYTES]) for at in range(0, len(content), KEY_BYTES)]
    try:
        lines = content[len(_HEADER) :].decode("ascii").splitlines()
        return [_Entry(*line.split(" ")) for line in lines]
    except (TypeError, ValueError):
        return []


def _content(entries: Sequence[_Entry]) -> bytes:
    if all(entry.under == _PLAIN for entry in entries):
        return b"".join(b64decode(entry.text) for entry in entries)
    return _HEADER + "".join(f"{entry.under} {entry.text}\n" for entry in entries).encode()


def _plain(key: bytes) -> _Entry:
    return _Entry(_PLAIN, b64encode(key).decode())


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_ino, status.st_mtime_ns


def write_whole(path: Path, content: bytes) -> None:
    """Put content in a file's place, whole or not at all, durably, for its owner's eyes only."""
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
