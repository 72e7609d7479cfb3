"""A unit as what it is worth in base units, and its algebra.

https://ucum.org/ucum#section-Semantics
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from polyclinic.kernel.ucum.special import Function

MAX_BITS: Final = 2_048
"""Bits of a magnitude's numerator and denominator at most: numbers to about 10 to the 600th."""

MAX_EXPONENT: Final = 99

Dimension = tuple[tuple[str, int], ...]
"""Base units, and arbitrary units, with their exponents: sorted, none of them 0."""


class TooLarge(ValueError):
    """The magnitude has more than MAX_BITS."""


class NotRatio(ValueError):
    """A special unit is taken where only a unit on a ratio scale can be."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit in terms of base units.

    A value x of it is ``function.inverse(x * scale) * magnitude`` in its dimension, and without a
    function ``x * magnitude``.
    """

    magnitude: Fraction
    dimension: Dimension = ()
    function: Function | None = None
    """Of a special unit, such as Cel, pH or dB: not on a ratio scale."""
    scale: Fraction = Fraction(1)
    """The prefix and the number before a special unit; 1 for others."""

    @property
    def canonical(self) -> str:
        """Return the code that all commensurable units share, in base units: ``g.m-1.s-2``."""
        return (
            ".".join(
                f"{code}{exponent if exponent != 1 else ''}" for code, exponent in self.dimension
            )
            or "1"
        )

    @property
    def falling(self) -> bool:
        """Return whether a greater value in this unit is a smaller one in base units, as of pH."""
        return self.function is not None and self.function.falling

    def to_base(self, value: Fraction) -> Fraction | None:
        """Return a value of this unit in base units; None where its function has no result."""
        if self.function is None:
            return value * self.magnitude
        found = self.function.inverse(value * self.scale)
        return None if found is None else found * self.magnitude

    def from_base(self, value: Fraction) -> Fraction | None:
        """Return a value in base units in this unit; None where its function has no result."""
        if self.function is None:
            return value / self.magnitude
        found = self.function.apply(value / self.magnitude)
        return None if found is None else found / self.scale

    def times(self, other: "Unit") -> "Unit":
        """Return the product. Of special units only a multiple by a number exists.

        Raise ``NotRatio`` for others, and ``TooLarge``.
        """
        if other.function is not None:
            self, other = other, self  # noqa: PLW0642 - a product has no order
        if self.function is None:
            return Unit(
                _bounded(self.magnitude * other.magnitude), _sum(self.dimension, other.dimension, 1)
            )
        if other.function is not None or other.dimension:
            raise NotRatio
        scale = _bounded(self.scale * other.magnitude)
        return Unit(self.magnitude, self.dimension, self.function, scale)

    def over(self, other: "Unit") -> "Unit":
        """Return the quotient. Raise ``NotRatio`` for special units, and ``TooLarge``."""
        if self.function is not None or other.function is not None:
            raise NotRatio
        return Unit(
            _bounded(self.magnitude / other.magnitude), _sum(self.dimension, other.dimension, -1)
        )

    def power(self, exponent: int) -> "Unit":
        """Return the power. Raise ``NotRatio`` for special units, and ``TooLarge``."""
        if exponent == 1:
            return self
        if self.function is not None:
            raise NotRatio
        bits = max(self.magnitude.numerator.bit_length(), self.magnitude.denominator.bit_length())
        if abs(exponent) > MAX_EXPONENT or bits * abs(exponent) > MAX_BITS:
            raise TooLarge
        return Unit(
            self.magnitude**exponent,
            tuple((code, of * exponent) for code, of in self.dimension if exponent),
        )


def _bounded(magnitude: Fraction) -> Fraction:
    if max(magnitude.numerator.bit_length(), magnitude.denominator.bit_length()) > MAX_BITS:
        raise TooLarge
    return magnitude


def _sum(first: Dimension, second: Dimension, sign: int) -> Dimension:
    if not second:
        return first
    exponents = dict(first)
    for code, exponent in second:
        exponents[code] = exponents.get(code, 0) + sign * exponent
    return tuple(sorted((code, exponent) for code, exponent in exponents.items() if exponent))


ONE: Final = Unit(Fraction(1))
