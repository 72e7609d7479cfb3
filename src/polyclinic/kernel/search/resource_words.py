"""What a resource says: its narrative (``_text``), and all texts in it (``_content``).

Texts are the elements of the types string, markdown and xhtml, in contained resources too; codes,
identities, links, dates and data say nothing, and have parameters of their own. The property's name
tells which is which, so that the canonical JSON is passed once, without being decoded.
https://hl7.org/fhir/R4/search.html#content
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import Final

import msgspec

from polyclinic.kernel.search.strings import LONGEST_REMEMBERED, normalise

LONGEST_WORD: Final = 64
"""Characters; what is longer is data, not a word."""

_TELLING: Final[frozenset[bytes]] = frozenset(
    name.encode()
    for name in msgspec.json.decode(
        (Path(__file__).parent / "tables" / "words.json").read_bytes(), type=list[str]
    )
)
"""The names of properties whose strings say something (``tools/search_words.py``)."""
_TAG: Final = re.compile(r"<[^>]*>")
_NO_WORDS: Final = re.compile(r"[0-9]{4}-[0-9T:.Z+\-]*|(?:https?|urn):\S*")
"""Dates and URIs."""

_decode_text: Final = msgspec.json.Decoder(str).decode
_BACKSLASH: Final = b"\x01"
_QUOTE: Final = b"\x02"
"""Stand for what is escaped while a body is taken apart; JSON has no such characters."""


class Said(msgspec.Struct, frozen=True, gc=False):
    """The texts of a resource, as they stand."""

    narrative: str
    """Without its tags."""
    texts: tuple[str, ...]
    """All others, each once."""


def said(body: bytes) -> Said:
    """Return what a resource says in its canonical JSON."""
    if b"\\" in body:
        body = body.replace(b"\\\\", _BACKSLASH).replace(b'\\"', _QUOTE)
    # No quote is left inside a string: every other part is one, and what follows says whether it
    # is a name.
    parts = body.split(b'"')
    strings, marks = parts[1::2], parts[2::2]
    found = [
        text
        for name, mark, text in zip(strings, marks, strings[1:], strict=False)
        if mark == b":" and name in _TELLING
    ]
    if b'":["' in body or b'":[null' in body:
        for at, mark in enumerate(marks):
            if mark[:2] == b":[" and strings[at] in _TELLING:
                found += _listed(strings, marks, at)
    narrative = ""
    if b'"div":"' in body:
        divs = [at for at, name in enumerate(strings) if name == b"div" and marks[at] == b":"]
        narrative = " ".join(_TAG.sub(" ", _text(strings[at + 1])) for at in divs)
    return Said(unescape(narrative), tuple([_text(text) for text in dict.fromkeys(found) if text]))


def _listed(strings: Sequence[bytes], marks: Sequence[bytes], at: int) -> Iterator[bytes]:
    """Yield the strings of the list that a name stands before; none of a list of elements."""
    if marks[at].strip(b":[,nul"):
        return
    for string, mark in zip(strings[at + 1 :], marks[at + 1 :], strict=False):
        yield string
        if mark.strip(b",nul"):
            return


def _text(data: bytes) -> str:
    if b"\\" in data or _QUOTE in data or _BACKSLASH in data:
        escaped = data.replace(_QUOTE, b'\\"').replace(_BACKSLASH, b"\\\\")
        return _decode_text(b'"%b"' % escaped)
    return data.decode()


def text_words(text: str) -> tuple[str, ...]:
    """Return the distinct words of a text, normalised."""
    known = len(text) <= LONGEST_REMEMBERED
    return (_text_words if known else _text_words.__wrapped__)(text)


@lru_cache(maxsize=8192)
def _text_words(text: str) -> tuple[str, ...]:
    if _NO_WORDS.fullmatch(text):
        return ()
    found = dict.fromkeys(normalise(text).split())
    return tuple(word for word in found if len(word) <= LONGEST_WORD)


def content_words(found: Said) -> Iterator[str]:
    """Yield all words by which ``_content`` finds a resource, some more than once."""
    yield from text_words(found.narrative)
    for text in found.texts:
        yield from text_words(text)
