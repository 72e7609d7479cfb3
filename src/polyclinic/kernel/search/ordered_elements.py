"""The index values of each data type that has an order: dates, numbers, quantities, places.

https://hl7.org/fhir/R4/search.html#ptypes
"""

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import msgspec

from polyclinic.kernel.search.gathered import Emit, Factory, Gathered
from polyclinic.kernel.search.index_values import (
    DATE_MAX,
    DATE_MIN,
    DateValue,
    NumberValue,
    PositionValue,
    QuantityValue,
)
from polyclinic.kernel.search.parameters import Path
from polyclinic.kernel.search.quantities import Extent, base_measure, measured
from polyclinic.kernel.search.ranges import date_range, number_range
from polyclinic.kernel.ucum import SYSTEM as UCUM


def _date(params: Sequence[str], _: Path) -> Emit:
    def emit(value: str, out: Gathered) -> None:
        low, high = date_range(value)
        for param in params:
            out.dates.append(DateValue(param, low, high))

    return emit


def _period(params: Sequence[str], _: Path) -> Emit:
    def emit(value: Any, out: Gathered) -> None:
        start, end = value.start, value.end
        if start or end:
            low = date_range(start)[0] if start else DATE_MIN
            high = date_range(end)[1] if end else DATE_MAX
            for param in params:
                out.dates.append(DateValue(param, low, high))

    return emit


def _timing(params: Sequence[str], path: Path) -> Emit:
    """Emit the time from the first to the last event, the bounds of a repetition included."""
    period = _period(params, path)

    def emit(value: Any, out: Gathered) -> None:
        ranges = [date_range(event) for event in value.event or () if event]
        if ranges:
            low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
            for param in params:
                out.dates.append(DateValue(param, low, high))
        if value.repeat and value.repeat.boundsPeriod:
            period(value.repeat.boundsPeriod, out)

    return emit


def _decimal(params: Sequence[str], _: Path) -> Emit:
    def emit(value: msgspec.Raw | int, out: Gathered) -> None:
        text = str(value) if isinstance(value, int) else bytes(value).decode("ascii")
        low, high = number_range(text)
        for param in params:
            out.numbers.append(NumberValue(param, low, high, text))

    return emit


def _range_number(params: Sequence[str], _: Path) -> Emit:
    def emit(value: Any, out: Gathered) -> None:
        if not value.low and not value.high:
            return
        low, high = _bounds(value)
        for param in params:
            out.numbers.append(NumberValue(param, low, high, ""))

    return emit


def _bounds(value: Any) -> tuple[float, float]:
    """Return a Range as [low, high): its bounds are exact and both belong to it."""
    low, high = value.low, value.high
    least = float(bytes(low.value)) if low and low.value else -math.inf
    most = float(bytes(high.value)) if high and high.value else math.inf
    return least, math.nextafter(most, math.inf)


def _extent(value: Any) -> Extent:
    """Return a Range exactly; its bounds belong to it."""
    low, high = (
        Fraction(bytes(end.value).decode("ascii")) if end and end.value else None
        for end in (value.low, value.high)
    )
    return Extent(low, high, through=True)


def _quantity(params: Sequence[str], _: Path) -> Emit:
    def emit(value: Any, out: Gathered) -> None:
        if not value.value:
            return
        text = bytes(value.value).decode("ascii")
        low, high = number_range(text)
        # A SimpleQuantity, such as Substance.instance.quantity, has no comparator.
        comparator: str | None = getattr(value, "comparator", None) or None
        if comparator:
            low, high = _compared(comparator, text)
        system, code, unit = value.system or None, value.code or None, value.unit or None
        base = measured(text, comparator, code) if system == UCUM and code else None
        for param in params:
            out.quantities.append(QuantityValue(param, system, code, unit, low, high, text, base))

    return emit


def _compared(comparator: str, text: str) -> tuple[float, float]:
    """Return the range of a quantity such as ``< 5``."""
    exact = float(text)
    above = math.nextafter(exact, math.inf)
    return {
        "<": (-math.inf, exact),
        "<=": (-math.inf, above),
        ">=": (exact, math.inf),
        ">": (above, math.inf),
    }[comparator]


CURRENCY: Final = "urn:iso:std:iso:4217"
"""The system of Money.currency."""


def _money(params: Sequence[str], _: Path) -> Emit:
    def emit(value: Any, out: Gathered) -> None:
        if not value.value:
            return
        text = bytes(value.value).decode("ascii")
        low, high = number_range(text)
        currency = value.currency or None
        for param in params:
            out.quantities.append(
                QuantityValue(param, CURRENCY, currency, currency, low, high, text)
            )

    return emit


def _range(params: Sequence[str], _: Path) -> Emit:
    def emit(value: Any, out: Gathered) -> None:
        limit = value.low or value.high
        if not limit:
            return
        low, high = _bounds(value)
        system, code, unit = limit.system or None, limit.code or None, limit.unit or None
        base = base_measure(_extent(value), system, code)
        for param in params:
            out.quantities.append(QuantityValue(param, system, code, unit, low, high, "", base))

    return emit


def _sampled_data(params: Sequence[str], _: Path) -> Emit:
    """Emit the range from the lowest to the highest sample, in the unit of the origin."""

    def emit(value: Any, out: Gathered) -> None:
        origin = value.origin
        samples = _SAMPLES.findall(value.data or "")
        if not samples or not origin.value:
            return
        factor = Fraction(bytes(value.factor).decode("ascii")) if value.factor else 1
        start = Fraction(bytes(origin.value).decode("ascii"))
        ends = [start + factor * Fraction(end(samples, key=float)) for end in (min, max)]
        extent = Extent(min(ends), max(ends), through=True)
        system, code, unit = origin.system or None, origin.code or None, origin.unit or None
        low, high = extent.floats()
        base = base_measure(extent, system, code)
        for param in params:
            out.quantities.append(QuantityValue(param, system, code, unit, low, high, "", base))

    return emit


_SAMPLES: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
"""The decimals in a series; E, U and L stand for an error and for beyond the limits.

https://hl7.org/fhir/R4/datatypes.html#SampledData
"""


_POLE: Final = 90.0
_DATE_LINE: Final = 180.0
"""Degrees."""


def _position(params: Sequence[str], _: Path) -> Emit:
    def emit(value: Any, out: Gathered) -> None:
        if not value.latitude or not value.longitude:
            return
        latitude, longitude = float(bytes(value.latitude)), float(bytes(value.longitude))
        if abs(latitude) > _POLE or abs(longitude) > _DATE_LINE:
            return  # nowhere on the earth, and near nothing
        for param in params:
            out.positions.append(PositionValue(param, latitude, longitude))

    return emit


ORDERED_EMITTERS: Final[dict[tuple[str, str], Factory]] = {
    **{("date", name): _date for name in ("date", "dateTime", "instant")},
    ("date", "Period"): _period,
    ("date", "Timing"): _timing,
    **{("number", name): _decimal for name in ("decimal", "integer", "positiveInt", "unsignedInt")},
    ("number", "Range"): _range_number,
    **{("quantity", name): _quantity for name in ("Quantity", "Age", "Duration")},
    ("quantity", "Money"): _money,
    ("quantity", "Range"): _range,
    ("quantity", "SampledData"): _sampled_data,
    ("special", "Location.position"): _position,
}
