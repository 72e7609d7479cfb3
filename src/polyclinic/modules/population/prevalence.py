"""Who has which long-term condition: rates by age and sex, and what goes together.

The rates of `data/prevalence.json` are met exactly in the long run. Conditions of one group share
a hidden factor of the person (a Gaussian copula): people with diabetes have hypertension more
often than others, while the share of people with hypertension stays what the source says.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from math import sqrt
from statistics import NormalDist
from typing import Any, Final

from polyclinic.base.chance import Chance
from polyclinic.modules.population.dates import add_months
from polyclinic.modules.population.model import Person
from polyclinic.modules.population.tables import table

_AFTER: Final = timedelta(days=60)

Cell = tuple[str, int, int, float]


def rate_of(cells: Sequence[Cell], sex: str, age: int) -> float:
    """Return the rate of the cell for this sex and age, 0 where the table has none."""
    for cell_sex, first, last, rate in cells:
        if cell_sex in ("*", sex) and first <= age <= last:
            return rate
    return 0.0


def draw_conditions(person: Person) -> None:
    """Set the person's long-term conditions with the day each began."""
    factors: dict[str, float] = {}
    for row in table("prevalence")["conditions"]:
        rate = rate_of(row["cells"], person.sex, person.age)
        if not rate:
            continue
        factor = row["factor"]
        if factor not in factors:
            factors[factor] = Chance(person.seed, person.index, "factor", factor).normal()
        chance = Chance(person.seed, person.index, "condition", row["key"])
        share = row["loading"]
        liability = share * factors[factor] + sqrt(1.0 - share * share) * chance.normal()
        if liability < _threshold(rate):
            person.onsets[row["key"]] = _onset(person, row, chance)
    _draw_complications(person)


def _draw_complications(person: Person) -> None:
    """Set what comes of a condition: at the rate among those who have it, and after it."""
    for row in table("prevalence")["complications"]:
        cause = person.onsets.get(row["of"])
        chance = Chance(person.seed, person.index, "complication", row["key"])
        if cause and chance.happens(rate_of(row["cells"], person.sex, person.age)):
            onset = _onset(person, row, chance)
            person.onsets[row["key"]] = max(onset, min(cause + _AFTER, person.end))


def draw_smoking(person: Person) -> None:
    """Set the smoking status: current by the table, former as a generator parameter."""
    row = table("prevalence")["habits"][0]
    chance = Chance(person.seed, person.index, "smoking")
    rate = rate_of(row["cells"], person.sex, person.age)
    if rate and chance.happens(rate):
        person.smoking = "current"
    elif rate and chance.happens(0.85 if "copd" in person.onsets else 0.22):
        person.smoking = "former"


@cache
def _threshold(rate: float) -> float:
    return NormalDist().inv_cdf(rate)


def _onset(person: Person, row: dict[str, Any], chance: Chance) -> Any:
    """Return a day between the first age the table knows, or the window, and the last day."""
    first_age = min(cell[1] for cell in row["cells"])
    earliest = max(
        add_months(person.birth, 12 * first_age + 3),
        add_months(person.end, -12 * row["onset_window"]),
    )
    days = max(0, (person.end - earliest).days - 30)
    return min(earliest, person.end - timedelta(days=1)) + timedelta(days=chance.whole(0, days))
