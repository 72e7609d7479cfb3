"""Keys: the one that wraps others lies in a file outside the database, and seals what leaves it.

AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces.
"""

import os
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class KeyFileError(Exception):
    """The key file cannot be used; the message says why and what to do."""


class CannotOpen(Exception):
    """What was sealed is damaged, belongs elsewhere, or was sealed under another key."""


class Sealer:
    """Seal bytes so that only the same key and the same context open them."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self.name = sha256(b"polyclinic key name" + key).hexdigest()[:16]
        """Names the key without revealing it."""

    def seal(self, data: bytes, context: bytes) -> bytes:
        """Return nonce, ciphertext and tag, bound to a context."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Return what was sealed. Raise ``CannotOpen`` when it was not sealed so."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise CannotOpen from None


def new_key() -> bytes:
    """Return 256 random bits."""
    return secrets.token_bytes(_KEY_BYTES)


def key_encryption_key(path: Path, *, is_new: bool) -> Sealer:
    """Return the sealer of the installation's key file; a new installation's is made.

    Raise ``KeyFileError`` when the file is missing, others may read it, or it is not a key.
    """
    if not path.exists():
        if not is_new:
            message = f"the key file {path} is missing; restore it from its backup"
            raise KeyFileError(message)
        _create(path)
    status = path.stat()
    if status.st_mode & 0o077:
        message = f"{path} can be read by others; run: chmod 0400 {path}"
        raise KeyFileError(message)
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        message = f"{path} is not a key of {_KEY_BYTES} bytes; restore it from its backup"
        raise KeyFileError(message)
    return Sealer(key)


def _create(path: Path) -> None:
    """Write a new key whole or not at all; the first of several starts wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(new_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return
    finally:
        beside.unlink()
