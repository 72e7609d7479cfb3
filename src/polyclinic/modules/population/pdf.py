"""A page description for a letter: plain text as PDF 1.4.

ISO 32000-1. Text is set in Courier, one of the standard 14 fonts, in WinAnsiEncoding (annex D);
a letter outside of it loses its marks. Nothing in the file depends on when or where it is made.
"""

from textwrap import wrap
from typing import Final
from unicodedata import normalize

_WIDTH: Final = 84
_LINES: Final = 58
_LATIN: Final = str.maketrans({"Đ": "D", "đ": "d", "Ł": "L", "ł": "l", "₂": "2", "⁶": "6"})


def letter(title: str, text: str) -> bytes:
    """Return a PDF file of a letter; long lines are broken between words."""
    lines = [part for line in text.split("\n") for part in wrap(line, _WIDTH) or [""]]
    pages = [lines[start : start + _LINES] for start in range(0, len(lines), _LINES)] or [[]]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (en) >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        objects += _page(page, 5 + 2 * number)
    objects.append(b"<< /Title " + _string(title) + b" >>")
    return _file(objects)


def _page(lines: list[str], content: int) -> list[bytes]:
    shown = b"\n".join(_string(line) + b" Tj T*" for line in lines)
    stream = b"BT /F1 10 Tf 12.5 TL 56 785 Td\n" + shown + b"\nET"
    page = (
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 842]"
        f" /Resources << /Font << /F1 3 0 R >> >> /Contents {content} 0 R >>"
    )
    return [
        page.encode(),
        b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream",
    ]


def _string(text: str) -> bytes:
    encoded = b"".join(_encoded(letter) for letter in text.translate(_LATIN))
    for special in (b"\\", b"(", b")"):
        encoded = encoded.replace(special, b"\\" + special)
    return b"(" + encoded + b")"


def _encoded(character: str) -> bytes:
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return normalize("NFKD", character).encode("ascii", "ignore") or b"?"


def _file(objects: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)
