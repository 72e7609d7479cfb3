"""Pregnancies: prenatal visits, growth of the uterus, the expected and the actual delivery.

The due date is 280 days after the last menstrual period (Naegele's rule); visits follow the usual
American schedule (ACOG). How many women are pregnant is a generator parameter.
"""

from datetime import date, timedelta
from typing import Final

from polyclinic.modules.population import laboratory, vitals
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.coding import LOINC, SNOMED, concept, hl7
from polyclinic.modules.population.conditions import diagnose_passing
from polyclinic.modules.population.dates import last_working_day
from polyclinic.modules.population.documents import write_note
from polyclinic.modules.population.encounters import open_visit
from polyclinic.modules.population.imaging import image
from polyclinic.modules.population.medications import prescribe
from polyclinic.modules.population.model import Visit
from polyclinic.modules.population.physiology import Body, lab_values, vital_values
from polyclinic.modules.population.procedures import perform

TERM_DAYS: Final = 280
PRENATAL_WEEKS: Final = (8, 12, 16, 20, 24, 28, 30, 32, 34, 36, 37, 38, 39)
_AGES: Final = range(19, 43)
_RATE: Final = 0.11
_EXCLUDED: Final = ("hypertension", "diabetes", "kidney", "copd")
_BLOOD_WEEKS: Final = (8, 28)
_CHALLENGE_WEEK: Final = 24
_SCAN_WEEKS: Final = (12, 20)
_FETAL_HEART_WEEK: Final = 12
_FUNDUS_WEEK: Final = 20
_MORNING: Final = 9 * 60
_SOCIAL: Final = [hl7("observation-category", "exam", "Exam")]
_STATED: Final = [hl7("observation-category", "social-history", "Social History")]
_STATUS: Final = concept(LOINC, "82810-3", "Pregnancy status")
_PREGNANT: Final = concept(SNOMED, "77386006", "Pregnant")
_DUE_DATE: Final = concept(LOINC, "11778-8", "Delivery date Estimated", "Estimated due date")


def write_pregnancy(chart: Chart, body: Body) -> None:
    """Add a pregnancy of the last two years for some of the women who may have one."""
    person = chart.person
    chance = chart.chance("pregnancy")
    if person.sex != "female" or person.age not in _AGES or person.death:
        return
    if any(key in person.onsets for key in _EXCLUDED) or not chance.happens(_RATE):
        return
    last_period = person.today - timedelta(days=chance.whole(63, 700))
    if last_period < person.registered:
        return
    visits = prenatal_visits(last_period, person.end)
    delivery = last_period + timedelta(days=TERM_DAYS + chance.whole(-12, 7))
    visits = [visit for visit in visits if visit.day < delivery]
    for number, visit in enumerate(visits):
        _write_visit(chart, body, visit, last_period)
        if number == 0:
            end = delivery if delivery < person.end else None
            reason = diagnose_passing(chart, visit, "pregnancy", (last_period, end))
            prescribe(chart, visit, "folic_acid", reason, days=200)
    if delivery + timedelta(days=60) < person.end:
        _write_delivery(chart, body, delivery)


def prenatal_visits(last_period: date, end: date) -> list[Visit]:
    """Return the prenatal visits from the eighth week on, as far as they are past."""
    days = [last_working_day(last_period + timedelta(weeks=week)) for week in PRENATAL_WEEKS]
    return [Visit(day, _MORNING, "prenatal") for day in days if day < end]


def week_of(last_period: date, day: date) -> int:
    """Return the gestational week: completed weeks, the day before counted as the day itself."""
    return ((day - last_period).days + 2) // 7


def record_pregnancy_signs(chart: Chart, visit: Visit, values: dict[str, float], week: int) -> None:
    """Add the vital signs with fundal height (about the weeks in cm) and fetal heart rate."""
    chance = chart.chance(f"pregnancy {week}")
    if week >= _FETAL_HEART_WEEK:
        values["fetal_heart_rate"] = chance.normal(144, 6)
    if week >= _FUNDUS_WEEK:
        values["fundal_height"] = week + chance.normal(0, 0.8)
    values["weight"] += max(0, week - 10) * 0.42
    vitals.record(chart, visit, values)
    visit.findings.append(f"Week {week} of pregnancy")


def record_due_date(chart: Chart, visit: Visit, last_period: date) -> None:
    """Add the expected day of delivery, and that the woman is pregnant."""
    due = last_period + timedelta(days=TERM_DAYS)
    chart.add(
        "Observation",
        {
            "status": "final",
            "category": _SOCIAL,
            "code": _DUE_DATE,
            "subject": chart.subject,
            "encounter": visit.encounter,
            "effectiveDateTime": visit.start,
            "performer": [visit.performer],
            "valueDateTime": due.isoformat(),
        },
    )
    visit.findings.append(f"Estimated due date {due.isoformat()}")
    chart.add(
        "Observation",
        {
            "status": "final",
            "category": _STATED,
            "code": _STATUS,
            "subject": chart.subject,
            "encounter": visit.encounter,
            "effectiveDateTime": visit.start,
            "performer": [visit.performer],
            "valueCodeableConcept": _PREGNANT,
        },
    )


def _write_visit(chart: Chart, body: Body, visit: Visit, last_period: date) -> None:
    week = week_of(last_period, visit.day)
    open_visit(chart, visit)
    values = vital_values(chart, body, visit.day)
    del values["temperature"], values["oxygen_saturation"]
    record_pregnancy_signs(chart, visit, values, week)
    if week == PRENATAL_WEEKS[0]:
        record_due_date(chart, visit, last_period)
    if week in _BLOOD_WEEKS:
        results = lab_values(chart, body, visit.day)
        for key in ("haemoglobin", "haematocrit", "erythrocytes"):
            results[key] *= 1 - 0.004 * week
        laboratory.report(chart, visit, "count", results)
    if week == _CHALLENGE_WEEK:
        values = lab_values(chart, body, visit.day)
        laboratory.report(chart, visit, "glucose_challenge", values)
    if week in _SCAN_WEEKS:
        image(chart, visit, "fetus", chart.problems.get("pregnancy"), None)
        write_note(chart, visit)


def _write_delivery(chart: Chart, body: Body, delivery: date) -> None:
    visit = Visit(delivery, 3 * 60, "birth", "labor at term")
    open_visit(chart, visit)
    perform(chart, visit, "delivery")
    write_note(chart, visit, "Spontaneous vaginal birth at term; mother and child are well.")
    after = Visit(last_working_day(delivery + timedelta(days=44)), _MORNING, "postnatal")
    open_visit(chart, after)
    vitals.record(chart, after, vital_values(chart, body, after.day))
