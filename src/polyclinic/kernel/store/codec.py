"""How a body lies on disk: zstd, with a dictionary whose number stands in the row.

The dictionary is trained on generated patients only (``tools/zstd_dictionary.py``): one trained on
real rows would carry pieces of them into every installation.
"""

from functools import cache
from importlib.resources import files
from typing import Final

from zstandard import (
    ZstdCompressionDict,
    ZstdCompressor,
    ZstdDecompressor,
    ZstdError,
    frame_content_size,
)

CURRENT: Final = 1
"""The dictionary that new rows are written with; 0 means none."""
_LEVEL: Final = 3
_LARGEST: Final = 64 * 1024 * 1024
"""No stored body is larger; a frame that claims more is damaged."""


@cache
def _dictionary(dict_id: int) -> ZstdCompressionDict | None:
    if dict_id == 0:
        return None
    data = files(__package__).joinpath(f"dictionaries/{dict_id}.zstd-dict").read_bytes()
    return ZstdCompressionDict(data)


@cache
def _compressor() -> ZstdCompressor:
    dictionary = _dictionary(CURRENT)
    if dictionary:
        dictionary.precompute_compress(level=_LEVEL)
    return ZstdCompressor(
        level=_LEVEL, dict_data=dictionary, write_checksum=True, write_dict_id=False
    )


@cache
def _decompressor(dict_id: int) -> ZstdDecompressor:
    return ZstdDecompressor(dict_data=_dictionary(dict_id))


def pack(body: bytes) -> bytes:
    """Compress a body with the current dictionary. Not for use from several threads."""
    return _compressor().compress(body)


def unpack(dict_id: int, data: bytes) -> bytes:
    """Return the body that ``pack`` was given; the frame's checksum is verified.

    Raise ``ZstdError`` for anything else, before memory is taken for a size that is only claimed.
    """
    if frame_content_size(data) > _LARGEST:
        message = "the frame claims to be larger than any body"
        raise ZstdError(message)
    return _decompressor(dict_id).decompress(data, max_output_size=_LARGEST)
