"""Seal a stream in chunks, so that each can be trusted before the next is there.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizar: Online Authenticated-Encryption and
its Nonce-Reuse Misuse-Resistance, 2015, https://eprint.iacr.org/2015/189) on AES-256-GCM: the
nonce of a chunk is a random prefix, its number, and whether it is the last one. A chunk that was
changed, moved, left out or taken from elsewhere does not open, nor does a stream that was cut.
The key belongs to one stream only.

    header   4 bytes "PCB" and version 1, 1 byte exponent of the chunk size, 7 bytes nonce prefix
    chunk    ciphertext of 2^exponent bytes, the last one of fewer, and 16 bytes tag
"""

import secrets
from collections.abc import Iterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from polyclinic.base.crypto import CannotOpen

CHUNK_BYTES: Final = 2**18
_MAGIC: Final = b"PCB\x01"
_PREFIX_BYTES: Final = 7
_TAG_BYTES: Final = 16
_EXPONENTS: Final = range(16, 21)
HEADER_BYTES: Final = len(_MAGIC) + 1 + _PREFIX_BYTES


class ChunkSealer:
    """Seal one stream; every chunk but the last has ``CHUNK_BYTES``."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        exponent = CHUNK_BYTES.bit_length() - 1
        self.header = _MAGIC + bytes([exponent]) + secrets.token_bytes(_PREFIX_BYTES)
        self._number = 0

    def seal(self, chunk: bytes, *, last: bool) -> bytes:
        """Return the next chunk, sealed."""
        assert last or len(chunk) == CHUNK_BYTES
        nonce, associated = _bound(self.header, self._number, last=last)
        self._number += 1
        return self._cipher.encrypt(nonce, chunk, associated)


class ChunkOpener:
    """Open one stream, whatever pieces it comes in."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._header = b""
        self._sealed_bytes = 0
        self._number = 0
        self._pending = bytearray()

    def feed(self, data: bytes) -> bytes:
        """Take a piece and return what of the stream is known to be whole.

        Raise ``CannotOpen`` at a chunk that is not the next one of this stream.
        """
        self._pending += data
        if not self._header and not self._begin():
            return b""
        return b"".join(self._whole())

    def finish(self) -> bytes:
        """Return the last chunk. Raise ``CannotOpen`` when the stream was cut before its end."""
        if not self._header or len(self._pending) < _TAG_BYTES:
            raise CannotOpen
        return self._open(bytes(self._pending), last=True)

    def _begin(self) -> bool:
        if len(self._pending) < HEADER_BYTES:
            return False
        header = bytes(self._pending[:HEADER_BYTES])
        exponent = header[len(_MAGIC)]
        if not header.startswith(_MAGIC) or exponent not in _EXPONENTS:
            raise CannotOpen
        self._header = header
        self._sealed_bytes = 2**exponent + _TAG_BYTES
        del self._pending[:HEADER_BYTES]
        return True

    def _whole(self) -> Iterator[bytes]:
        # What might be the last chunk waits: only what follows it, or the end, tells.
        while len(self._pending) > self._sealed_bytes:
            sealed = bytes(self._pending[: self._sealed_bytes])
            del self._pending[: self._sealed_bytes]
            yield self._open(sealed, last=False)

    def _open(self, sealed: bytes, *, last: bool) -> bytes:
        nonce, associated = _bound(self._header, self._number, last=last)
        self._number += 1
        try:
            return self._cipher.decrypt(nonce, sealed, associated)
        except InvalidTag:
            raise CannotOpen from None


def sealed_size(size: int) -> int:
    """Return how long a stream of a size is when it is sealed."""
    chunks = max(1, -(-size // CHUNK_BYTES))
    return HEADER_BYTES + size + chunks * _TAG_BYTES


def _bound(header: bytes, number: int, *, last: bool) -> tuple[bytes, bytes]:
    """Return a chunk's nonce and what it is bound to."""
    place = number.to_bytes(4, "big") + bytes([last])
    return header[-_PREFIX_BYTES:] + place, header + place
