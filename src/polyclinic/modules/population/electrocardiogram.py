"""A strip of an electrocardiogram, drawn as a PNG image.

The wave is a sum of five bumps a beat (P, Q, R, S, T), after McSharry PE et al., A dynamical model
for generating synthetic electrocardiogram signals, IEEE Trans Biomed Eng 2003;50:289-294. Paper
speed 25 mm/s and 10 mm/mV, eight pixels a millimetre square of five. The image is compressed by
nothing, so that its bytes do not depend on a library's version.

PNG: https://www.w3.org/TR/2003/REC-PNG-20031110/; deflate with stored blocks: RFC 1951, 3.2.4.
"""

from math import exp
from struct import pack
from typing import Final
from zlib import adler32, crc32

from polyclinic.base.chance import Chance

WIDTH, HEIGHT = 1000, 240
_PIXELS_PER_SECOND: Final = 200
_PIXELS_PER_MILLIVOLT: Final = 80
_BASELINE: Final = 150
_GRID: Final = 40  # five millimetres
_BLOCK: Final = 65_535
_WHITE: Final = 255
# Place in the beat (share of its length from the R wave), height in mV, width in seconds.
_BUMPS: Final = (
    (-0.20, 0.12, 0.025),
    (-0.033, -0.10, 0.010),
    (0.0, 1.05, 0.011),
    (0.036, -0.22, 0.010),
    (0.30, 0.28, 0.050),
)


def strip(rate: float, chance: Chance, *, is_regular: bool = True) -> bytes:
    """Return a strip of five seconds at a heart rate as a PNG file, in black on white.

    An irregular one has no P waves and uneven beats, as in atrial fibrillation.
    """
    rows = [bytearray([_WHITE]) * (WIDTH // 8) for _ in range(HEIGHT)]
    _draw_grid(rows)
    bumps = _bumps(rate, chance, is_regular=is_regular)
    last = _level(bumps, 0, chance)
    for column in range(WIDTH):
        level = _level(bumps, column, chance)
        for row in range(min(last, level), max(last, level) + 2):
            _blacken(rows, column, row)
        last = level
    return _png(rows)


def _bumps(rate: float, chance: Chance, *, is_regular: bool) -> list[tuple[float, float, float]]:
    """Return the bumps of all beats: second, height in mV, width in seconds."""
    spread = 0.02 if is_regular else 0.22
    second, bumps = -0.2, []
    while second < WIDTH / _PIXELS_PER_SECOND + 1:
        length = 60 / rate * max(0.5, chance.normal(1.0, spread))
        waves = _BUMPS if is_regular else _BUMPS[1:]
        bumps += [(second + place * length, height, width) for place, height, width in waves]
        second += length
    return bumps


def _level(bumps: list[tuple[float, float, float]], column: int, chance: Chance) -> int:
    second = column / _PIXELS_PER_SECOND
    volts = sum(
        height * exp(-(((second - at) / width) ** 2) / 2)
        for at, height, width in bumps
        if abs(second - at) < 5 * width
    )
    return round(_BASELINE - _PIXELS_PER_MILLIVOLT * (volts + chance.normal(0.0, 0.006)))


def _draw_grid(rows: list[bytearray]) -> None:
    """Draw the lines of five millimetres as dots."""
    for row in range(0, HEIGHT, 4):
        for column in range(0, WIDTH, _GRID):
            _blacken(rows, column, row)
    for row in range(0, HEIGHT, _GRID):
        for column in range(0, WIDTH, 4):
            _blacken(rows, column, row)


def _blacken(rows: list[bytearray], column: int, row: int) -> None:
    if 0 <= row < HEIGHT:
        rows[row][column // 8] &= ~(0x80 >> column % 8) & _WHITE


def _png(rows: list[bytearray]) -> bytes:
    data = b"".join(b"\0" + row for row in rows)
    header = pack(">IIBBBBB", WIDTH, HEIGHT, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", _stored(data))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return pack(">I", len(content)) + kind + content + pack(">I", crc32(kind + content))


def _stored(data: bytes) -> bytes:
    """Return the data as a zlib stream (RFC 1950) of stored blocks."""
    out = bytearray(b"\x78\x01")
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        last = start + _BLOCK >= len(data)
        out += pack("<BHH", int(last), len(block), len(block) ^ 0xFFFF) + block
    return bytes(out + pack(">I", adler32(data)))
