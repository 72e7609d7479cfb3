"""Growth of children by the LMS method (Cole 1990): WHO to 24 months, CDC to 20 years.

value = M (1 + L S z)^(1/L), with L, M and S interpolated between the tabulated ages.
"""

from bisect import bisect_right
from functools import cache
from math import exp
from typing import Literal

from polyclinic.modules.population.model import Sex
from polyclinic.modules.population.tables import table

Measure = Literal["height", "weight", "head"]
LMS = tuple[float, float, float]


def growth_value(sex: Sex, measure: Measure, months: float, z: float) -> float:
    """Return height or head circumference in cm, or weight in kg, at an age and a z-score.

    Ages before the first and after the last row of the table take that row.
    """
    shape, median, spread = _parameters(sex, measure, months)
    if shape == 0:
        return median * exp(spread * z)
    return float(median * (1 + shape * spread * z) ** (1 / shape))


def _parameters(sex: Sex, measure: Measure, months: float) -> LMS:
    ages, rows = _reference(sex, measure)
    after = bisect_right(ages, months)
    if after in (0, len(ages)):
        return rows[min(after, len(ages) - 1)]
    share = (months - ages[after - 1]) / (ages[after] - ages[after - 1])
    (l0, m0, s0), (l1, m1, s1) = rows[after - 1], rows[after]
    return l0 + share * (l1 - l0), m0 + share * (m1 - m0), s0 + share * (s1 - s0)


@cache
def _reference(sex: Sex, measure: Measure) -> tuple[list[float], list[LMS]]:
    rows = table("growth")[sex][measure]
    return [row[0] for row in rows], [(row[1], row[2], row[3]) for row in rows]
