"""Elena Vásquez: type 2 diabetes found at 9.8 %, brought to 6.6 % over three years."""

from typing import Final

from polyclinic.modules.population import surveys
from polyclinic.modules.population.allergies import add_allergy, allergy_row
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.conditions import diagnose
from polyclinic.modules.population.documents import write_note
from polyclinic.modules.population.immunizations import Due, give, give_influenza
from polyclinic.modules.population.medications import prescribe
from polyclinic.modules.population.procedures import perform
from polyclinic.modules.population.stories.scene import Scene

_HEIGHT: Final = 162.0

# days ago, kind, HbA1c %, weight kg, blood pressure, LDL mg/dL, what the note says
_COURSE: Final = (
    (1105, "checkup", 9.8, 92.4, (152, 94), 168, "Thirst and tiredness for two months."),
    (1010, "followup", 8.9, 90.8, (144, 90), 131, "Walks after dinner; metformin well tolerated."),
    (915, "followup", 8.3, 89.9, (141, 88), 118, "Plateau; a second drug is discussed."),
    (820, "followup", 8.4, 90.3, (139, 86), 112, "Empagliflozin added to metformin."),
    (730, "checkup", 7.7, 87.6, (136, 84), 104, "Feels better; no low sugars."),
    (610, "followup", 7.4, 86.2, (134, 83), 101, "Diet course at the clinic completed."),
    (490, "followup", 7.2, 85.1, (133, 82), 98, "Stable."),
    (365, "checkup", 7.0, 84.0, (131, 81), 96, "Eyes and feet examined, no complications."),
    (240, "followup", 6.8, 82.7, (129, 80), 94, "Swims twice a week."),
    (118, "followup", 6.7, 81.9, (128, 79), 92, "Blood pressure at home below 130/80."),
    (20, "checkup", 6.6, 81.2, (127, 78), 90, "Target reached; next control in six months."),
)
_FIRST: Final = _COURSE[0][0]
_LAST: Final = _COURSE[-1][0]
_SECOND_DRUG: Final = _COURSE[3][0]


def write(chart: Chart) -> None:
    """Write the story."""
    add_allergy(chart, allergy_row("sulfonamide"), "rash", chart.person.registered)
    for days_ago, kind, hba1c, weight, (systolic, diastolic), ldl, words in _COURSE:
        scene = Scene(chart, days_ago, kind)
        scene.measure(
            height=_HEIGHT, weight=weight, systolic=float(systolic), diastolic=float(diastolic)
        )
        if days_ago == _FIRST:
            _begin(chart, scene)
        if days_ago == _SECOND_DRUG:
            prescribe(chart, scene.visit, "empagliflozin", chart.problems["diabetes"])
        scene.report("hba1c", "metabolic", hba1c=hba1c)
        if kind == "checkup":
            _check(chart, scene, float(ldl), hba1c)
        if days_ago == _LAST:
            give(chart, Due("zoster", 1, scene.visit.day), scene.visit.day, scene.visit)
        write_note(chart, scene.visit, words)
    give_influenza(chart)


def _begin(chart: Chart, scene: Scene) -> None:
    for key in ("hypertension", "diabetes", "obesity", "hyperlipidaemia"):
        diagnose(chart, scene.visit, key, chart.person.onsets[key])
    for drug, problem in (
        ("lisinopril", "hypertension"),
        ("metformin", "diabetes"),
        ("simvastatin", "hyperlipidaemia"),
    ):
        prescribe(chart, scene.visit, drug, chart.problems[problem])


def _check(chart: Chart, scene: Scene, ldl: float, hba1c: float) -> None:
    surveys.record_smoking(chart, scene.visit)
    scene.report("lipids", "count", "kidney_urine", ldl=ldl, albumin_creatinine=5 * hba1c - 12)
    perform(chart, scene.visit, "eye_screening", chart.problems["diabetes"])
    perform(chart, scene.visit, "foot_examination", chart.problems["diabetes"])
