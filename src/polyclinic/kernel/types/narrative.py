"""The limited XHTML of a narrative: invariants txt-1 and txt-2.

https://hl7.org/fhir/R4/narrative.html#xhtml
"""

import html
import re
from typing import Final

MAX_NARRATIVE = 4 * 1024 * 1024
"""Characters in a narrative; R4 sets no limit, we do."""

# The names in the two lists are those of the XPath of txt-1.
_ELEMENTS: Final = (
    "a|abbr|acronym|b|big|blockquote|br|caption|cite|code|col|colgroup|dd|dfn|div|dl|dt|em"
    "|h[1-6r]|i|img|li|ol|p|pre|q|samp|small|span|strong|sub|sup|table|tbody|td|tfoot|th|thead"
    "|tr|tt|ul|var"
)
_ATTRIBUTES: Final = (
    "abbr|accesskey|align|alt|axis|bgcolor|border|cellhalign|cellpadding|cellspacing|cellvalign"
    "|char|charoff|charset|cite|class|colspan|compact|coords|dir|frame|headers|height|href"
    "|hreflang|hspace|id|lang|longdesc|name|nowrap|rel|rev|rowspan|rules|scope|shape|span|src"
    "|start|style|summary|tabindex|title|type|valign|value|vspace|width|xmlns|xml:lang|xml:space"
)
_S: Final = r"[ \t\r\n]"
_REFERENCE: Final = "&(?:[A-Za-z][A-Za-z0-9]*|#[0-9]+|#x[0-9A-Fa-f]+);"
_VALUE: Final = rf"(?:\"(?:[^<&\"]|{_REFERENCE})*+\"|'(?:[^<&']|{_REFERENCE})*+')"
_TAG: Final = (
    rf"<(?:(?:{_ELEMENTS})(?:{_S}++(?:{_ATTRIBUTES}){_S}*+={_S}*+{_VALUE})*+{_S}*+/?+"
    rf"|/(?:{_ELEMENTS}){_S}*+)>"
)
_COMMENT: Final = "<!--(?:[^-]|-[^-])*+-->"


_lexes = re.compile(
    rf"{_S}*+(?=<div[ \t\r\n/>])(?:[^<&]++|{_REFERENCE}|{_TAG}|{_COMMENT})++"
).fullmatch
_tags = re.compile(rf"<(/?)({_ELEMENTS})(?=[ \t\r\n/>])(?:[^>\"']|\"[^\"]*+\"|'[^']*+')*?(/?)>")
_comments = re.compile(_COMMENT).sub
_unsafe = re.compile(
    r"[ \t\r\n](?:href|src|longdesc|cite|style)[ \t\r\n]*=[ \t\r\n]*(?:\"([^\"]*)\"|'([^']*)')"
).finditer
_script = re.compile(r"(?:java|vb)script:|data:(?!image/)|expression\(|@import|behaviou?r:").search
_ignored = re.compile(r"[\x00-\x20\\]|/\*.*?\*/").sub


def is_narrative(value: str) -> bool:
    """Return whether this is a well-formed ``<div>`` that holds only what txt-1 allows.

    Scripts, event handlers, forms, frames, declarations and links that run something are refused,
    and so is a narrative without any text or image (txt-2).
    """
    if len(value) > MAX_NARRATIVE or _lexes(value) is None:
        return False
    if "<!--" in value:
        value = _comments("", value)
    return _nests(value) and not _runs_something(value)


def _nests(value: str) -> bool:
    """Return whether tags close in order, the outer div last, with something to see inside."""
    opened: list[str] = []
    position, seen = 0, False
    for tag in _tags.finditer(value):
        seen = seen or bool(value[position : tag.start()].strip())
        position = tag.end()
        close, name, empty = tag.groups()
        seen = seen or name == "img"
        if not close:
            opened.append(name)
        if close or empty:
            if not opened or opened.pop() != name:
                return False
            if not opened:
                break
    return seen and not opened and not value[position:].strip(" \t\r\n")


def _runs_something(value: str) -> bool:
    """Return whether a link or style carries a script, however it is disguised."""
    for match in _unsafe(value):
        text = html.unescape(match[1] or match[2] or "")
        if _script(_ignored("", text).lower()):
            return True
    return False
