"""Generates the population: the clinic, the six stories, then everybody else.

Same seed, same size and same day give the same bytes. Patients are written one after the other,
so that memory does not grow with the size; within a patient a reference points backwards only.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

import msgspec

from polyclinic.modules.population.chart import Resource
from polyclinic.modules.population.course import write_course
from polyclinic.modules.population.organizations import practitioner_of_account, staff
from polyclinic.modules.population.people import person_at
from polyclinic.modules.population.questionnaires import questionnaires
from polyclinic.modules.population.schedules import free_slots, horizon, schedules
from polyclinic.modules.population.stories.catalogue import STORIES, write_story

DEFAULT_SEED: Final = 1
DEFAULT_SIZE: Final = 300
STORY_IDS: Final = tuple(f"story-{name}" for name in STORIES)
DEMO_PATIENT_ID: Final = STORY_IDS[0]
DEMO_DOCTOR_ID: Final = practitioner_of_account("doctor")
DEMO_NURSE_ID: Final = practitioner_of_account("nurse")


def records(seed: int, size: int, today: date) -> Iterator[list[Resource]]:
    """Yield the record of the clinic, those of `size` patients, then the slots that stayed free.

    The first patients are the stories, whose ids do not depend on the seed. The dictionaries
    share parts that do not change (codes, references): read them, do not write to them.
    """
    yield [*staff(), *schedules(today), *questionnaires()]
    taken: set[str] = set()
    days = {day.isoformat() for day in horizon(today)}
    for index in range(size):
        record = patient(seed, index, today)
        # Only slots of the horizon are kept, so that memory does not grow with the size.
        slots = (row for row in record if row["resourceType"] == "Slot")
        taken |= {row["id"] for row in slots if row["start"][:10] in days}
        yield record
    yield list(free_slots(today, taken))


def generate(seed: int, size: int, today: date) -> Iterator[Resource]:
    """Yield the resources of all records."""
    for record in records(seed, size, today):
        yield from record


def patient(seed: int, index: int, today: date) -> list[Resource]:
    """Return the resources of the patient with this index, the Patient first."""
    if index < len(STORIES):
        return write_story(index, today).resources
    return write_course(person_at(seed, index, today)).resources


def ndjson(seed: int, size: int, today: date) -> Iterator[bytes]:
    """Yield the population as lines of NDJSON, each with its line feed."""
    encode = msgspec.json.Encoder().encode
    for resource in generate(seed, size, today):
        yield encode(resource) + b"\n"
