"""Schedules of the practitioners who see patients by appointment, and the slots in them.

http://hl7.org/fhir/R4/schedule.html, http://hl7.org/fhir/R4/slot.html

A slot that is taken is written with its appointment; those that stay free within the horizon are
written at the end of the population, so that a patient does not depend on its size.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from polyclinic.modules.population.chart import Reference, Resource
from polyclinic.modules.population.coding import HL7, SNOMED, concept
from polyclinic.modules.population.dates import instant, last_working_day, working_day
from polyclinic.modules.population.organizations import family_physicians, practitioner
from polyclinic.modules.population.tables import table

OPENING_MINUTE: Final = 8 * 60
SLOT_MINUTES: Final = 20
SLOTS: Final = 24
_HORIZON: Final = 10  # working days
_BEHIND: Final = 90  # days
_AHEAD: Final = 180
_PREFIX: Final = "slot-"


def schedules(today: date) -> Iterator[Resource]:
    """Yield the schedule of each physician who is booked."""
    rows = {row["id"]: row for row in table("staff")["practitioners"]}
    for identifier in family_physicians():
        row = rows[identifier]
        yield {
            "resourceType": "Schedule",
            "id": _schedule_id(identifier),
            "active": True,
            "serviceCategory": [concept(HL7 + "service-category", "17", "General Practice")],
            "specialty": [concept(SNOMED, *row["specialty"])],
            "actor": [
                practitioner(identifier),
                {"reference": f"Location/{row['organization'].replace('org-', 'loc-')}"},
            ],
            "planningHorizon": {
                "start": instant(today - timedelta(days=_BEHIND), 0),
                "end": instant(today + timedelta(days=_AHEAD), 0),
            },
        }


def busy_slot(physician: str, day: date, slot: int) -> Resource:
    """Return the slot that an appointment takes."""
    return _slot(physician, day, slot, "busy")


def free_slots(today: date, taken: set[str]) -> Iterator[Resource]:
    """Yield the slots from today over the horizon whose ids are not among those taken."""
    for day in horizon(today):
        for physician in family_physicians():
            for slot in range(SLOTS):
                if slot_id(physician, day, slot) not in taken:
                    yield _slot(physician, day, slot, "free")


def horizon(today: date) -> list[date]:
    """Return today, if it is a working day, and the working days after it."""
    days = [working_day(today, offset) for offset in range(1, _HORIZON + 1)]
    return [today, *days] if last_working_day(today) == today else days


def slot_reference(identifier: str) -> Reference:
    """Return the reference to a slot."""
    return {"reference": f"Slot/{identifier}"}


def slot_id(physician: str, day: date, slot: int) -> str:
    """Return the id of a slot: physician, day and number."""
    return f"{_PREFIX}{physician.removeprefix('prac-')}-{day:%Y%m%d}-{slot:02d}"


def _slot(physician: str, day: date, slot: int, status: str) -> dict[str, Any]:
    start = OPENING_MINUTE + SLOT_MINUTES * slot
    return {
        "resourceType": "Slot",
        "id": slot_id(physician, day, slot),
        "schedule": {"reference": f"Schedule/{_schedule_id(physician)}"},
        "status": status,
        "start": instant(day, start),
        "end": instant(day, start + SLOT_MINUTES),
    }


def _schedule_id(physician: str) -> str:
    return physician.replace("prac-", "schedule-")
