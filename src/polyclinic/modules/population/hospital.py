"""Hospital stays: admission, the ward or intensive care, discharge.

http://hl7.org/fhir/R4/encounter.html

Why people are admitted and how a stay goes is in `data/hospital.json`. Everything measured moves
from the illness of the first hour back to the person's own values.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from math import exp
from typing import Final

from polyclinic.base.chance import Chance
from polyclinic.modules.population import laboratory, medications, vitals
from polyclinic.modules.population.administrations import administer, prescribe_on_ward
from polyclinic.modules.population.chart import Chart, Reference, Resource
from polyclinic.modules.population.coding import HL7, SNOMED, concept, hl7
from polyclinic.modules.population.conditions import condition_row, diagnose_passing
from polyclinic.modules.population.dates import age_in_years, instant
from polyclinic.modules.population.documents import (
    write_electrocardiogram,
    write_letter,
    write_note,
)
from polyclinic.modules.population.imaging import image
from polyclinic.modules.population.intensive import bed_of, watch
from polyclinic.modules.population.model import Person, Visit
from polyclinic.modules.population.organizations import practitioner
from polyclinic.modules.population.physiology import Body, lab_values, vital_values
from polyclinic.modules.population.procedures import perform
from polyclinic.modules.population.tables import table

# Generator parameters, not a clinical reference: the chance of a stay in the time on record.
_RATES: Final = ((18, 0.02), (45, 0.03), (65, 0.08), (200, 0.22))
_CHRONIC: Final = 0.05
_NOW: Final = 0.25
_LONGEST: Final = 16
_ROUNDS: Final = (6 * 60, 14 * 60, 22 * 60)
_ADMISSION: Final = 11 * 60
_ADDED: Final = ("ph", "pco2", "po2", "haemoglobin")
_LEAST_SYSTOLIC: Final = 62.0
_LEAST_PULSE: Final = 18.0
_RECOVERY_DAYS: Final = 1.6
_WARD_SIGNS: Final = (
    "heart_rate",
    "respiratory_rate",
    "temperature",
    "oxygen_saturation",
    "systolic",
    "diastolic",
)
_CLASS: Final = {"system": HL7 + "v3-ActCode", "code": "IMP", "display": "inpatient encounter"}
_TYPE: Final = [concept(SNOMED, "32485007", "Hospital admission")]
_FROM_EMERGENCY: Final = hl7("admit-source", "emd", "From accident/emergency department")
_HOME: Final = hl7("discharge-disposition", "home", "Home")
_ADMISSION_DIAGNOSIS: Final = hl7("diagnosis-role", "AD", "Admission diagnosis")


@dataclass(slots=True, frozen=True)
class Stay:
    """A stay in hospital: why, from when, and how many of its days are in intensive care."""

    cause: str
    day: date
    days: int
    intensive_days: int = 0

    @property
    def discharge(self) -> date:
        """The day of discharge, which may lie ahead."""
        return self.day + timedelta(days=self.days)

    def covers(self, day: date) -> bool:
        """Say whether a day is one of the stay."""
        return self.day <= day <= self.discharge


def plan_stay(person: Person) -> Stay | None:
    """Return the hospital stay of a person's record, if there is one."""
    chance = Chance(person.seed, person.index, "hospital")
    rate = next(rate for limit, rate in _RATES if person.age < limit)
    if not chance.happens(rate + _CHRONIC * sum(key in person.onsets for key in _likely())):
        return None
    cause = _cause(person, chance)
    if cause is None:
        return None
    row = table("hospital")["causes"][cause]
    days = chance.whole(*row["days"])
    intensive = chance.whole(1, 3) if chance.happens(row["intensive"]) else 0
    now = chance.happens(_NOW) and not person.death
    span = (person.end - person.registered).days - _LONGEST - 2
    back = chance.whole(1, 3) if now else chance.whole(_LONGEST, max(_LONGEST, span))
    day = person.end - timedelta(days=back)
    if day <= person.registered:
        return None
    return Stay(cause, day, days + intensive, intensive)


def write_stay(chart: Chart, body: Body, stay: Stay) -> None:
    """Add a stay with everything that belongs to it, as far as it is past."""
    row = table("hospital")["causes"][stay.cause]
    visit = Visit(stay.day, _ADMISSION, "inpatient", row["complaint"])
    visit.start = instant(stay.day, _ADMISSION)
    ward = "intensive" if stay.intensive_days else row["ward"]
    visit.performer = practitioner(table("staff")["ward_physicians"][ward])
    visit.encounter = chart.add("Encounter", _encounter(chart, visit, stay))
    reason = _diagnosis(chart, visit, stay)
    _admit(chart, body, visit, (stay, reason))
    status = "completed" if stay.discharge <= chart.person.end else "active"
    drugs = prescribe_on_ward(chart, visit, row["drugs"], reason, status=status)
    for number in range(stay.days):
        day = stay.day + timedelta(days=number)
        if day > chart.person.end:
            return
        _day(chart, body, visit, (stay, number))
        administer(chart, visit, drugs, day)
    if stay.discharge <= chart.person.end:
        _discharge(chart, visit, stay, reason)


def severity(stay: Stay, hours: float) -> float:
    """Return how much of the illness is left some hours after admission: 1 falling to 0."""
    held = 12.0 * stay.intensive_days
    return 1.0 if hours < held else exp(-(hours - held) / (24 * _RECOVERY_DAYS))


def ill_signs(chart: Chart, body: Body, stay: Stay, when: tuple[date, float]) -> dict[str, float]:
    """Return the vital signs of a day, changed by what is left of the illness at an hour."""
    day, hours = when
    left = severity(stay, hours)
    values = vital_values(chart, body, day)
    signs: dict[str, float] = {key: values[key] for key in _WARD_SIGNS if key in values}
    for key, change in table("hospital")["causes"][stay.cause]["signs"].items():
        if key in signs or key == "pain":
            signs[key] = max(0.0, signs.get(key, 0.0) + change * left)
    signs["oxygen_saturation"] = min(100.0, signs["oxygen_saturation"])
    if "systolic" in signs:
        signs["systolic"] = max(_LEAST_SYSTOLIC, signs["systolic"])
        signs["diastolic"] = min(signs["diastolic"], signs["systolic"] - _LEAST_PULSE)
    return signs


@cache
def _likely() -> tuple[str, ...]:
    rows = table("hospital")["causes"].values()
    return tuple(dict.fromkeys(key for row in rows for key in row["with"]))


def _cause(person: Person, chance: Chance) -> str | None:
    causes, weights = [], []
    for key, row in table("hospital")["causes"].items():
        weight = row["weight"]
        for condition, factor in row["with"].items():
            if condition in person.onsets:
                weight = weight * factor + row.get("base", 0)
        if weight and row["ages"][0] <= person.age <= row["ages"][1]:
            causes.append(key)
            weights.append(weight)
    return chance.weighted(causes, weights) if causes else None


def _encounter(chart: Chart, visit: Visit, stay: Stay) -> Resource:
    ward = table("hospital")["causes"][stay.cause]["ward"]
    ended = stay.discharge <= chart.person.end
    bed = bed_of(chart.person)
    end = instant(stay.discharge, _ADMISSION)
    moved = instant(stay.day + timedelta(days=stay.intensive_days), _ADMISSION)
    places = [(f"loc-intensive-{bed}", visit.start, moved)] if stay.intensive_days else []
    places.append((f"loc-{ward}", moved if places else visit.start, end))
    last = instant(chart.person.end, 0)
    return {
        "status": "finished" if ended else "in-progress",
        "class": _CLASS,
        "type": _TYPE,
        "subject": chart.subject,
        "participant": [{"individual": visit.performer}],
        "period": {"start": visit.start} | ({"end": end} if ended else {}),
        "reasonCode": [{"text": visit.complaint}],
        "hospitalization": {"admitSource": _FROM_EMERGENCY}
        | ({"dischargeDisposition": _HOME} if ended else {}),
        "location": [
            _place(place, start, until if until <= last or ended else None)
            for place, start, until in places
            if ended or start <= last
        ],
        "serviceProvider": {"reference": f"Organization/org-{ward}"},
    }


def _place(place: str, start: str, end: str | None) -> Resource:
    period = {"start": start} | ({"end": end} if end else {})
    return {
        "location": {"reference": f"Location/{place}"},
        "status": "completed" if end else "active",
        "period": period,
    }


def _diagnosis(chart: Chart, visit: Visit, stay: Stay) -> Reference:
    row = table("hospital")["causes"][stay.cause]
    key = row.get("condition", stay.cause)
    if key in chart.problems:
        return chart.problems[key]
    end = None if row.get("lasting") else stay.discharge + timedelta(days=14)
    if end and end > chart.person.end:
        end = None
    onset = max(chart.person.birth, stay.day - timedelta(days=1))
    return diagnose_passing(chart, visit, key, (onset, end))


def _admit(chart: Chart, body: Body, visit: Visit, what: tuple[Stay, Reference]) -> None:
    stay, reason = what
    row = table("hospital")["causes"][stay.cause]
    signs = ill_signs(chart, body, stay, (stay.day, 0.0))
    vitals.record(chart, visit, signs)
    _blood(chart, body, visit, (stay, 0.0))
    if row["imaging"]:
        study, finding = row["imaging"]
        image(chart, visit, study, reason, finding)
    for procedure in row["procedures"]:
        perform(chart, visit, procedure, reason)
    if row.get("strip"):
        irregular = "fibrillation" in chart.person.onsets
        write_electrocardiogram(chart, visit, signs["heart_rate"], is_regular=not irregular)
    if stay.intensive_days and "support" in row:
        perform(chart, visit, row["support"], reason)
    write_note(chart, visit, f"Admitted from the emergency department: {visit.complaint}.")


def _day(chart: Chart, body: Body, visit: Visit, what: tuple[Stay, int]) -> None:
    """Write one day: hourly in intensive care, else three rounds; blood every other morning."""
    stay, number = what
    day = stay.day + timedelta(days=number)
    if number < stay.intensive_days:
        watch(
            chart, visit, day, lambda hour: ill_signs(chart, body, stay, (day, 24 * number + hour))
        )
    else:
        for minute in _ROUNDS:
            hours = 24 * number + (minute - _ADMISSION) / 60
            if hours > 0:
                turn = _round(visit, day, minute)
                vitals.record(chart, turn, ill_signs(chart, body, stay, (day, hours)))
    if number and (number < stay.intensive_days or number % 2 == 0):
        _blood(chart, body, _round(visit, day, _ROUNDS[0]), (stay, 24.0 * number))


def _round(visit: Visit, day: date, minute: int) -> Visit:
    nurse = practitioner(table("staff")["ward_nurse"])
    return Visit(
        day,
        minute,
        "inpatient",
        encounter=visit.encounter,
        performer=nurse,
        start=instant(day, minute),
    )


def _blood(chart: Chart, body: Body, visit: Visit, when: tuple[Stay, float]) -> None:
    stay, hours = when
    row = table("hospital")["causes"][stay.cause]
    left = severity(stay, hours)
    values = lab_values(chart, body, visit.day)
    for key, change in row["results"].items():
        if key in _ADDED:
            values[key] += change * left
        else:
            values[key] *= 1 + (change - 1) * left
    for panel in row["panels"]:
        laboratory.report(chart, visit, panel, values)


def _discharge(chart: Chart, visit: Visit, stay: Stay, reason: Reference) -> None:
    row = table("hospital")["causes"][stay.cause]
    last = _round(visit, stay.discharge, _ADMISSION - 60)
    last.performer = practitioner(table("staff")["ward_physicians"][row["ward"]])
    for drug in row["home"]:
        medications.prescribe(chart, last, drug, reason, None if row.get("lasting") else 14)
    name = condition_row(row.get("condition", stay.cause))["snomed"][1]
    age = age_in_years(chart.person.birth, stay.day)
    results = "; ".join(dict.fromkeys(visit.results)) or "none"
    text = (
        f"In hospital from {stay.day.isoformat()} to {stay.discharge.isoformat()}"
        f" ({stay.intensive_days} days in intensive care).\n"
        f"Diagnosis: {name}.\nAge at admission: {age} years. Reason: {visit.complaint}.\n\n"
        f"{row['course']}\n\nResults outside their range at admission: {results}.\n"
        f"Medication to take home: {' '.join(last.plan) or 'no change'}\n"
        "Next visit with the family physician within two weeks."
    )
    write_letter(chart, last, "discharge", text)
