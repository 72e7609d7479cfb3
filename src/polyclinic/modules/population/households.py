"""Households of four patients in a row: who lives with whom, how old, where, with which name.

Ordinary patients follow the six stories; four at a time are drawn together from one stream of
their block, so that patient k is the same whatever the size of the population. All figures here
are generator parameters, not a clinical reference: they aim at the age pyramid of a mixed town,
with a fifth under 18.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

from polyclinic.base.chance import Chance
from polyclinic.modules.population.dates import add_months
from polyclinic.modules.population.model import PersonName, Race, Sex, medical_record_number
from polyclinic.modules.population.names import (
    draw_culture,
    draw_family_name,
    draw_name,
    draw_race,
    language_of,
)
from polyclinic.modules.population.tables import table

FIRST_INDEX: Final = 6  # the places before belong to the stories
_BLOCK: Final = 4

# Each pattern fills one block: the households in it, each a list of roles.
_PATTERNS: Final = (
    (("mother", "father", "child", "child"),),
    (("mother", "child", "child"), ("single",)),
    (("wife", "husband"), ("single",), ("single",)),
    (("senior_wife", "senior_husband"), ("wife", "husband")),
    (("senior_wife", "senior_husband"), ("single",), ("single",)),
    (("single",), ("single",), ("single",), ("single",)),
)
_WEIGHTS: Final = (30, 9, 20, 12, 12, 17)

_WOMEN: Final = ("mother", "wife", "senior_wife")
_AGES: Final = {
    "mother": (24, 47),
    "wife": (26, 64),
    "senior_wife": (65, 88),
    "single": (18, 92),
}
_YOUNGEST_PARENT: Final = 19
_OLDEST_CHILD: Final = 17
_FIRST_DAYS: Final = 45


@dataclass(slots=True, frozen=True)
class Member:
    """One person of a household, before anything clinical is known."""

    role: str
    sex: Sex
    age: int
    birth: date
    name: PersonName
    language: tuple[str, str]
    address: dict[str, Any]
    phone: str
    mrn: str
    household: int
    race: Race


def housemates(seed: int, index: int, today: date) -> tuple[Member, list[Member]]:
    """Return the member with this index and the others who live in the same household."""
    block, place = divmod(index - FIRST_INDEX, _BLOCK)
    members = _block(seed, block, today)
    member = members[place]
    others = [other for other in members if other.household == member.household]
    others.remove(member)
    return member, others


@lru_cache(maxsize=16)
def _block(seed: int, block: int, today: date) -> tuple[Member, ...]:
    chance = Chance(seed, "block", block)
    members: list[Member] = []
    for number, roles in enumerate(chance.weighted(_PATTERNS, _WEIGHTS)):
        first = FIRST_INDEX + block * _BLOCK + len(members)
        members += _household(chance, roles, today, (seed, first, number))
    return tuple(members)


def _household(
    chance: Chance, roles: tuple[str, ...], today: date, place: tuple[int, int, int]
) -> list[Member]:
    seed, first, number = place
    culture = draw_culture(chance)
    family = draw_family_name(chance, culture)
    address = _address(chance)
    phone = f"+1 555 01{chance.whole(0, 99):02d}"
    race = draw_race(chance, culture)
    members: list[Member] = []
    for offset, role in enumerate(roles):
        sex = _sex(chance, role)
        age = _age(chance, role, members)
        name = draw_name(chance, culture, sex, family, [member.name.given for member in members])
        members.append(
            Member(
                role=role,
                sex=sex,
                age=age,
                birth=_birth(chance, age, today),
                name=name,
                language=language_of(culture),
                address=address,
                phone=phone,
                mrn=medical_record_number(seed, first + offset),
                household=number,
                race=race,
            )
        )
    return members


def _sex(chance: Chance, role: str) -> Sex:
    if role in _WOMEN:
        return "female"
    if role in {"father", "husband", "senior_husband"}:
        return "male"
    return "female" if chance.happens(0.5) else "male"


def _age(chance: Chance, role: str, before: list[Member]) -> int:
    """Return an age that fits the members already drawn: partners and parents come first."""
    if role == "child":
        youngest = min(member.age for member in before if member.role != "child")
        return chance.whole(0, min(_OLDEST_CHILD, youngest - _YOUNGEST_PARENT))
    if role in _AGES:
        return chance.whole(*_AGES[role])
    return max(_YOUNGEST_PARENT, before[0].age + chance.whole(-2, 6))


def _birth(chance: Chance, age: int, today: date) -> date:
    """Return a birth date of this age today; a newborn is old enough for a first visit."""
    first = _FIRST_DAYS if age == 0 else 0
    return add_months(today, -12 * age) - timedelta(days=chance.whole(first, 364))


def _address(chance: Chance) -> dict[str, Any]:
    places = table("places")
    town, postcode = chance.pick(places["towns"])
    return {
        "use": "home",
        "line": [f"{chance.whole(1, 240)} {chance.pick(places['streets'])}"],
        "city": town,
        "state": places["state"],
        "postalCode": postcode,
        "country": places["country"],
    }
