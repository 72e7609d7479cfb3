"""From the text of an expression to its tokens.

http://hl7.org/fhirpath/N1/#lexical-elements
"""

import re
from dataclasses import dataclass
from typing import Final

from polyclinic.kernel.fhirpath.errors import ExpressionSyntaxError, LimitExceeded
from polyclinic.kernel.fhirpath.limits import MAX_EXPRESSION

_TOKENS: Final = re.compile(
    r"""
    (?P<space>[ \t\r\n\u00a0\ufeff]++ | //[^\r\n]*+ | /\*(?:[^*]++|\*(?!/))*+\*/)
  | (?P<datetime>@[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?T
        (?:[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?)
  | (?P<date>@[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?)
  | (?P<time>@T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?)
  | (?P<number>[0-9]++(?:\.[0-9]++)?)
  | (?P<string>'(?:[^'\\]|\\.)*+')
  | (?P<delimited>`(?:[^`\\]|\\.)*+`)
  | (?P<special>\$[a-z]+)
  | (?P<variable>%(?:(?:vs|ext)-[A-Za-z0-9.-]++ | [A-Za-z_][A-Za-z0-9_]*+
        | (?P<quoted>'(?:[^'\\]|\\.)*+' | `(?:[^`\\]|\\.)*+`)))
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*+)
  | (?P<symbol><=|>=|!=|!~|[.,()\[\]{}+*/|&=~<>-])
    """,
    re.VERBOSE | re.DOTALL,
)
_escape = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES: Final = {
    **{character: character for character in "`'\"\\/"},
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Token:
    """One word of an expression."""

    kind: str
    """date, datetime, time, number, string, delimited, special, variable, name, symbol or end."""
    text: str
    """Without quotes, escapes, and the sign that says its kind."""
    position: int
    """Of its first character, from 0."""


def tokens(expression: str) -> list[Token]:
    """Return the tokens, the last of which is the end.

    Raise ExpressionSyntaxError for what is no token, LimitExceeded for an overlong expression.
    """
    if len(expression) > MAX_EXPRESSION:
        message = f"An expression has at most {MAX_EXPRESSION} characters; make it shorter."
        raise LimitExceeded(message)
    found: list[Token] = []
    position = 0
    while position < len(expression):
        match = _TOKENS.match(expression, position)
        if match is None:
            message = f"This is no FHIRPath at character {position + 1}; correct it."
            raise ExpressionSyntaxError(message)
        kind = "variable" if match["quoted"] else str(match.lastgroup)
        if kind != "space":
            found.append(Token(kind, _text(kind, match), position))
        position = match.end()
    return [*found, Token("end", "", position)]


def _text(kind: str, match: re.Match[str]) -> str:
    text = match[0]
    if kind in {"string", "delimited"}:
        return _unescaped(text[1:-1], match.start())
    if kind == "variable" and match["quoted"]:
        return _unescaped(match["quoted"][1:-1], match.start())
    if kind == "time":
        return text[2:]
    return text[1:] if kind in {"date", "datetime", "special", "variable"} else text


def _unescaped(text: str, position: int) -> str:
    """Return the text with its escapes replaced; two halves of a pair become one character."""
    if "\\" not in text:
        return text
    plain = _escape.sub(lambda match: _character(match[1], position), text)
    if _SURROGATES.search(plain):
        try:
            plain = plain.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError as error:
            message = f"Half a character is escaped after character {position + 1}; complete it."
            raise ExpressionSyntaxError(message) from error
    return plain


def _character(escape: str, position: int) -> str:
    if len(escape) > 1:
        return chr(int(escape[1:], 16))
    if escape not in _ESCAPES:
        message = f"An escape after character {position + 1} is none of FHIRPath's; correct it."
        raise ExpressionSyntaxError(message)
    return _ESCAPES[escape]
