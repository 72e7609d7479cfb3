"""Grigori Petrov: chronic kidney disease, creatinine from 1.5 to 2.9 mg/dL in five years."""

from datetime import timedelta
from typing import Final

from polyclinic.modules.population import surveys
from polyclinic.modules.population.allergies import add_no_known_allergy
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.conditions import diagnose, diagnose_passing
from polyclinic.modules.population.dates import last_working_day
from polyclinic.modules.population.documents import write_letter, write_note
from polyclinic.modules.population.imaging import image
from polyclinic.modules.population.immunizations import give_influenza
from polyclinic.modules.population.medications import prescribe
from polyclinic.modules.population.stories.scene import Scene

# days ago, kind, creatinine mg/dL, potassium mmol/L, haemoglobin g/dL, albumin/creatinine mg/g,
# blood pressure, what the note says
_COURSE: Final = (
    (1690, "checkup", 1.48, 4.4, 14.2, 86, (149, 90), "Feels well; found at a check-up."),
    (1510, "followup", 1.52, 4.6, 14.0, 64, (141, 86), "Losartan tolerated."),
    (1330, "checkup", 1.60, 4.6, 13.8, 71, (138, 84), "Salt at the table given up."),
    (1150, "followup", 1.69, 4.7, 13.5, 90, (140, 85), "Stable."),
    (970, "checkup", 1.81, 4.8, 13.3, 118, (143, 86), "Slow decline explained."),
    (790, "followup", 1.95, 4.9, 12.9, 152, (144, 87), "Swollen ankles in the evening."),
    (610, "checkup", 2.12, 4.9, 12.6, 190, (141, 84), "Furosemide helps."),
    (430, "followup", 2.31, 5.1, 12.2, 228, (139, 82), "Diet advice for potassium."),
    (250, "checkup", 2.55, 5.1, 11.8, 275, (138, 82), "Visit to the kidney clinic arranged."),
    (110, "followup", 2.74, 5.2, 11.5, 312, (137, 80), "Stage 4; treatment choices are discussed."),
    (26, "followup", 2.90, 5.3, 11.3, 334, (136, 80), "Arm veins are spared from now on."),
)
_FIRST: Final = _COURSE[0][0]
_SWELLING: Final = 790
_STAGE_4: Final = 250
_CLINIC_LETTER: Final = (
    "Diagnosis: chronic kidney disease G4 A3, most likely from long-standing high blood pressure."
    " Kidneys small on ultrasound, no obstruction.\n\n"
    "Over five years creatinine has risen from 1.5 to 2.6 mg/dL. At this pace replacement of kidney"
    " function will be needed in two to three years. Mr Petrov and his wife came together; we spoke"
    " about a transplant from his wife, about dialysis at home and in the clinic, and about care"
    " without dialysis. He leans towards a transplant.\n\n"
    "Please keep blood pressure below 130/80 mmHg, stop losartan when potassium passes"
    " 5.5 mmol/L, avoid ibuprofen and the like, and draw blood from the right hand only: the"
    " veins of the left arm are spared for a fistula.\n\n"
    "Hepatitis B vaccination has begun with us. Next visit in four months."
)


def write(chart: Chart) -> None:
    """Write the story."""
    add_no_known_allergy(chart, chart.person.registered)
    for days_ago, kind, creatinine, potassium, haemoglobin, albumin, pressure, words in _COURSE:
        scene = Scene(chart, days_ago, kind)
        scene.measure(systolic=float(pressure[0]), diastolic=float(pressure[1]))
        _turn(chart, scene, days_ago)
        scene.report(
            "metabolic",
            "kidney_urine",
            "count",
            creatinine=creatinine,
            urea=15 * creatinine,
            potassium=potassium,
            haemoglobin=haemoglobin,
            albumin_creatinine=albumin,
        )
        if kind == "checkup":
            surveys.record_smoking(chart, scene.visit)
            scene.report("lipids")
        write_note(chart, scene.visit, words)
    give_influenza(chart)


def _turn(chart: Chart, scene: Scene, days_ago: int) -> None:
    """Write what changes at a visit: the first findings, the swelling, the fourth stage."""
    visit, onsets = scene.visit, chart.person.onsets
    if days_ago == _FIRST:
        diagnose(chart, visit, "hypertension", onsets["hypertension"])
        fourth = last_working_day(chart.person.today - timedelta(days=_STAGE_4))
        stage_3 = diagnose_passing(chart, visit, "kidney", (onsets["kidney"], fourth))
        chart.problems["kidney"] = stage_3
        prescribe(chart, visit, "losartan", stage_3)
        prescribe(chart, visit, "amlodipine", chart.problems["hypertension"])
        image(chart, visit, "kidneys", stage_3)
        surveys.record_occupation(chart, visit, "Electrician")
    if days_ago == _SWELLING:
        image(chart, visit, "echocardiography", chart.problems["kidney"], "hypertrophy")
        prescribe(chart, visit, "furosemide", chart.problems["kidney"])
    if days_ago == _STAGE_4:
        del chart.problems["kidney"]
        diagnose(chart, visit, "ckd_stage_4", visit.day)
        clinic = Scene(chart, _STAGE_4 - 40, "followup", "visit to the kidney clinic")
        write_letter(chart, clinic.visit, "consultation", _CLINIC_LETTER)
