"""The course of an ordinary patient: visits in order, and what each one finds and does."""

from datetime import timedelta
from typing import Final

from polyclinic.base.chance import Chance
from polyclinic.modules.population import laboratory, medications, procedures, surveys, vitals
from polyclinic.modules.population.allergies import write_allergies
from polyclinic.modules.population.appointments import write_appointment
from polyclinic.modules.population.births import write_birth
from polyclinic.modules.population.care_plans import write_care_plans
from polyclinic.modules.population.care_teams import write_care_team
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.conditions import diagnose, diagnose_passing
from polyclinic.modules.population.dates import add_months, age_in_years, years_between
from polyclinic.modules.population.devices import write_devices
from polyclinic.modules.population.documents import write_note
from polyclinic.modules.population.encounters import open_visit, plan_visits
from polyclinic.modules.population.family_history import write_family_history
from polyclinic.modules.population.hospital import plan_stay, write_stay
from polyclinic.modules.population.imaging import image
from polyclinic.modules.population.immunizations import (
    Due,
    give_due,
    give_influenza,
    give_reported,
    plan_doses,
)
from polyclinic.modules.population.model import Person, Visit
from polyclinic.modules.population.patients import write_patient
from polyclinic.modules.population.physiology import Body, lab_values, vital_values
from polyclinic.modules.population.pregnancy import write_pregnancy
from polyclinic.modules.population.tables import table

_NOTES: Final = 3
_GROWN: Final = 35
_GROWN_UP: Final = 18
_SCREENED: Final = 0.3  # generator parameter: check-ups with a screening for low mood
_INFANT_SCREENING: Final = (12, 15)
_QUICK: Final = ("heart_rate", "temperature", "respiratory_rate", "oxygen_saturation", "systolic")

# Which panels a problem asks for at a follow-up; a check-up has the wider ones.
_FOLLOWUP_PANELS: Final = {
    "diabetes": "hba1c",
    "kidney": "metabolic",
    "hypothyroidism": "thyroid",
}
_CHECKUP_PANELS: Final = {
    "diabetes": "kidney_urine",
    "kidney": "kidney_urine",
    "copd": "spirometry",
}


def write_course(person: Person) -> Chart:
    """Return the chart of a person: everything on record from registration to the last day."""
    chart = Chart(person)
    body = Body(person)
    write_patient(chart)
    write_allergies(chart, person.registered)
    doses = plan_doses(chart)
    give_reported(chart, doses)
    write_birth(chart, body)
    stay = plan_stay(person)
    visits = plan_visits(person, chart.chance("visits"))
    visits = [visit for visit in visits if not (stay and stay.covers(visit.day))]
    for number, visit in enumerate(visits):
        if stay and stay.day < visit.day:
            write_stay(chart, body, stay)
            stay = None
        _write_visit(chart, body, visit, doses)
        if number >= len(visits) - _NOTES:
            write_note(chart, visit)
    if stay:
        write_stay(chart, body, stay)
    give_influenza(chart)
    write_pregnancy(chart, body)
    _write_background(chart)
    write_appointment(chart)
    return chart


def _write_background(chart: Chart) -> None:
    """Add what is not of one visit: family, devices, the team and its plans."""
    write_family_history(chart)
    write_devices(chart)
    write_care_plans(chart, write_care_team(chart, chart.person.registered))


def _write_visit(chart: Chart, body: Body, visit: Visit, doses: list[Due]) -> None:
    chance = chart.chance(f"visit {visit.day.isoformat()}")
    complaint = visit.complaint
    if complaint:
        visit.complaint = table("conditions")["acute"][complaint]["complaint"]
    open_visit(chart, visit)
    if complaint:
        _acute(chart, body, visit, (complaint, chance))
        return
    _measure(chart, body, visit)
    _diagnose_new(chart, visit, chance)
    _investigate(chart, body, visit)
    if visit.kind == "checkup":
        _check(chart, visit, chance)
    _ask(chart, visit, chance)
    give_due(chart, visit, doses)


def _check(chart: Chart, visit: Visit, chance: Chance) -> None:
    """Ask and look for what a check-up asks and looks for."""
    surveys.record_smoking(chart, visit)
    if "occupation" not in chart.known:
        chart.known.add("occupation")
        surveys.record_occupation(chart, visit)
    procedures.screen(chart, visit, chance)


def _ask(chart: Chart, visit: Visit, chance: Chance) -> None:
    """Hand out the questionnaires: to those who need them, and at some check-ups to screen."""
    is_grown = age_in_years(chart.person.birth, visit.day) >= _GROWN_UP
    screens = visit.kind == "checkup" and is_grown and chance.happens(_SCREENED)
    for problem, form in (("depression", "phq9"), ("anxiety", "gad7")):
        if problem in chart.problems:
            years = years_between(chart.person.onsets[problem], visit.day)
            score = chance.normal(5 + 8 / (1 + 2 * years), 2)
            surveys.record_questionnaire(chart, visit, form, score)
        elif screens:
            surveys.record_questionnaire(chart, visit, form, abs(chance.normal(0, 2)))


def _measure(chart: Chart, body: Body, visit: Visit) -> None:
    if visit.kind == "video":
        return
    values = vital_values(chart, body, visit.day)
    if visit.kind == "followup":
        for key in ("height", "temperature", "respiratory_rate"):
            del values[key]
        if "copd" not in chart.person.onsets and "asthma" not in chart.person.onsets:
            del values["oxygen_saturation"]
    vitals.record(chart, visit, values)


def _acute(chart: Chart, body: Body, visit: Visit, case: tuple[str, Chance]) -> None:
    key, chance = case
    row = table("conditions")["acute"][key]
    values = vital_values(chart, body, visit.day)
    fever = max(0.0, chance.normal(row["fever"], 0.5))
    kept = {sign: value for sign, value in values.items() if sign in {*_QUICK, "diastolic"}}
    kept["temperature"] += fever
    kept["heart_rate"] += 9 * fever
    vitals.record(chart, visit, kept)
    onset = max(chart.person.birth, visit.day - timedelta(days=chance.whole(1, 3)))
    end = visit.day + timedelta(days=row["days"] + chance.whole(-2, 4))
    over = end if end < chart.person.end else None
    reason = diagnose_passing(chart, visit, key, (onset, over))
    if key == "ankle":
        image(chart, visit, "ankle", reason)
    if row["treatment"]:
        medications.prescribe(chart, visit, row["treatment"], reason, days=7)


def _diagnose_new(chart: Chart, visit: Visit, chance: Chance) -> None:
    """Put what began before this visit on the problem list, and begin its treatment."""
    for key, onset in chart.person.onsets.items():
        if key not in chart.problems and onset <= visit.day:
            diagnose(chart, visit, key, onset)
            medications.treat(chart, visit, key, chance)


def _investigate(chart: Chart, body: Body, visit: Visit) -> None:
    panels = _panels(chart, visit)
    if panels:
        values = lab_values(chart, body, visit.day)
        for panel in panels:
            laboratory.report(chart, visit, panel, values)


def _panels(chart: Chart, visit: Visit) -> list[str]:
    person = chart.person
    if visit.kind == "well_child":
        first, last = (add_months(person.birth, months) for months in _INFANT_SCREENING)
        return ["infant"] if first <= visit.day < last else []
    panels = [panel for key, panel in _FOLLOWUP_PANELS.items() if key in chart.problems]
    if visit.kind != "checkup":
        return panels
    wider = [panel for key, panel in _CHECKUP_PANELS.items() if key in chart.problems]
    if age_in_years(person.birth, visit.day) >= _GROWN or chart.problems:
        wider = ["metabolic", "lipids", "count", *wider]
    return list(dict.fromkeys([*panels, *wider]))
