"""The people of the stories, from `data/stories.json`; their ids do not depend on the seed."""

from datetime import date, timedelta
from typing import Any

from polyclinic.base.chance import Chance
from polyclinic.modules.population.appointments import physician_of
from polyclinic.modules.population.dates import add_months
from polyclinic.modules.population.model import Person, PersonName, Relative
from polyclinic.modules.population.names import draw_race
from polyclinic.modules.population.tables import table


def story_person(name: str, index: int, today: date) -> Person:
    """Return the person of a story; ages and days ago are counted from today."""
    row = table("stories")["stories"][name]
    birth = add_months(today, -12 * (row["age"] + 1)) + timedelta(days=row["birthday_in"])
    registered = birth if row["registered"] is None else _ago(today, row["registered"])
    return Person(
        id=f"story-{name}",
        index=index,
        seed=0,
        today=today,
        sex=row["sex"],
        birth=birth,
        name=_name(row),
        language=(row["language"][0], row["language"][1]),
        address=_address(row),
        phone=row["phone"],
        marital=tuple(row["marital"]) if row["marital"] else None,
        physician=physician_of(index),
        registered=registered,
        race=draw_race(Chance("story", name, "race"), row["culture"]),
        relatives=[_relative(*relative) for relative in row["relatives"]],
        onsets={key: _ago(today, days) for key, days in row["onsets"].items()},
        smoking=row["smoking"],
        account=row.get("account"),
    )


def _ago(today: date, days: int) -> date:
    return today - timedelta(days=days)


def _name(row: dict[str, Any]) -> PersonName:
    given, family, script = row.get("native", (None, None, None))
    return PersonName(row["given"], row["family"], given, family, script, script == "IDE")


def _address(row: dict[str, Any]) -> dict[str, Any]:
    places = table("places")
    town, postcode = places["towns"][row["town"]]
    return {
        "use": "home",
        "line": [row["line"]],
        "city": town,
        "state": places["state"],
        "postalCode": postcode,
        "country": places["country"],
    }


def _relative(code: str, display: str, given: str, family: str, sex: Any) -> Relative:
    return Relative(code, display, PersonName(given, family), sex, "")
