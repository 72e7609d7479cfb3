"""The expressions of ``_text`` and ``_content``, https://hl7.org/fhir/R4/search.html#content.

Words, and words between quotes, with AND, OR, NOT and parentheses in any case. Side by side means
AND, which binds closer than OR. An operator between quotes is a word. Words are found wherever
they stand; quotes keep them together in the expression only.
"""

import re
from collections.abc import Sequence
from typing import Final

from polyclinic.kernel.search import values
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import AllOf, AnyOf, Not, Predicate, Words
from polyclinic.kernel.search.query.limits import DEEPEST_PARENTHESES, refuse, shown
from polyclinic.kernel.search.query.searched import Searched
from polyclinic.kernel.search.resource_words import LONGEST_WORD
from polyclinic.kernel.search.strings import words as words_of

_TOKEN: Final = re.compile(r'"[^"]*"|[()]|[^\s()"]+|"')
_OPERATORS: Final = frozenset({"and", "or", "not"})


def words(searched: Searched, param: SearchParameter, _: str, text: str) -> Predicate:
    """Return what one expression asks."""
    tokens = _TOKEN.findall(values.unescape(text))
    searched.budget.take(len(tokens))
    reader = _Reader(param, tokens)
    found = reader.alternatives(0)
    if reader.at < len(tokens):
        reader.fail()
    return found


class _Reader:
    """Read tokens from left to right."""

    def __init__(self, param: SearchParameter, tokens: Sequence[str]) -> None:
        self._param = param
        self._tokens = tokens
        self.at = 0

    def alternatives(self, depth: int) -> Predicate:
        """Read what stands between ORs."""
        parts = [self._together(depth)]
        while self._operator() == "or":
            self.at += 1
            parts.append(self._together(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _together(self, depth: int) -> Predicate:
        """Read what stands side by side or between ANDs."""
        found: list[str] = []
        parts: list[Predicate] = []
        expected = True
        while expected or self._goes_on():
            if self._operator() == "not" or self._next() == "(":
                parts.append(self._part(depth))
            else:
                found.extend(self._word())
            expected = self._operator() == "and"
            self.at += expected
        if found:
            parts.insert(0, Words(self._param, tuple(dict.fromkeys(found))))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _part(self, depth: int) -> Predicate:
        negated = False
        while self._operator() == "not":
            negated = not negated
            self.at += 1
        grouped = self._next() == "("
        part = self._within(depth + 1) if grouped else Words(self._param, self._word())
        return Not(part) if negated else part

    def _within(self, depth: int) -> Predicate:
        if depth > DEEPEST_PARENTHESES:
            refuse(f"{self._param.code} has over {DEEPEST_PARENTHESES} parentheses in another.")
        self.at += 1
        found = self.alternatives(depth)
        if self._next() != ")":
            self.fail()
        self.at += 1
        return found

    def _word(self) -> tuple[str, ...]:
        token = self._next()
        if token in ("", '"', ")") or self._operator():
            self.fail()
        self.at += 1
        found = words_of(token)
        if not found or any(len(word) > LONGEST_WORD for word in found):
            refuse(
                f"{self._param.code}: {shown(token)} is no word; it has letters or digits, at most "
                f"{LONGEST_WORD}."
            )
        return found

    def _goes_on(self) -> bool:
        return self._next() not in ("", ")") and self._operator() != "or"

    def _next(self) -> str:
        return self._tokens[self.at] if self.at < len(self._tokens) else ""

    def _operator(self) -> str:
        word = self._next().casefold()
        return word if word in _OPERATORS else ""

    def fail(self) -> None:
        """Raise ``BadRequest`` for what stands where it cannot."""
        where = shown(self._next()) or "the end"
        refuse(
            f"{self._param.code} cannot be read at {where}; write words with AND, OR, NOT and "
            f'parentheses, such as {self._param.code}=(bone OR liver) AND "breast cancer".'
        )
