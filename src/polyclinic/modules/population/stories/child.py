"""Kenji Tanaka: a healthy child of five, every check-up and vaccine on time, with eczema."""

from datetime import date, timedelta
from typing import Final

from polyclinic.modules.population.allergies import add_allergy, allergy_row
from polyclinic.modules.population.births import record_weeks
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.conditions import diagnose, diagnose_passing
from polyclinic.modules.population.dates import add_months
from polyclinic.modules.population.documents import write_note
from polyclinic.modules.population.growth import growth_value
from polyclinic.modules.population.immunizations import Due, give_due, give_influenza
from polyclinic.modules.population.medications import prescribe
from polyclinic.modules.population.stories.scene import Scene
from polyclinic.modules.population.tables import table

# age in months, z-score of height and of weight, what the note says
_COURSE: Final = (
    (0, 0.0, 0.1, "First days of life; feeds at the breast."),
    (1, 0.1, -0.2, "Feeds well, gains weight."),
    (2, 0.1, 0.0, "Smiles; follows with the eyes."),
    (4, 0.2, 0.1, "Holds the head, laughs aloud."),
    (6, 0.2, 0.2, "Sits with support; first solid food."),
    (9, 0.1, 0.1, "Crawls; says syllables."),
    (12, 0.1, 0.0, "First steps along the furniture."),
    (15, 0.0, -0.1, "Walks alone; dry itching skin in the folds."),
    (18, 0.1, -0.1, "Ten words; skin better with cream."),
    (24, 0.2, 0.0, "Two-word sentences, runs."),
    (30, 0.2, 0.1, "Climbs, asks questions."),
    (36, 0.3, 0.1, "Draws a circle; started at nursery."),
    (48, 0.3, 0.2, "Hops on one leg; tells stories."),
    (60, 0.4, 0.2, "Ready for school; hearing and sight are good."),
)
_ECZEMA_MONTHS: Final = 15
_HAEMOGLOBIN_MONTHS: Final = 12
_EAR_AGE_MONTHS: Final = 20


def write(chart: Chart) -> None:
    """Write the story."""
    person = chart.person
    add_allergy(chart, allergy_row("egg"), "rash", add_months(person.birth, 13))
    doses = [
        Due(vaccine, dose, add_months(person.birth, months))
        for vaccine, dose, months, _ in table("immunizations")["child"]
    ]
    for months, height_z, weight_z, words in _COURSE:
        day = add_months(person.birth, months) + timedelta(days=4)
        if months > _EAR_AGE_MONTHS > months - 6:
            _ear_infection(chart)
        scene = Scene(chart, (person.today - day).days, "well_child")
        scene.measure(**_size(chart, scene.visit.day, height_z, weight_z))
        if not months:
            record_weeks(chart, scene.visit)
        if months == _HAEMOGLOBIN_MONTHS:
            scene.report("infant", haemoglobin_child=11.8)
        if months == _ECZEMA_MONTHS:
            reason = diagnose(chart, scene.visit, "eczema", person.onsets["eczema"])
            prescribe(chart, scene.visit, "hydrocortisone", reason)
        give_due(chart, scene.visit, doses)
        write_note(chart, scene.visit, words)
    give_influenza(chart)


def _size(chart: Chart, day: date, height_z: float, weight_z: float) -> dict[str, float]:
    sex = chart.person.sex
    months = (day - chart.person.birth).days / 30.4375
    size = {
        "height": growth_value(sex, "height", months, height_z),
        "weight": growth_value(sex, "weight", months, weight_z),
    }
    if months < 24:  # noqa: PLR2004 - the WHO reference of head circumference used here ends there
        size["head"] = growth_value(sex, "head", months, 0.3)
    return size


def _ear_infection(chart: Chart) -> None:
    day = add_months(chart.person.birth, _EAR_AGE_MONTHS)
    scene = Scene(chart, (chart.person.today - day).days, "acute", "ear pain and a restless night")
    scene.measure(temperature=38.9, heart_rate=132.0)
    course = (scene.visit.day - timedelta(days=1), scene.visit.day + timedelta(days=9))
    reason = diagnose_passing(chart, scene.visit, "otitis", course)
    prescribe(chart, scene.visit, "amoxicillin", reason, days=7)
    write_note(chart, scene.visit, "Left ear drum red and bulging.")
