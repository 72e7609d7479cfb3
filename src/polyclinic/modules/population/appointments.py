"""Appointments before, on and after today.

http://hl7.org/fhir/R4/appointment.html

A physician must not be booked twice, and a patient must not know about the others. So the index
of a patient decides day, physician and time by arithmetic that never gives two indices one place.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.coding import SNOMED, concept, hl7
from polyclinic.modules.population.dates import instant, working_day
from polyclinic.modules.population.organizations import family_physicians, practitioner
from polyclinic.modules.population.schedules import (
    OPENING_MINUTE,
    SLOT_MINUTES,
    SLOTS,
    busy_slot,
    slot_id,
    slot_reference,
)

_DAYS: Final = 20
# Of eight patients in a row: one comes today, three later, two came lately, two have nothing.
_CYCLE: Final = 8
_TODAY: Final = (0,)
_LATER: Final = (1, 2, 3)
_BEFORE: Final = (4, 5)
_SPREAD: Final = 7  # has no factor in common with the 24 slots, so that it reorders them
_GIVEN_BACK: Final = ("cancelled",)
_REASONS: Final = (
    ("185349003", "Encounter for check up", "Check-up"),
    ("390906007", "Follow-up encounter", "Follow-up"),
    ("185345009", "Encounter for symptom", "New complaint"),
)


@dataclass(slots=True, frozen=True)
class Booking:
    """A place in the diary: working days from today, physician and slot of the day."""

    offset: int
    physician: int
    slot: int

    @property
    def minute(self) -> int:
        """The minute of the day at which the slot begins."""
        return OPENING_MINUTE + SLOT_MINUTES * self.slot


def booking_of(index: int) -> Booking | None:
    """Return the place in the diary of a patient, or None for those who have none."""
    cycle, phase = divmod(index, _CYCLE)
    count = len(family_physicians())
    if phase in _TODAY:
        row, physician = divmod(cycle, count)
        return Booking(0, physician, _slot(row, physician)) if row < SLOTS else None
    if phase in _LATER:
        return _spread(cycle * len(_LATER) + _LATER.index(phase), count, 1)
    if phase in _BEFORE:
        return _spread(cycle * len(_BEFORE) + _BEFORE.index(phase), count, -1)
    return None


def physician_of(index: int) -> str:
    """Return the id of the family physician of a patient: the one whom the diary names."""
    booking = booking_of(index)
    physicians = family_physicians()
    return physicians[booking.physician if booking else index % len(physicians)]


def write_appointment(chart: Chart) -> None:
    """Add the patient's appointment, unless the patient died or was not registered yet."""
    person = chart.person
    booking = booking_of(person.index)
    if booking is None or person.death:
        return
    day = working_day(person.today, booking.offset) if booking.offset else person.today
    if day < person.registered:
        return
    code, display, text = chart.chance("appointment").pick(_REASONS)
    status = _status(chart, booking)
    taken = status not in _GIVEN_BACK
    if taken:
        chart.resources.append(busy_slot(person.physician, day, booking.slot))
    end = booking.minute + SLOT_MINUTES
    slot = slot_reference(slot_id(person.physician, day, booking.slot))
    chart.add(
        "Appointment",
        {
            "status": status,
            **({"slot": [slot]} if taken else {}),
            "serviceType": [concept(SNOMED, code, display, text)],
            "appointmentType": hl7("v2-0276", "ROUTINE"),
            "description": text,
            "start": instant(day, booking.minute),
            "end": instant(day, end),
            "minutesDuration": SLOT_MINUTES,
            "created": instant(_booked_on(chart, day), OPENING_MINUTE),
            "participant": [
                {"actor": chart.subject, "status": "accepted"},
                {"actor": practitioner(person.physician), "status": "accepted"},
            ],
        },
    )


def _slot(row: int, physician: int) -> int:
    return (row * _SPREAD + physician * (_SPREAD - 2)) % SLOTS


def _spread(number: int, physicians: int, direction: int) -> Booking:
    """Return the place of the number-th patient, evenly over four weeks, then the next four."""
    rest, physician = divmod(number, physicians)
    rest, day = divmod(rest * _SPREAD % _DAYS + rest // _DAYS * _DAYS, _DAYS)
    weeks, row = divmod(rest, SLOTS)
    offset = direction * (1 + day + weeks * _DAYS)
    return Booking(offset, physician, _slot(row, physician))


def _status(chart: Chart, booking: Booking) -> str:
    chance = chart.chance("appointment status")
    if booking.offset > 0:
        return "booked"
    if booking.offset < 0:
        return chance.weighted(("fulfilled", "noshow", "cancelled"), (8, 1, 1))
    early = booking.minute < OPENING_MINUTE + 3 * SLOT_MINUTES
    return chance.weighted(("arrived", "checked-in", "booked"), (2, 1, 1)) if early else "booked"


def _booked_on(chart: Chart, day: date) -> date:
    """Return a day in the past on which the appointment was made."""
    booked = working_day(min(day, chart.person.today), -chart.chance("booked").whole(2, 15))
    return max(booked, chart.person.registered)
