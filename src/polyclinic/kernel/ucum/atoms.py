"""The atoms of UCUM, with or without a prefix.

The table is made by ``tools/ucum_table.py`` and holds the definitions as UCUM gives them; an atom
is resolved to base units when it is first met. https://ucum.org/ucum#section-Tables-of-Terminal-Symbols
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from polyclinic.kernel.ucum.special import FUNCTIONS
from polyclinic.kernel.ucum.unit import Unit

TABLE: Final = Path(__file__).parent / "tables" / "ucum.json"


class Definition(msgspec.Struct, frozen=True, array_like=True):
    """One unit as UCUM defines it: ``value`` times ``unit``."""

    flags: str
    """m for metric: it takes prefixes. a for arbitrary: it has no relation to other units."""
    value: str
    unit: str
    function: str = ""
    """Of a special unit, the name of its function."""

    @property
    def metric(self) -> bool:
        """Return whether prefixes may stand before it."""
        return "m" in self.flags


class Table(msgspec.Struct, frozen=True):
    """The definitions of UCUM."""

    version: str
    prefixes: dict[str, str]
    base: tuple[str, ...]
    units: dict[str, Definition]


_BASE: Final = Definition("m", "1", "")


@cache
def table() -> Table:
    """Return the table; it is read once."""
    return msgspec.json.decode(TABLE.read_bytes(), type=Table)


def definition(code: str) -> Definition | None:
    """Return the definition of an atom; None for what is none."""
    return _BASE if code in table().base else table().units.get(code)


def split(symbol: str) -> tuple[str, str] | None:
    """Return prefix and atom of a symbol; None for what has none. An atom goes before a prefix."""
    if definition(symbol) is not None:
        return "", symbol
    for length in (1, 2):
        prefix, code = symbol[:length], symbol[length:]
        if prefix in table().prefixes:
            found = definition(code)
            if found is not None and found.metric:
                return prefix, code
    return None


def resolved(code: str, parse: Callable[[str], Unit]) -> Unit:
    """Return an atom in base units; ``parse`` reads the units of its definition."""
    found = table().units.get(code)
    if found is None or ("a" in found.flags and found.unit == "1"):
        return Unit(Fraction(1), ((code, 1),))
    unit = parse(found.unit)
    function = FUNCTIONS[found.function] if found.function else None
    return Unit(Fraction(found.value) * unit.magnitude, unit.dimension, function)


def prefix(code: str) -> Fraction:
    """Return what a prefix stands for."""
    return Fraction(table().prefixes[code])


def suggestion(symbol: str) -> str | None:
    """Return what was probably meant: the same letters in another case, or within brackets."""
    codes = _folded()
    for length in (0, 1, 2):
        before, rest = symbol[:length], symbol[length:]
        if not before or before in table().prefixes:
            meant = before + codes.get(_fold(rest), "")
            if len(meant) > length and split(meant):
                return meant
    return None


@cache
def _folded() -> dict[str, str]:
    return {_fold(code): code for code in (*table().units, *table().base)}


def _fold(code: str) -> str:
    return code.strip("[]").lower()
