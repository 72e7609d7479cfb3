"""Harold Whitfield: COPD that worsens, a week in hospital with intensive care, and the way back."""

from datetime import timedelta
from typing import Final

from polyclinic.modules.population import surveys
from polyclinic.modules.population.allergies import add_no_known_allergy
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.conditions import diagnose, diagnose_passing
from polyclinic.modules.population.documents import write_electrocardiogram, write_note
from polyclinic.modules.population.hospital import Stay, write_stay
from polyclinic.modules.population.imaging import image
from polyclinic.modules.population.immunizations import Due, give, give_influenza
from polyclinic.modules.population.medications import prescribe
from polyclinic.modules.population.physiology import Body
from polyclinic.modules.population.procedures import perform
from polyclinic.modules.population.stories.scene import Scene

# days ago, kind, SpO2 %, breaths per minute, weight kg, FEV1/FVC %, what the note says
_COURSE: Final = (
    (1600, "checkup", 95, 17, 76.0, 61, "Short of breath on stairs; smoked until 63."),
    (1420, "followup", 95, 17, 75.8, None, "Inhaler technique practised."),
    (1230, "checkup", 94, 18, 75.1, 59, "Cough every morning; walks 400 m."),
    (1040, "followup", 94, 18, 74.6, None, "Stable."),
    (861, "emergency", 87, 28, 73.9, None, "Breathless since the night, green sputum, wheeze."),
    (845, "followup", 92, 20, 73.5, None, "Recovers; a combined inhaler is added."),
    (700, "checkup", 93, 19, 73.0, 56, "Joins the lung exercise group."),
    (520, "followup", 93, 19, 72.8, None, "Walks 300 m without rest."),
    (338, "followup", 91, 21, 70.4, None, "Home for three days; slow recovery."),
    (300, "checkup", 92, 20, 71.9, 52, "Plan for worsening agreed in writing."),
    (130, "followup", 92, 20, 72.3, None, "No exacerbation since; exercise group helps."),
    (30, "followup", 92, 19, 72.6, None, "Steady; appetite is better."),
)
_SECOND_INHALER: Final = 845
_EMERGENCY: Final = 861
_FIRST: Final = _COURSE[0][0]
_BEFORE_STAY: Final = 520
_STAY: Final = 352
_REHABILITATION: Final = 300
_LAST: Final = _COURSE[-1][0]


def write(chart: Chart) -> None:
    """Write the story."""
    add_no_known_allergy(chart, chart.person.registered)
    for days_ago, kind, saturation, breaths, weight, ratio, words in _COURSE:
        complaint = "shortness of breath" if kind == "emergency" else None
        scene = Scene(chart, days_ago, kind, complaint)
        signs = {"oxygen_saturation": float(saturation), "respiratory_rate": float(breaths)}
        if kind == "emergency":
            signs |= {"heart_rate": 112.0, "temperature": 38.1}
        scene.measure(**signs, weight=weight)
        if days_ago == _FIRST:
            _begin(chart, scene)
        if ratio:
            _check(chart, scene, float(ratio))
        _turn(chart, scene, days_ago)
        write_note(chart, scene.visit, words)
        if days_ago == _BEFORE_STAY:
            day = chart.person.today - timedelta(days=_STAY)
            write_stay(chart, Body(chart.person), Stay("copd_exacerbation", day, 10, 4))
    give_influenza(chart)


def _turn(chart: Chart, scene: Scene, days_ago: int) -> None:
    """Write what changes at a visit."""
    visit, reason = scene.visit, chart.problems["copd"]
    if days_ago == _EMERGENCY:
        _exacerbation(chart, scene)
    if days_ago == _SECOND_INHALER:
        prescribe(chart, visit, "fluticasone_salmeterol", reason)
    if days_ago == _REHABILITATION:
        perform(chart, visit, "pulmonary_rehabilitation", reason)
        image(chart, visit, "chest_ct", reason)
    if days_ago == _LAST:
        give(chart, Due("pcv20", 1, visit.day), visit.day, visit)


def _begin(chart: Chart, scene: Scene) -> None:
    surveys.record_occupation(chart, scene.visit, "Bus driver")
    for key in ("hypertension", "copd"):
        diagnose(chart, scene.visit, key, chart.person.onsets[key])
    for drug, problem in (
        ("amlodipine", "hypertension"),
        ("tiotropium", "copd"),
        ("albuterol", "copd"),
    ):
        prescribe(chart, scene.visit, drug, chart.problems[problem])


def _check(chart: Chart, scene: Scene, ratio: float) -> None:
    surveys.record_smoking(chart, scene.visit)
    perform(chart, scene.visit, "spirometry", chart.problems["copd"])
    scene.report("spirometry", "metabolic", "count", fev1_fvc=ratio)


def _exacerbation(chart: Chart, scene: Scene) -> None:
    day = scene.visit.day
    course = (day - timedelta(days=2), day + timedelta(days=12))
    reason = diagnose_passing(chart, scene.visit, "copd_exacerbation", course)
    write_electrocardiogram(chart, scene.visit, 112.0)
    prescribe(chart, scene.visit, "prednisone", reason, days=5)
    scene.report("count", "metabolic", leukocytes=13.4)
