"""Immunizations by the CDC schedule.

http://hl7.org/fhir/R4/immunization.html

A dose is given at the first check-up on or after its recommended age. What was due before the
person came to the clinic is on record as reported, without an encounter.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from polyclinic.modules.population.chart import Chart, Resource
from polyclinic.modules.population.coding import CVX, HL7, concept, hl7
from polyclinic.modules.population.dates import add_months, age_in_years, instant
from polyclinic.modules.population.model import Person, Visit
from polyclinic.modules.population.organizations import practitioner
from polyclinic.modules.population.tables import table

_ARM: Final = hl7("v3-ActSite", "LA", "left arm")
_THIGH: Final = hl7("v3-ActSite", "LT", "left thigh")
_INTRAMUSCULAR: Final = hl7("v3-RouteOfAdministration", "IM", "Injection, intramuscular")
_SUBCUTANEOUS: Final = hl7("v3-RouteOfAdministration", "SQ", "Injection, subcutaneous")
_BY_MOUTH: Final = hl7("v3-RouteOfAdministration", "PO", "Swallow, oral")
_ROUTES: Final = {
    "rotavirus": _BY_MOUTH,
    "mmr": _SUBCUTANEOUS,
    "varicella": _SUBCUTANEOUS,
}
_THIGH_YEARS: Final = 3
_OLDEST_CHILD_RECORD: Final = 20
_ADULT: Final = 19
_SENIOR: Final = 65
# Least days since the dose before, by vaccine and dose, from the CDC schedule; else four weeks.
_INTERVALS: Final = {
    ("hepa", 2): 183,
    ("hpv", 2): 153,
    ("hepb", 3): 56,
    ("dtap", 4): 183,
    ("dtap", 5): 183,
    ("ipv", 4): 183,
    ("varicella", 2): 92,
    ("meningococcal", 2): 56,
    ("hib", 3): 56,
    ("pcv", 4): 56,
    ("zoster", 2): 61,
    ("td", 2): 3650,
    ("td", 3): 3650,
    ("td", 4): 3650,
}
_INTERVAL_DAYS: Final = 28
_LONG_AGO: Final = "1900-01-01"
_CATCH_UP: Final = timedelta(days=120)  # generator parameter: how soon after approval, by dose
_CONJUGATE_20: Final = date(2023, 6, 22)
_FIRST_INFLUENZA_DAYS: Final = 190
_MINUTE: Final = 10 * 60
_VISITS: Final = ("well_child", "checkup")


@dataclass(slots=True)
class Due:
    """A dose that a person will get once they come on or after the day."""

    vaccine: str
    dose: int
    day: date


def plan_doses(chart: Chart) -> list[Due]:
    """Return the doses that a person takes up, in the order in which they are due."""
    person = chart.person
    chance = chart.chance("immunizations")
    schedule = table("immunizations")
    rows = list(schedule["adult"])
    if person.age <= _OLDEST_CHILD_RECORD:
        rows = [*schedule["child"], *rows]
    planned = []
    refused: set[str] = set()
    for vaccine, dose, months, uptake in rows:
        day = add_months(person.birth, months)
        licensed = date.fromisoformat(schedule["licensed"].get(vaccine, _LONG_AGO))
        too_early = day < licensed and months < _ADULT * 12
        if vaccine in refused or too_early or not chance.happens(uptake):
            refused.add(vaccine)  # a later dose is not given without the earlier one
        elif (day := max(day, licensed + _CATCH_UP * dose)) < person.end:
            planned.append(Due(vaccine, dose, day))
    return planned


def give_reported(chart: Chart, planned: list[Due]) -> None:
    """Add the doses due before registration, as reported, and take them off the plan."""
    late = timedelta(days=chart.chance("reported immunizations").whole(0, 20))
    for due in list(planned):
        day = due.day + late
        if day < chart.person.registered:
            give(chart, due, day, None)
            planned.remove(due)


def give_due(chart: Chart, visit: Visit, planned: list[Due]) -> None:
    """Add the doses due at a check-up; doses of one vaccine keep their interval."""
    if visit.kind not in _VISITS:
        return
    given: set[str] = set()
    for due in list(planned):
        if due.day <= visit.day and due.vaccine not in given:
            give(chart, due, visit.day, visit)
            given.add(due.vaccine)
            planned.remove(due)
    for due in planned:
        if due.vaccine in given:
            days = _INTERVALS.get((due.vaccine, due.dose), _INTERVAL_DAYS)
            due.day = max(due.day, visit.day + timedelta(days=days))


def give_influenza(chart: Chart) -> None:
    """Add the yearly influenza doses, each between October and November."""
    person = chart.person
    chance = chart.chance("influenza")
    uptake = table("immunizations")["influenza_uptake"]
    for year in range(person.registered.year, person.end.year + 1):
        day = date(year, 10, 1) + timedelta(days=chance.whole(0, 60))
        taken = chance.happens(uptake[_group(person, day)])
        old_enough = (day - person.birth).days >= _FIRST_INFLUENZA_DAYS
        if taken and old_enough and person.registered <= day < person.end:
            give(chart, Due("influenza", 1, day), day, None)


def give(chart: Chart, due: Due, day: date, visit: Visit | None) -> None:
    """Add one immunization; without a visit on or after registration it was a walk-in."""
    vaccine = "pcv20" if due.vaccine == "pcv" and day >= _CONJUGATE_20 else due.vaccine
    code, display = table("immunizations")["vaccines"][vaccine]
    here = visit is not None or day >= chart.person.registered
    body: Resource = {
        "status": "completed",
        "vaccineCode": concept(CVX, code, display),
        "patient": chart.subject,
    }
    if visit:
        body["encounter"] = visit.encounter
        visit.plan.append(f"Immunization given: {display}, dose {due.dose}.")
    body["occurrenceDateTime"] = visit.start if visit else instant(day, _MINUTE)
    body["primarySource"] = here
    if here:
        nurses = table("staff")["nurses"]
        body["route"] = _ROUTES.get(due.vaccine, _INTRAMUSCULAR)
        body["site"] = _site(chart.person, due.vaccine, day)
        body["performer"] = [{"actor": practitioner(nurses[chart.person.index % len(nurses)])}]
        if due.vaccine == "rotavirus":
            del body["site"]
    else:
        body["reportOrigin"] = concept(HL7 + "immunization-origin", "record", "Written Record")
    body["protocolApplied"] = [{"doseNumberPositiveInt": due.dose}]
    chart.add("Immunization", body)


def _site(person: Person, vaccine: str, day: date) -> Resource:
    young = age_in_years(person.birth, day) < _THIGH_YEARS and vaccine not in _ROUTES
    return _THIGH if young else _ARM


def _group(person: Person, day: date) -> str:
    age = age_in_years(person.birth, day)
    if age < _ADULT:
        return "child"
    return "senior" if age >= _SENIOR else "adult"
