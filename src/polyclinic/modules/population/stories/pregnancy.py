"""Fatima Al-Sayed: 28 weeks pregnant, growing well, with iron deficiency found on the way."""

from datetime import timedelta
from typing import Final

from polyclinic.modules.population.allergies import add_no_known_allergy
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.conditions import diagnose_passing
from polyclinic.modules.population.documents import write_note
from polyclinic.modules.population.imaging import image
from polyclinic.modules.population.immunizations import Due, give, give_influenza
from polyclinic.modules.population.medications import prescribe
from polyclinic.modules.population.physiology import vital_values
from polyclinic.modules.population.pregnancy import (
    PRENATAL_WEEKS,
    record_due_date,
    record_pregnancy_signs,
)
from polyclinic.modules.population.stories.scene import Scene

_LAST_PERIOD_DAYS_AGO: Final = 28 * 7 + 6
_WEIGHT: Final = 63.5
# week: systolic, diastolic, haemoglobin g/dL, what the note says
_COURSE: Final = {
    8: (112, 70, 12.9, "Wanted pregnancy; nausea in the morning."),
    12: (110, 68, None, "First scan: one child, heartbeat seen, dates agree."),
    16: (108, 66, None, "Nausea is gone."),
    20: (108, 66, 11.4, "Anatomy scan without findings; feels the child move."),
    24: (110, 68, 10.3, "Tired and pale: iron deficiency, tablets begun."),
    28: (113, 70, 10.9, "Iron tolerated; whooping cough vaccine given."),
}
_SCANS: Final = (12, 20)
_IRON_WEEK: Final = 24
_VACCINE_WEEK: Final = 28


def write(chart: Chart) -> None:
    """Write the story."""
    person = chart.person
    last_period = person.today - timedelta(days=_LAST_PERIOD_DAYS_AGO)
    add_no_known_allergy(chart, person.registered)
    for week, (systolic, diastolic, haemoglobin, words) in _COURSE.items():
        scene = Scene(chart, _LAST_PERIOD_DAYS_AGO - 7 * week, "prenatal")
        values = vital_values(chart, scene.body, scene.visit.day)
        del values["temperature"], values["oxygen_saturation"], values["height"]
        values |= {"weight": _WEIGHT, "systolic": systolic, "diastolic": diastolic}
        record_pregnancy_signs(chart, scene.visit, values, week)
        if week == PRENATAL_WEEKS[0]:
            record_due_date(chart, scene.visit, last_period)
            reason = diagnose_passing(chart, scene.visit, "pregnancy", (last_period, None))
            prescribe(chart, scene.visit, "folic_acid", reason)
        if haemoglobin:
            scene.report("count", haemoglobin=haemoglobin, mcv=90 - 1.2 * max(0, week - 12))
        _events(chart, scene, week)
        write_note(chart, scene.visit, words)
    give_influenza(chart)


def _events(chart: Chart, scene: Scene, week: int) -> None:
    visit = scene.visit
    if week in _SCANS:
        image(chart, visit, "fetus", chart.problems["pregnancy"])
    if week == _IRON_WEEK:
        scene.report("ferritin", "glucose_challenge", ferritin=6.0, glucose_challenge=121.0)
        reason = diagnose_passing(chart, visit, "iron_deficiency", (visit.day, None))
        prescribe(chart, visit, "ferrous_sulfate", reason)
    if week == _VACCINE_WEEK:
        give(chart, Due("tdap", 1, visit.day), visit.day, visit)
