"""Elena Vásquez: type 2 diabetes found at 9.8 %, brought to 6.6 %, with what it left behind."""

from typing import Final

from polyclinic.modules.population import surveys
from polyclinic.modules.population.allergies import add_allergy, allergy_row
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.conditions import diagnose
from polyclinic.modules.population.documents import (
    write_electrocardiogram,
    write_letter,
    write_note,
)
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
    (
        365,
        "checkup",
        7.0,
        84.0,
        (131, 81),
        96,
        "First bleeding spots of the retina.",
    ),
    (
        240,
        "followup",
        6.8,
        82.7,
        (129, 80),
        94,
        "Swims; eye clinic every half year.",
    ),
    (
        118,
        "followup",
        6.7,
        81.9,
        (128, 79),
        92,
        "Tingling toes at night, both feet.",
    ),
    (20, "checkup", 6.6, 81.2, (127, 78), 90, "Target reached; next control in six months."),
)
_FIRST: Final = _COURSE[0][0]
_LAST: Final = _COURSE[-1][0]
_SECOND_DRUG: Final = _COURSE[3][0]
_EYES: Final = 365
_FEET: Final = 118
# Urine albumin to creatinine ratio, mg/g, at the check-ups: falls with lisinopril.
_ALBUMIN: Final = {1105: 118.0, 730: 74.0, 365: 52.0, 20: 38.0}
_EYE_LETTER: Final = (
    "Thank you for sending us Mrs Vásquez. Both eyes: visual acuity 20/25. Fundus in mydriasis: a"
    " few microaneurysms and dot haemorrhages in both eyes, no cotton wool spots, no new vessels,"
    " macula dry (optical coherence tomography without oedema).\n\n"
    "Assessment: mild nonproliferative diabetic retinopathy of both eyes, no macular oedema.\n\n"
    "No treatment of the eyes is needed. Good control of blood sugar and blood pressure is what"
    " helps most. We will see her again in six months."
)


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
            _check(chart, scene, float(ldl), _ALBUMIN[days_ago])
        _complicate(chart, scene, days_ago)
        if days_ago == _LAST:
            give(chart, Due("zoster", 1, scene.visit.day), scene.visit.day, scene.visit)
        write_note(chart, scene.visit, words)
    give_influenza(chart)


def _begin(chart: Chart, scene: Scene) -> None:
    surveys.record_occupation(chart, scene.visit, "Cook")
    surveys.record_questionnaire(chart, scene.visit, "phq9", 7)
    for key in ("hypertension", "diabetes", "obesity", "hyperlipidaemia", "albuminuria"):
        diagnose(chart, scene.visit, key, chart.person.onsets[key])
    for drug, problem in (
        ("lisinopril", "hypertension"),
        ("metformin", "diabetes"),
        ("simvastatin", "hyperlipidaemia"),
    ):
        prescribe(chart, scene.visit, drug, chart.problems[problem])


def _complicate(chart: Chart, scene: Scene, days_ago: int) -> None:
    """Write what the years of high sugar left: in the eyes and in the feet."""
    visit, onsets = scene.visit, chart.person.onsets
    if days_ago == _EYES:
        diagnose(chart, visit, "retinopathy", onsets["retinopathy"])
        eye_clinic = Scene(chart, _EYES - 30, "followup", "examination of the eyes")
        perform(chart, eye_clinic.visit, "eye_screening", chart.problems["retinopathy"])
        write_letter(chart, eye_clinic.visit, "consultation", _EYE_LETTER)
    if days_ago == _FEET:
        reason = diagnose(chart, visit, "neuropathy", onsets["neuropathy"])
        perform(chart, visit, "foot_examination", reason)


def _check(chart: Chart, scene: Scene, ldl: float, albumin: float) -> None:
    surveys.record_smoking(chart, scene.visit)
    scene.report("lipids", "count", "kidney_urine", ldl=ldl, albumin_creatinine=albumin)
    write_electrocardiogram(chart, scene.visit, 74.0)
    perform(chart, scene.visit, "eye_screening", chart.problems["diabetes"])
    perform(chart, scene.visit, "foot_examination", chart.problems["diabetes"])
