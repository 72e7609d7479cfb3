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
    """The texts of a resource, as its JSON has them; ``text_words`` reads them."""

    narrative: tuple[bytes, ...]
    """With its tags; of contained resources too."""
    texts: tuple[bytes, ...]
    """All others, each once."""


def said(body: bytes) -> Said:
    """Return what a resource says in its canonical JSON."""
    if b"\\" in body:
        body = body.replace(b"\\\\", _BACKSLASH).replace(b'\\"', _QUOTE)
    # No quote is left inside a string: every other part is one, and what follows says whether it
    # is a name.
    parts = body.split(b'"')
    strings, marks, texts = parts[1::2], parts[2::2], parts[3::2]
    found = [
        text
        for name, mark, text in zip(strings, marks, texts, strict=False)
        if mark == b":" and name in _TELLING
    ]
    if b'":["' in body or b'":[null' in body:
        found += _listed(strings, marks)
    narrative: tuple[bytes, ...] = ()
    if b'"div":"' in body:
        narrative = tuple(
            text
            for name, mark, text in zip(strings, marks, texts, strict=False)
            if name == b"div" and mark == b":"
        )
    return Said(narrative, tuple(dict.fromkeys(found)))


def _listed(strings: Sequence[bytes], marks: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the strings of the lists of strings."""
    starts = [at for at, mark in enumerate(marks) if mark == b":[" or mark[:6] == b":[null"]
    for at in starts:
        if strings[at] in _TELLING and not marks[at].strip(b":[,nul"):
            for text, after in zip(strings[at + 1 :], marks[at + 1 :], strict=False):
                yield text
                if after.strip(b",nul"):
                    break


def as_text(data: bytes) -> str:
    """Return a text that a body has, without what is escaped in it."""
    if b"\\" in data or _QUOTE in data or _BACKSLASH in data:
        escaped = data.replace(_QUOTE, b'\\"').replace(_BACKSLASH, b"\\\\")
        return _decode_text(b'"%b"' % escaped)
    return data.decode()


def narrative_words(found: Said) -> tuple[str, ...]:
    """Return the distinct words of the narrative, by which ``_text`` finds a resource."""
    texts = (unescape(_TAG.sub(" ", as_text(one))) for one in found.narrative)
    return text_words(" ".join(texts)) if found.narrative else ()


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
    yield from narrative_words(found)
    for text in found.texts:
        yield from text_words(as_text(text))
