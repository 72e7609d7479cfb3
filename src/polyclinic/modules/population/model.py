"""The people of the population, before they become resources."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

from polyclinic.modules.population.dates import age_in_years

Sex = Literal["male", "female"]


@dataclass(slots=True, frozen=True)
class PersonName:
    """A name in Latin letters and, where the culture has one, in its own script."""

    given: str
    family: str
    native_given: str | None = None
    native_family: str | None = None
    script: str | None = None
    family_first: bool = False

    @property
    def text(self) -> str:
        """The name as it is said: given name first, also where the own script writes it last."""
        return f"{self.given} {self.family}"


@dataclass(slots=True, frozen=True)
class Race:
    """What a household says of its race and ethnicity; the code is of the CDC code system."""

    code: str
    display: str
    is_hispanic: bool


@dataclass(slots=True, frozen=True)
class Relative:
    """Somebody of the household, seen from one patient; code is of v3-RoleCode."""

    code: str
    display: str
    name: PersonName
    sex: Sex
    mrn: str


@dataclass(slots=True)
class Person:
    """A patient: who they are, where they live and which long-term conditions they have.

    `account` is the demonstration account that signs in as the person, `weeks` the completed weeks
    of pregnancy at which the person was born.
    """

    id: str
    index: int
    seed: int
    today: date
    sex: Sex
    birth: date
    name: PersonName
    language: tuple[str, str]
    address: dict[str, Any]
    phone: str
    marital: tuple[str, str] | None
    physician: str
    registered: date
    race: Race
    death: date | None = None
    relatives: list[Relative] = field(default_factory=list)
    onsets: dict[str, date] = field(default_factory=dict)
    smoking: str = "never"
    account: str | None = None
    weeks: int = 39

    @property
    def mrn(self) -> str:
        """The medical record number: ten digits of the population and the index."""
        return medical_record_number(self.seed, self.index)

    @property
    def end(self) -> date:
        """The last day on which something can have happened: the death, or yesterday."""
        return self.death or self.today - timedelta(days=1)

    @property
    def age(self) -> int:
        """The age in completed years today or, for the dead, at death."""
        return age_in_years(self.birth, self.death or self.today)


def medical_record_number(seed: int, index: int) -> str:
    """Return the record number of a patient: ten digits."""
    return f"{seed % 1000:03d}{index:07d}"


@dataclass(slots=True)
class Visit:
    """One meeting with the clinic; `findings` and `results` are the words of its note.

    `device` is the monitor that measures, where one does.
    """

    day: date
    minute: int
    kind: str
    complaint: str | None = None
    encounter: dict[str, str] = field(default_factory=dict)
    performer: dict[str, str] = field(default_factory=dict)
    start: str = ""
    findings: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    plan: list[str] = field(default_factory=list)
    device: dict[str, str] | None = None
