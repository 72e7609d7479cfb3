"""The syntax of ``_filter`` as a tree, https://hl7.org/fhir/R4/search_filter.html.

``and`` and ``or`` are read from left to right, neither before the other, as R4 says.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, NoReturn, TypeAlias

import msgspec

from polyclinic.kernel.search.query.limits import DEEPEST_PARENTHESES, refuse, shown

OPERATORS: Final = frozenset(
    {
        "eq",
        "ne",
        "co",
        "sw",
        "ew",
        "gt",
        "lt",
        "ge",
        "le",
        "ap",
        "sa",
        "eb",
        "pr",
        "po",
        "ss",
        "sb",
        "in",
        "ni",
        "re",
    }
)
"""https://hl7.org/fhir/R4/search_filter.html#ops"""

_BLANK: Final = re.compile(r"\s*")
_NAME: Final = re.compile(r"[_A-Za-z][_A-Za-z0-9\-]*(?::[_A-Za-z][_A-Za-z0-9\-]*)*")
_WORD: Final = re.compile(r"[a-z]+")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TOKEN: Final = re.compile(r"[^\s\])\"][^\s\])]*")
_EXAMPLE: Final = 'given eq "peter" and birthdate ge 2014-10-10'


@dataclass(frozen=True, slots=True)
class Segment:
    """A name on a path, and the filter in brackets behind it."""

    name: str
    where: "Filter | None" = None


@dataclass(frozen=True, slots=True)
class Compared:
    """``path operator value``."""

    path: tuple[Segment, ...]
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Negated:
    """``not (filter)``."""

    part: "Filter"


@dataclass(frozen=True, slots=True)
class Joined:
    """``filter and filter``, ``filter or filter``."""

    word: Literal["and", "or"]
    parts: "tuple[Filter, ...]"


Filter: TypeAlias = Compared | Negated | Joined


def parse_filter(text: str) -> Filter:
    """Return the tree of a filter. Raise ``BadRequest`` that says where it cannot be read."""
    reader = _Reader(text)
    found = reader.filter(0)
    if not reader.ended():
        reader.fail("and, or, or the end")
    return found


class _Reader:
    """Read a filter from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def filter(self, depth: int) -> Filter:
        """Read terms with ``and`` or ``or`` between them."""
        if depth > DEEPEST_PARENTHESES:
            refuse(f"A filter has at most {DEEPEST_PARENTHESES} parentheses in one another.")
        found = self._term(depth)
        while word := self._joining():
            right = self._term(depth)
            same = isinstance(found, Joined) and found.word == word
            found = Joined(word, (*_parts(found), right) if same else (found, right))
        return found

    def ended(self) -> bool:
        """Say whether nothing is left."""
        return self._skip() == len(self._text)

    def _joining(self) -> Literal["and", "or"] | None:
        match = _WORD.match(self._text, self._skip())
        if match is None or match[0] not in ("and", "or"):
            return None
        self._at = match.end()
        return "and" if match[0] == "and" else "or"

    def _term(self, depth: int) -> Filter:
        at = self._skip()
        match = _WORD.match(self._text, at)
        if match and match[0] == "not" and not self._followed_by_operator(match.end()):
            self._at = match.end()
            return Negated(self._parenthesised(depth))
        if self._text.startswith("(", at):
            return self._parenthesised(depth)
        return self._test(depth)

    def _followed_by_operator(self, at: int) -> bool:
        match = re.compile(r"\s+([a-z]{2})\s").match(self._text, at)
        return match is not None and match[1] in OPERATORS

    def _parenthesised(self, depth: int) -> Filter:
        self._take("(")
        found = self.filter(depth + 1)
        self._take(")")
        # What was put together stays together, whatever follows.
        return found if not isinstance(found, Joined) else Joined(found.word, found.parts)

    def _test(self, depth: int) -> Compared:
        path = [self._segment(depth)]
        while self._text.startswith(".", self._at):
            self._at += 1
            path.append(self._segment(depth))
        operator = _WORD.match(self._text, self._blank("a blank and an operator"))
        if operator is None or operator[0] not in OPERATORS:
            self.fail("one of the operators " + " ".join(sorted(OPERATORS)))
        self._at = operator.end()
        self._blank("a blank and a value")
        return Compared(tuple(path), operator[0], self._value())

    def _segment(self, depth: int) -> Segment:
        match = _NAME.match(self._text, self._at)
        if match is None:
            self.fail("the name of a search parameter")
        self._at = match.end()
        if not self._text.startswith("[", self._at):
            return Segment(match[0])
        self._at += 1
        where = self.filter(depth + 1)
        self._take("]")
        return Segment(match[0], where)

    def _value(self) -> str:
        string = _STRING.match(self._text, self._at)
        if string is not None:
            try:
                found = msgspec.json.decode(string[0], type=str)
            except (msgspec.DecodeError, UnicodeError):
                self.fail("a JSON string")
            self._at = string.end()
            return found
        token = _TOKEN.match(self._text, self._at)
        if token is None:
            self.fail("a value, with quotes round it where it has blanks, ) or ]")
        self._at = token.end()
        return token[0]

    def _skip(self) -> int:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at

    def _blank(self, wanted: str) -> int:
        before = self._at
        if self._skip() == before:
            self.fail(wanted)
        return self._at

    def _take(self, sign: str) -> None:
        if not self._text.startswith(sign, self._skip()):
            self.fail(sign)
        self._at += len(sign)

    def fail(self, wanted: str) -> NoReturn:
        """Raise ``BadRequest`` for what stands where something else has to."""
        found = shown(self._text[self._at :]) or "the end"
        refuse(f"At {found} there must be {wanted}; write for instance {_EXAMPLE}.")


def _parts(found: Filter) -> tuple[Filter, ...]:
    return found.parts if isinstance(found, Joined) else (found,)
