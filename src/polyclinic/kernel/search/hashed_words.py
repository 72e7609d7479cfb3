"""Keyed hashes of words: of ``:text`` of tokens, of ``_text`` and of ``_content``."""

from functools import lru_cache
from typing import Final

from polyclinic.kernel.errors import InvalidResource, Issue
from polyclinic.kernel.search.hashed_forms import digest, field_of, fields
from polyclinic.kernel.search.index_values import IndexValues
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.resource_words import as_text, narrative_words, text_words
from polyclinic.kernel.search.strings import LONGEST_REMEMBERED

MAX_WORDS: Final = 50_000
"""More distinct words than this in one resource are refused, not cut off."""
MOST_TEXT: Final = 10_000
"""Characters of the texts of a tenant's own parameter; of more a resource is found by none."""


def hash_words(values: IndexValues, key: bytes) -> list[int]:
    """Return the keys of the words of a resource, sorted, each once.

    Raise InvalidResource when there are more than MAX_WORDS.
    """
    resource_type = values.resource_type
    own = values.custom
    known = fields(resource_type) if own is None else own.fields
    found: set[int] = set()
    for token in values.tokens:
        if token.text and not known[token.param].united:
            short = len(token.text) <= LONGEST_REMEMBERED
            name = known[token.param].name
            found.update((_display if short else _display.__wrapped__)(key, name, token.text))
    content = known["_content"].name
    for text in values.said.texts:
        short = len(text) <= LONGEST_REMEMBERED
        found.update((_said if short else _said.__wrapped__)(key, content, text))
    if values.said.narrative:
        spoken = [content]
        if "_text" in known:  # a Bundle has none of its own
            spoken.append(known["_text"].name)
            found.add(narrative_key(resource_type, key))
        for word in narrative_words(values.said):
            found.update([_word(key, name, word) for name in spoken])
    if len(found) > (MAX_WORDS if own is None else MAX_WORDS + len(own.parameters) * MOST_TEXT):
        message = f"The resource has more than {MAX_WORDS} different words; divide it."
        raise InvalidResource((Issue("too-costly", message),))
    return sorted(found)


@lru_cache(maxsize=8_192)
def _display(key: bytes, name: str, text: str) -> tuple[int, ...]:
    return tuple([_word(key, name, word) for word in text_words(text)])


@lru_cache(maxsize=16_384)
def _said(key: bytes, name: str, text: bytes) -> tuple[int, ...]:
    return tuple([_word(key, name, word) for word in text_words(as_text(text))])


@lru_cache(maxsize=16_384)
def _word(key: bytes, name: str, word: str) -> int:
    return digest(key, f"{name}t{word}")


def narrative_key(resource_type: str, key: bytes) -> int:
    """Return the key of every resource that has a narrative."""
    return digest(key, fields(resource_type)["_text"].present)


def word_keys(resource_type: str, param: SearchParameter, word: str, key: bytes) -> list[int]:
    """Return the keys of a normalised word, of which a match has one."""
    field = field_of(resource_type, param)
    return [digest(key, f"{part.name}t{word}") for part in field.parts]
