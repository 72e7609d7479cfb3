"""Names of several cultures, with the form in the culture's own script.

HumanName: http://hl7.org/fhir/R4/datatypes.html#HumanName; the own script is marked with the
extension iso21090-EN-representation (ABC alphabetic, IDE ideographic).
"""

from typing import Any, Final

from polyclinic.base.chance import Chance
from polyclinic.modules.population.model import PersonName, Race, Sex
from polyclinic.modules.population.tables import table

_REPRESENTATION: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"


def draw_culture(chance: Chance) -> str:
    """Return the culture of a household."""
    cultures = table("names")["cultures"]
    names: list[str] = list(cultures)
    return chance.weighted(names, [row["weight"] for row in cultures.values()])


def language_of(culture: str) -> tuple[str, str]:
    """Return the BCP 47 code and the English name of a culture's language."""
    code, display = table("names")["cultures"][culture]["language"]
    return code, display


def draw_race(chance: Chance, culture: str) -> Race:
    """Return what a household of a culture says of its race and ethnicity."""
    row = table("names")["cultures"][culture]
    code, display, _ = chance.weighted(row["races"], [weight for *_, weight in row["races"]])
    return Race(code, display, row["hispanic"])


def draw_family_name(chance: Chance, culture: str) -> list[str | None]:
    """Return a family name: Latin and own script for a man, then for a woman."""
    return chance.pick(table("names")["cultures"][culture]["family"])


def draw_name(
    chance: Chance, culture: str, sex: Sex, family: list[str | None], taken: list[str]
) -> PersonName:
    """Return a full name; no two people of a household (`taken`) share a given name."""
    row = table("names")["cultures"][culture]
    free = [given for given in row[sex] if given[0] not in taken]
    given, native_given = chance.pick(free)
    latin, native = family[2:] if sex == "female" else family[:2]
    return PersonName(
        given=given,
        family=str(latin),
        native_given=native_given,
        native_family=native,
        script=row["script"],
        family_first=row["family_first"],
    )


def human_names(name: PersonName) -> list[dict[str, Any]]:
    """Return the FHIR names: the official one and, where there is one, the own script."""
    names: list[dict[str, Any]] = [
        {"use": "official", "text": name.text, "family": name.family, "given": [name.given]}
    ]
    if name.script and name.native_given and name.native_family:
        names.append(
            {
                "extension": [{"url": _REPRESENTATION, "valueCode": name.script}],
                "use": "usual",
                "text": _native_text(name.native_given, name.native_family, name.family_first),
                "family": name.native_family,
                "given": [name.native_given],
            }
        )
    return names


def _native_text(given: str, family: str, family_first: bool) -> str:  # noqa: FBT001 - private
    return f"{family}{given}" if family_first else f"{given} {family}"
