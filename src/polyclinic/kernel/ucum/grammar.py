"""The grammar of UCUM codes.

    main-term:  / term, or term
    term:       components with . or / between, from the left
    component:  a unit with an exponent, a number, an annotation, or a term in parentheses
    unit:       an atom, or a prefix and a metric atom

Each may be followed by an annotation in braces, which has no meaning.
https://ucum.org/ucum#section-Grammar-of-Units-and-Unit-Terms
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import Final, NoReturn

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.ucum import atoms
from polyclinic.kernel.ucum.unit import ONE, NotRatio, TooLarge, Unit

MAX_LENGTH: Final = 200
"""Characters of a code at most."""

MAX_DEPTH: Final = 16
"""Parentheses within one another at most."""

_SYMBOL: Final = re.compile(r"10[*^]|(?:\[[!-Z\\^-z|~]*\]|[!#-'*,:;<>?@A-Z\\^_`a-z|~])+")
_EXPONENT: Final = re.compile(r"[+-]?[0-9]+")
_NUMBER: Final = re.compile(r"[0-9]+")
_ANNOTATION: Final = re.compile(r"\{[!-z|~]*\}")


class UnknownUnit(BadRequest):
    """The code is no unit of UCUM."""

    code = "code-invalid"

    def __init__(self, position: int, reason: str) -> None:
        self.position = position
        """Where it goes wrong: characters before it."""
        self.reason = reason
        super().__init__(f"No UCUM unit: {reason} at character {position + 1}.")


@lru_cache(maxsize=4096)
def _parsed(code: str) -> Unit:
    return _Reader(code).main()


def parse(code: str) -> Unit:
    """Return the unit of a case-sensitive code. Raise ``UnknownUnit`` for what is none."""
    if len(code) > MAX_LENGTH:
        raise UnknownUnit(MAX_LENGTH, f"more than {MAX_LENGTH} characters")
    return _parsed(code)


@lru_cache(maxsize=4096)
def _known(code: str) -> Unit | None:
    try:
        return parse(code)
    except UnknownUnit:
        return None


def known(code: str) -> Unit | None:
    """Return the unit of a case-sensitive code; None for what is none."""
    return _known(code) if len(code) <= MAX_LENGTH else None


@lru_cache(maxsize=4096)
def _simple(symbol: str) -> Unit | None:
    """Return an atom with its prefix; None for what is none."""
    parts = atoms.split(symbol)
    if parts is None:
        return None
    before, code = parts
    unit = atoms.resolved(code, _parsed)
    return unit.times(Unit(atoms.prefix(before))) if before else unit


class _Reader:
    """Read one code from left to right."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._at = 0

    def main(self) -> Unit:
        """Return the unit of the whole code."""
        unit = self._rest(ONE, 0) if self._next() == "/" else self._term(0)
        if self._at < len(self._code):
            follows = self._next() in "([{" or self._next().isalnum()
            self._refuse(self._at, "a . or / is missing" if follows else "not understood")
        return unit

    def _term(self, depth: int) -> Unit:
        return self._rest(self._component(depth), depth)

    def _rest(self, unit: Unit, depth: int) -> Unit:
        while (operator := self._next()) in (".", "/"):
            start = self._at
            self._at += 1
            other = self._component(depth)
            try:
                unit = unit.times(other) if operator == "." else unit.over(other)
            except (NotRatio, TooLarge) as error:
                self._refuse(start, _WHY[type(error)])
        return unit

    def _component(self, depth: int) -> Unit:
        char = self._next()
        if char == "(":
            unit = self._parenthesised(depth)
        elif char == "{":
            unit = ONE
        elif match := _SYMBOL.match(self._code, self._at):
            unit = self._unit(match)
        elif match := _NUMBER.match(self._code, self._at):
            unit = self._number(match)
        else:
            self._refuse(self._at, "a unit is missing")
        self._annotation()
        return unit

    def _parenthesised(self, depth: int) -> Unit:
        if depth == MAX_DEPTH:
            self._refuse(self._at, f"more than {MAX_DEPTH} parentheses within one another")
        start = self._at
        self._at += 1
        unit = self._term(depth + 1)
        if self._next() != ")":
            self._refuse(start, "the parenthesis is not closed")
        self._at += 1
        return unit

    def _unit(self, match: re.Match[str]) -> Unit:
        unit = _simple(match[0])
        if unit is None:
            meant = atoms.suggestion(match[0])
            self._refuse(match.start(), f"no such unit{f' (perhaps {meant})' if meant else ''}")
        self._at = match.end()
        exponent = _EXPONENT.match(self._code, self._at)
        if exponent is None:
            return unit
        self._at = exponent.end()
        try:
            return unit.power(int(exponent[0]))
        except (NotRatio, TooLarge) as error:
            self._refuse(exponent.start(), _WHY[type(error)])

    def _number(self, match: re.Match[str]) -> Unit:
        self._at = match.end()
        number = int(match[0])
        if number == 0:
            self._refuse(match.start(), "a factor of 0")
        try:
            return ONE.times(Unit(Fraction(number)))
        except TooLarge:
            self._refuse(match.start(), _WHY[TooLarge])

    def _annotation(self) -> None:
        if self._next() != "{":
            return
        match = _ANNOTATION.match(self._code, self._at)
        if match is None:
            self._refuse(self._at, "an annotation of other than ASCII characters, or not closed")
        self._at = match.end()

    def _next(self) -> str:
        return self._code[self._at : self._at + 1]

    def _refuse(self, position: int, reason: str) -> NoReturn:
        raise UnknownUnit(position, reason)


_WHY: Final[dict[type[ValueError], str]] = {
    NotRatio: "a special unit takes a prefix or a number, no other unit and no exponent",
    TooLarge: "too large a number",
}
