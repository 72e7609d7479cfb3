"""The limited XHTML of a narrative: invariant txt-1.

https://hl7.org/fhir/R4/narrative.html#xhtml
"""

import html
import re
from functools import lru_cache
from typing import Final

MAX_NARRATIVE = 4 * 1024 * 1024
"""Characters in a narrative; R4 sets no limit, we do."""

# The names in the two sets are those of the XPath of txt-1; the last three come from XML itself.
_words = re.compile("[a-z1-6:]+").findall
_ELEMENTS: Final = frozenset(
    _words(
        "a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em"
        " h1 h2 h3 h4 h5 h6 hr i img li ol p pre q samp small span strong sub sup table tbody td"
        " tfoot th thead tr tt ul var"
    )
)
_ATTRIBUTES: Final = frozenset(
    _words(
        "abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing"
        " cellvalign char charoff charset cite class colspan compact coords dir frame headers"
        " height href hreflang hspace id lang longdesc name nowrap rel rev rowspan rules scope"
        " shape span src start style summary tabindex title type valign value vspace width"
        " xmlns xml:lang xml:space"
    )
)
_RUNNING: Final = frozenset({"cite", "href", "longdesc", "src", "style"})

_SPACES: Final = " \t\r\n"
_S: Final = r"[ \t\r\n]"
_ATTRIBUTE: Final = rf"{_S}++([a-z:]++){_S}*+={_S}*+(\"[^<\"]*+\"|'[^<']*+')"
_UNNAMED: Final = _ATTRIBUTE.replace("(", "(?:")

_tag = re.compile(rf"(/?+)([a-z1-6]++)((?:{_UNNAMED})*+){_S}*+(/?+)").fullmatch
_to_end = re.compile("((?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>(.*)", re.DOTALL).fullmatch
_attributes = re.compile(_ATTRIBUTE).findall
_comments = re.compile("<!--(?:[^-]|-[^-])*+-->").sub
_bare_ampersand = re.compile("&(?!(?:[A-Za-z][A-Za-z0-9]*+|#[0-9]++|#x[0-9A-Fa-f]++);)").search
_script = re.compile(r"(?:java|vb)script:|data:(?!image/)|expression\(|@import|behavior:").search
_ignored = re.compile(r"[\x00-\x20\\]|/\*.*?\*/").sub

_CACHED: Final = 100
"""Tags of so many characters are remembered: the same few stand in every narrative."""

Tag = tuple[str, int]
"""The name of an element; 1 opens it, -1 closes it, 0 is empty."""


def is_narrative(value: str) -> bool:
    """Return whether this is a well-formed ``<div>`` that holds only what txt-1 allows.

    Scripts, event handlers, forms, frames, declarations and links that run something are refused.
    """
    if len(value) > MAX_NARRATIVE:
        return False
    if "<!--" in value:
        value = _comments("", value)
    if "&" in value and _bare_ampersand(value):
        return False
    before, *pieces = value.strip(_SPACES).split("<")
    return not before and _nests(pieces)


def _nests(pieces: list[str]) -> bool:
    """Return whether tags are allowed and close in order, a div around all.

    A piece begins within a tag and ends before the next one.
    """
    opened: list[str] = []
    left = len(pieces)
    for piece in pieces:
        left -= 1
        tag, text = _split(piece)
        if tag is None:
            return False
        name, step = tag
        if step > 0:
            opened.append(name)
        elif step < 0 and (not opened or opened.pop() != name):
            return False
        if not opened:  # the outermost element has ended
            return not left and not text and name == "div"
    return False


def _split(piece: str) -> tuple[Tag | None, str]:
    """Return the tag at the start of a piece, and the text behind it."""
    text, closed, behind = piece.partition(">")
    tag = _known_tag(text) if len(text) <= _CACHED else _read_tag(text)
    if tag is None and behind:  # the ">" may stand in the value of an attribute
        match = _to_end(piece)
        if match is not None:
            tag, behind = _read_tag(match[1]), match[2]
    return (tag if closed else None), behind


def _read_tag(text: str) -> Tag | None:
    """Return what a tag does, or None when it is not allowed."""
    match = _tag(text)
    if match is None:
        return None
    close, name, attributes, empty = match.groups()
    if name not in _ELEMENTS or (attributes and not _allowed(attributes)):
        return None
    if close:
        return None if attributes or empty else (name, -1)
    return name, 0 if empty else 1


_known_tag = lru_cache(maxsize=2048)(_read_tag)


def _allowed(attributes: str) -> bool:
    """Return whether the attributes of a tag are allowed and run nothing, however disguised."""
    pairs = _attributes(attributes)
    if len({name for name, _ in pairs}) != len(pairs):
        return False
    for name, value in pairs:
        if name not in _ATTRIBUTES:
            return False
        if name in _RUNNING and _script(_ignored("", html.unescape(value[1:-1])).lower()):
            return False
    return True
