"""The words of a resource, for ``_text`` (its narrative) and ``_content`` (all that it says).

They are not part of ``extract``: a resource holds many times more words than values, and who
indexes them may do so later. https://hl7.org/fhir/R4/search.html#content
"""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any, Final

import msgspec
from msgspec import Struct

from polyclinic.kernel.search.strings import normalise
from polyclinic.kernel.types import Resource

MAX_WORDS: Final = 5_000
"""Distinct words of one resource that are kept for each of the two parameters."""

LONGEST_WORD: Final = 64
"""Characters; what is longer is data, not a word."""

_TAG: Final = re.compile(r"<[^>]*>")
_SILENT: Final = frozenset(
    {"data", "div", "hash", "id", "reference", "resourceType", "system", "url"}
)
"""Properties whose strings name or carry something and say nothing."""
_NO_WORDS: Final = re.compile(r"[0-9]{4}-[0-9T:.Z+\-]*|(?:https?|urn):\S*")
"""Dates and URIs."""


class ResourceWords(Struct, frozen=True):
    """Distinct words, normalised, sorted."""

    text: tuple[str, ...]
    """Of the narrative."""
    content: tuple[str, ...]
    """Of all strings, the narrative's included."""
    dropped: int
    """How many distinct words are missing because there were more than MAX_WORDS."""


def resource_words(resource: Resource) -> ResourceWords:
    """Return the words by which the resource is found."""
    value = msgspec.json.decode(resource.body)
    narrative = set(_words([_narrative(value)]))
    content = narrative | set(_words(_strings(value)))
    dropped = max(0, len(narrative) - MAX_WORDS) + max(0, len(content) - MAX_WORDS)
    return ResourceWords(
        tuple(sorted(narrative)[:MAX_WORDS]), tuple(sorted(content)[:MAX_WORDS]), dropped
    )


def _narrative(value: dict[str, Any]) -> str:
    text = value.get("text")
    div = text.get("div", "") if isinstance(text, dict) else ""
    return unescape(_TAG.sub(" ", div))


def _words(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for word in normalise(text).split():
            if len(word) <= LONGEST_WORD:
                yield word


def _strings(value: Any) -> Iterator[str]:
    """Yield every string that says something, in no order."""
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(child for name, child in item.items() if name not in _SILENT)
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and not _NO_WORDS.fullmatch(item):
            yield item
