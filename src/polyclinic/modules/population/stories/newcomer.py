"""Nadia Rahimi: arrived last week, speaks Persian, carries a dangerous penicillin allergy."""

from typing import Final

from polyclinic.modules.population import surveys
from polyclinic.modules.population.allergies import add_allergy, allergy_row
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.conditions import diagnose_passing
from polyclinic.modules.population.documents import write_letter, write_note
from polyclinic.modules.population.imaging import image
from polyclinic.modules.population.immunizations import Due, give
from polyclinic.modules.population.medications import prescribe
from polyclinic.modules.population.stories.scene import Scene

_HISTORY: Final = (
    "Told through a Persian interpreter.\n\n"
    "Born in Herat, the second of four children; school to the age of eighteen, then taught at a"
    " primary school. At seventeen an injection of penicillin for a sore throat: within minutes"
    " hives, swelling of the tongue and loss of consciousness; woke up in hospital.\n\n"
    "On the road for five months. Sleeps badly, wakes from dreams, is easily startled. Eats little"
    " meat; heavy periods since the age of twenty. No operations, no medicines, does not smoke.\n\n"
    "No papers of earlier vaccinations. The chest film is clear.\n\n"
    "Wishes: to work as a teacher again; to see a woman doctor where possible."
)


def write(chart: Chart) -> None:
    """Write the story."""
    person = chart.person
    add_allergy(chart, allergy_row("penicillin"), "anaphylaxis", person.registered)
    first = Scene(chart, 8, "checkup", "first visit after arrival, with a Persian interpreter")
    first.measure(height=164.0, weight=54.2, systolic=108, diastolic=66)
    surveys.record_smoking(chart, first.visit)
    surveys.record_questionnaire(chart, first.visit, "phq9", 11)
    surveys.record_questionnaire(chart, first.visit, "gad7", 9)
    surveys.record_occupation(chart, first.visit, "Teacher")
    image(chart, first.visit, "chest", finding="newcomer")
    first.report(
        "count", "metabolic", "liver", "ferritin", haemoglobin=11.2, mcv=77.0, ferritin=5.0
    )
    prescribe(chart, first.visit, "epinephrine", None)
    for vaccine in ("tdap", "mmr"):
        give(chart, Due(vaccine, 1, first.visit.day), first.visit.day, first.visit)
    write_note(
        chart,
        first.visit,
        "Needed resuscitation after an injection of penicillin at 17. No papers of earlier"
        " vaccinations; the series are begun again.",
    )
    second = Scene(chart, 2, "followup", "results of the first visit")
    second.measure(weight=54.0, systolic=110, diastolic=68)
    onset = first.visit.day
    reason = diagnose_passing(chart, second.visit, "iron_deficiency", (onset, None))
    prescribe(chart, second.visit, "ferrous_sulfate", reason)
    write_letter(chart, second.visit, "history", _HISTORY)
    write_note(chart, second.visit, "Low mood and poor sleep are talked about; next visit planned.")
