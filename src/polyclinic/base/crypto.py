"""Sealing: AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces."""

import secrets
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


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
    return secrets.token_bytes(KEY_BYTES)
