"""At how many weeks people were born, and what that means for their size as small children.

How many come early is in `data/prevalence.json`; how much smaller they are is a generator
parameter, not a clinical reference. A growth chart for preterm children needs the weeks.
"""

from datetime import date
from typing import Final

from polyclinic.base.chance import Chance
from polyclinic.modules.population.dates import DAYS_PER_MONTH
from polyclinic.modules.population.model import Person
from polyclinic.modules.population.tables import table

_TERM: Final = 37
_FULL: Final = 40
_CORRECTED_DAYS: Final = 730
_DAYS_PER_WEEK: Final = 7
_SMALLER: Final = {"height": 0.016, "weight": 0.05, "head": 0.014}  # by week


def weeks_of(seed: int, index: int) -> int:
    """Return the completed weeks of pregnancy at which a person was born."""
    chance = Chance(seed, index, "weeks")
    if chance.happens(table("prevalence")["births"][0]["cells"][0][-1]):
        return chance.weighted((34, 35, 36), (2, 3, 5))
    return chance.weighted((37, 38, 39, 40, 41), (10, 22, 35, 25, 8))


def missing_months(person: Person, day: date) -> float:
    """Return by how much age is corrected on a day, in months: until two years, if born early."""
    if person.weeks >= _TERM or (day - person.birth).days >= _CORRECTED_DAYS:
        return 0.0
    return (_FULL - person.weeks) * _DAYS_PER_WEEK / DAYS_PER_MONTH


def share_before_term(measure: str, months: float) -> float:
    """Return which share of the size at term a child has so many months before it."""
    weeks = max(0.0, -months * DAYS_PER_MONTH / _DAYS_PER_WEEK)
    return 1.0 - _SMALLER[measure] * weeks
