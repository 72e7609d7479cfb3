"""Nadia Rahimi: arrived last week, speaks Persian, carries a dangerous penicillin allergy."""

from polyclinic.modules.population import surveys
from polyclinic.modules.population.allergies import add_allergy, allergy_row
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.conditions import diagnose_passing
from polyclinic.modules.population.documents import write_note
from polyclinic.modules.population.immunizations import Due, give
from polyclinic.modules.population.medications import prescribe
from polyclinic.modules.population.stories.scene import Scene


def write(chart: Chart) -> None:
    """Write the story."""
    person = chart.person
    add_allergy(chart, allergy_row("penicillin"), "anaphylaxis", person.registered)
    first = Scene(chart, 8, "checkup", "first visit after arrival, with a Persian interpreter")
    first.measure(height=164.0, weight=54.2, systolic=108, diastolic=66)
    surveys.record_smoking(chart, first.visit)
    surveys.record_phq9(chart, first.visit, 11)
    first.report("count", "metabolic", haemoglobin=11.2, mcv=77.0)
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
    write_note(chart, second.visit, "Low mood and poor sleep are talked about; next visit planned.")
