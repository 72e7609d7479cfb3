"""The people of the population: a member of a household with a life and a state of health."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from polyclinic.base.chance import Chance
from polyclinic.modules.population.appointments import physician_of
from polyclinic.modules.population.gestation import weeks_of
from polyclinic.modules.population.households import FIRST_INDEX, Member, housemates
from polyclinic.modules.population.model import Person, Relative
from polyclinic.modules.population.prevalence import draw_conditions, draw_smoking

# Generator parameters, not a clinical reference.
_DEATH_RATES: Final = ((40, 0.0), (65, 0.01), (80, 0.05), (200, 0.14))
_ADULT: Final = 18
_SMALL_CHILD: Final = 6
_WIDOW_AGE: Final = 70

_PARTNERS: Final = {
    "mother": "father",
    "father": "mother",
    "wife": "husband",
    "husband": "wife",
    "senior_wife": "senior_husband",
    "senior_husband": "senior_wife",
}


def person_at(seed: int, index: int, today: date) -> Person:
    """Return the person with this index; the same one whatever the size of the population."""
    member, others = housemates(seed, index, today)
    chance = Chance(seed, index, "person")
    person = Person(
        id=f"p{seed}-{index}",
        index=index,
        seed=seed,
        today=today,
        sex=member.sex,
        birth=member.birth,
        name=member.name,
        language=member.language,
        address=member.address,
        phone=member.phone,
        marital=_marital(chance, member),
        physician=physician_of(index),
        registered=today,
        race=member.race,
    )
    person.death = _death(chance, member, today)
    person.registered = _registered(chance, person)
    person.relatives = list(_relatives(member, others))
    person.weeks = weeks_of(seed, index)
    draw_conditions(person)
    draw_smoking(person)
    return person


def _death(chance: Chance, member: Member, today: date) -> date | None:
    rate = next(rate for limit, rate in _DEATH_RATES if member.age < limit)
    if not chance.happens(rate):
        return None
    return today - timedelta(days=chance.whole(20, 1300))


def _registered(chance: Chance, person: Person) -> date:
    """Return the day the record begins: at birth for small children, else some years ago."""
    if person.age < _SMALL_CHILD:
        return person.birth
    return max(person.birth, person.end - timedelta(days=chance.whole(400, 1500)))


def _marital(chance: Chance, member: Member) -> tuple[str, str] | None:
    if member.age < _ADULT:
        return None
    if member.role in _PARTNERS and member.role != "mother":
        return "M", "Married"
    if member.role == "mother":
        return chance.weighted((("M", "Married"), ("D", "Divorced")), (5, 1))
    if member.age >= _WIDOW_AGE and chance.happens(0.6):
        return "W", "Widowed"
    return chance.weighted((("S", "Never Married"), ("D", "Divorced")), (3, 1))


def _relatives(member: Member, others: list[Member]) -> Iterator[Relative]:
    for other in others:
        if member.role == "child" and other.role != "child":
            code = ("MTH", "mother") if other.sex == "female" else ("FTH", "father")
            yield Relative(*code, name=other.name, sex=other.sex, mrn=other.mrn)
        elif _PARTNERS.get(member.role) == other.role:
            code = ("WIFE", "wife") if other.sex == "female" else ("HUSB", "husband")
            yield Relative(*code, name=other.name, sex=other.sex, mrn=other.mrn)


def people(seed: int, size: int, today: date) -> Iterator[Person]:
    """Yield `size` ordinary people without their records; cheap, for statistics."""
    for index in range(FIRST_INDEX, FIRST_INDEX + size):
        yield person_at(seed, index, today)
