"""Quantities as they are compared: in base units where UCUM knows theirs.

A quantity has several measures, ranges under a unit, and a query asks for one of them:

    number                  the number as it stands, whatever the unit
    number|system|code      with UCUM, the range in base units under the unit that all commensurable
                            units share; otherwise the number as it stands under that unit
    number||code            the number as it stands under the code, or the unit's name

https://hl7.org/fhir/R4/search.html#quantity
"""

import math
import sys
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final, Self

from polyclinic.kernel.search.index_values import Measure, QuantityValue
from polyclinic.kernel.search.ranges import exact_range, scaled_range
from polyclinic.kernel.ucum import SYSTEM, Unit, known


@dataclass(frozen=True, slots=True)
class Extent:
    """An exact range of numbers, from ``low`` to below ``high``; None is no bound."""

    low: Fraction | None
    high: Fraction | None
    above: bool = False
    """Whether ``low`` does not belong to it."""
    through: bool = False
    """Whether ``high`` belongs to it."""

    @classmethod
    def of(cls, text: str, comparator: str | None = None) -> Self:
        """Return what the digits of a decimal leave open, or what a comparator says of it."""
        if comparator is None:
            return cls(*exact_range(text))
        number = Fraction(text)
        if comparator in ("<", "<="):
            return cls(None, number, through=comparator == "<=")
        return cls(number, None, above=comparator == ">")

    def in_base(self, unit: Unit) -> "Extent | None":
        """Return the range in base units; None where the unit has no such values."""
        low = None if self.low is None else unit.to_base(self.low)
        high = None if self.high is None else unit.to_base(self.high)
        if (low is None) != (self.low is None) or (high is None) != (self.high is None):
            return None
        if unit.falling:
            return Extent(high, low, above=not self.through, through=not self.above)
        return Extent(low, high, self.above, self.through)

    def floats(self) -> tuple[float, float]:
        """Return the nearest doubles [low, high), at least one of them within."""
        low = -math.inf if self.low is None else _double(self.low)
        high = math.inf if self.high is None else max(_double(self.high), -sys.float_info.max)
        if self.above and self.low is not None:
            low = math.nextafter(low, math.inf)
        low = min(low, sys.float_info.max)
        if self.through:
            high = math.nextafter(high, math.inf)
        return low, max(high, math.nextafter(low, math.inf))


def base_measure(extent: Extent, system: str | None, code: str | None) -> Measure | None:
    """Return a range in base units; None where the unit is not UCUM's, or has no such values."""
    unit = known(code) if system == SYSTEM and code else None
    if unit is None:
        return None
    converted = extent.in_base(unit)
    if converted is None:
        return None
    low, high = converted.floats()
    return Measure(SYSTEM, unit.canonical, low, high, falling=unit.falling)


@lru_cache(maxsize=8192)
def measured(text: str, comparator: str | None, code: str) -> Measure | None:
    """Return the range of a decimal with a code of UCUM in base units.

    None where the code is not UCUM's, or has no such value.
    """
    unit = known(code)
    if unit is not None and unit.function is None and comparator is None:
        return Measure(SYSTEM, unit.canonical, *scaled_range(text, unit.magnitude))
    return base_measure(Extent.of(text, comparator), SYSTEM, code)


def measures(value: QuantityValue) -> list[Measure]:
    """Return all that a quantity is compared by; the first is what it is sorted by.

    That is the range in base units, so that 1 g follows 5 mg; but of pH and the like, which fall
    where base units rise, the number as it stands.
    """
    found = [Measure(None, None, value.low, value.high)]
    if value.base is not None:
        found.insert(value.base.falling, value.base)
    elif value.system and value.code:
        found.append(Measure(value.system, value.code, value.low, value.high))
    names = {name: None for name in (value.code, value.unit) if name}
    found.extend(Measure(None, name, value.low, value.high) for name in names)
    return found


ABOUT: Final = Fraction(1, 10)
"""How much of a number ``ap`` leaves open to either side, as R4 recommends."""


def about(text: str) -> tuple[Fraction, Fraction]:
    """Return what ``ap`` leaves open of a decimal, never less than its digits do."""
    number, (low, high) = Fraction(text), exact_range(text)
    open_ = abs(number) * ABOUT
    return min(low, number - open_), max(high, number + open_)


_TURNED: Final = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge", "sa": "eb", "eb": "sa"}


def asked(prefix: str, text: str, code: str) -> tuple[str, Measure, float] | None:
    """Return what a query ``text|http://unitsofmeasure.org|code`` asks for, in base units.

    That is prefix, range and the number itself; under pH and the like greater is smaller. None
    where the code is not UCUM's, or has no such value.
    """
    unit, measure = known(code), measured(text, None, code)
    if prefix == "ap":
        # In the unit that was asked in: a tenth of 37 degrees is not a tenth of 310 kelvin.
        measure = base_measure(Extent(*about(text)), SYSTEM, code)
    exact = None if unit is None else unit.to_base(Fraction(text))
    if measure is None or exact is None:
        return None
    return _TURNED.get(prefix, prefix) if measure.falling else prefix, measure, _double(exact)


def _double(value: Fraction) -> float:
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return -math.inf if value < 0 else math.inf
