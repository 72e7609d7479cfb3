"""Encounters: when a person comes, why, and to whom.

http://hl7.org/fhir/R4/encounter.html

Well-child visits follow the ages of the AAP/Bright Futures periodicity schedule. How often adults
come is a generator parameter, not a clinical reference.
"""

from datetime import date, timedelta
from typing import Final

from polyclinic.base.chance import Chance
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.coding import HL7, SNOMED, concept
from polyclinic.modules.population.dates import (
    add_months,
    age_in_years,
    instant,
    last_working_day,
)
from polyclinic.modules.population.model import Person, Visit
from polyclinic.modules.population.organizations import practitioner
from polyclinic.modules.population.tables import table

_WELL_CHILD_MONTHS: Final = (1, 2, 4, 6, 9, 12, 15, 18, 24, 30, *range(36, 217, 12))
_CHILD_MONTHS: Final = 18 * 12
_ADULT: Final = 18
_SENIOR: Final = 65
_CHRONIC: Final = (
    "diabetes",
    "kidney",
    "copd",
    "coronary",
    "fibrillation",
    "stroke",
    "hypertension",
    "depression",
    "anxiety",
    "asthma",
    "dementia",
)
_MOST_FOLLOWUPS: Final = 2
_OPENING: Final = 8 * 60
_SLOTS: Final = 25

# kind: class, SNOMED CT code and display, minutes, location, service provider
_KINDS: Final = {
    "well_child": ("AMB", "410620009", "Well child visit", 30, "family"),
    "checkup": ("AMB", "185349003", "Encounter for check up", 30, "family"),
    "followup": ("AMB", "390906007", "Follow-up encounter", 20, "family"),
    "acute": ("AMB", "185345009", "Encounter for symptom", 20, "family"),
    "video": ("VR", "448337001", "Telemedicine consultation with patient", 20, "home"),
    "emergency": ("EMER", "50849002", "Emergency room admission", 190, "emergency"),
    "prenatal": ("AMB", "424619006", "Prenatal visit", 30, "women"),
    "newborn": ("IMP", "183452005", "Encounter Inpatient", 900, "women"),
    "birth": ("IMP", "183460006", "Obstetric emergency hospital admission", 1140, "women"),
    "day_surgery": ("AMB", "371883000", "Outpatient procedure", 240, "surgery"),
    "postnatal": ("AMB", "169762003", "Postnatal visit", 30, "women"),
}
_CLASSES: Final = {
    "AMB": "ambulatory",
    "VR": "virtual",
    "EMER": "emergency",
    "IMP": "inpatient encounter",
}
_PROVIDERS: Final = {"home": "family"}


def open_visit(chart: Chart, visit: Visit) -> None:
    """Add the Encounter of a visit and set its reference, performer and start."""
    code, snomed, display, minutes, place = _KINDS[visit.kind]
    visit.start = instant(visit.day, visit.minute)
    visit.performer = practitioner(_performer_id(chart.person, place))
    encounter = {
        "status": "finished",
        "class": {"system": HL7 + "v3-ActCode", "code": code, "display": _CLASSES[code]},
        "type": [concept(SNOMED, snomed, display)],
        "subject": chart.subject,
        "participant": [{"individual": visit.performer}],
        "period": {"start": visit.start, "end": instant(visit.day, visit.minute + minutes)},
        "location": [{"location": {"reference": f"Location/loc-{place}"}}],
        "serviceProvider": {"reference": f"Organization/org-{_PROVIDERS.get(place, place)}"},
    }
    if visit.complaint:
        encounter["reasonCode"] = [{"text": visit.complaint}]
    visit.encounter = chart.add("Encounter", encounter)


def plan_visits(person: Person, chance: Chance) -> list[Visit]:
    """Return the visits of a person since registration, oldest first, one a day at most."""
    planned = [*_well_child(person, chance), *_adult(person, chance), *_acute(person, chance)]
    planned.sort(key=lambda visit: visit.day)
    visits: list[Visit] = []
    for visit in planned:
        if not visits or visits[-1].day < visit.day:
            visits.append(visit)
    return visits


def _visit(person: Person, chance: Chance, day: date, kind: str) -> list[Visit]:
    """Return the visit on the next earlier working day, if it lies in the person's record."""
    day = last_working_day(day)
    if not max(person.registered, person.birth) <= day < person.end:
        return []
    return [Visit(day, _OPENING + 20 * chance.whole(0, _SLOTS - 1), kind)]


def _well_child(person: Person, chance: Chance) -> list[Visit]:
    if age_in_years(person.birth, person.registered) >= _ADULT:
        return []
    visits = []
    for months in _WELL_CHILD_MONTHS:
        day = add_months(person.birth, months) + timedelta(days=chance.whole(2, 12))
        kept = chance.happens(0.95 if months <= _CHILD_MONTHS // 9 else 0.7)
        if kept:
            visits += _visit(person, chance, day, "well_child")
    return visits


def _adult(person: Person, chance: Chance) -> list[Visit]:
    """Return yearly check-ups, and follow-ups for those with long-term conditions."""
    grown = add_months(person.birth, 12 * _ADULT)
    day = max(grown, person.registered) + timedelta(days=chance.whole(0, 40))
    chronic = sum(key in person.onsets for key in _CHRONIC)
    followups = min(_MOST_FOLLOWUPS, chronic)
    every = 365 if chronic or person.age >= _SENIOR else 540
    visits: list[Visit] = []
    while day < person.end:
        visits += _visit(person, chance, day, "checkup")
        for number in range(followups):
            later = day + timedelta(days=(number + 1) * every // (followups + 1))
            kind = "video" if chance.happens(0.15) else "followup"
            visits += _visit(person, chance, later, kind)
        day += timedelta(days=every + chance.whole(-30, 60))
    return visits


def _acute(person: Person, chance: Chance) -> list[Visit]:
    """Return visits for passing illnesses, about one in two years."""
    rows = table("conditions")["acute"]
    day = person.registered + timedelta(days=chance.whole(20, 900))
    visits: list[Visit] = []
    while day < person.end:
        age = age_in_years(person.birth, day)
        fitting = [key for key, row in rows.items() if row["ages"][0] <= age <= row["ages"][1]]
        key = chance.weighted(fitting, [rows[key]["weight"] for key in fitting])
        kind = "emergency" if chance.happens(0.06) else "acute"
        for visit in _visit(person, chance, day, kind):
            visit.complaint = key
            visits.append(visit)
        day += timedelta(days=chance.whole(150, 1300))
    return visits


def _performer_id(person: Person, place: str) -> str:
    clinic = table("staff")
    if place in clinic["ward_physicians"]:
        return str(clinic["ward_physicians"][place])
    if place == "women":
        return str(clinic["gynaecologist"])
    if place == "emergency":
        return str(clinic["emergency_physician"])
    return person.physician
