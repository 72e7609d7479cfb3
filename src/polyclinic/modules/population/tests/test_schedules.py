"""The diary of the clinic: schedules, slots and the appointments in them."""

from datetime import date

import pytest

from polyclinic.modules.population.generate import generate
from polyclinic.modules.population.schedules import horizon


def of_type(population, resource_type):
    return {row["id"]: row for row in population if row["resourceType"] == resource_type}


def test_every_slot_is_of_a_schedule_of_the_clinic(population):
    schedules = of_type(population, "Schedule")
    slots = of_type(population, "Slot").values()

    assert {row["schedule"]["reference"].split("/")[1] for row in slots} == set(schedules)


def test_an_appointment_takes_a_slot_at_its_time(population):
    slots = of_type(population, "Slot")
    booked = [row for row in of_type(population, "Appointment").values() if "slot" in row]
    taken = [slots[row["slot"][0]["reference"].split("/")[1]] for row in booked]

    assert booked
    assert [row["start"] for row in booked] == [slot["start"] for slot in taken]
    assert {slot["status"] for slot in taken} == {"busy"}


def test_a_cancelled_appointment_gives_its_slot_back(population):
    cancelled = [
        row for row in of_type(population, "Appointment").values() if row["status"] == "cancelled"
    ]

    assert cancelled
    assert all("slot" not in row for row in cancelled)


def test_slots_of_the_next_two_weeks_are_free_or_busy_and_never_both(population, today):
    places = [
        (row["schedule"]["reference"], row["start"]) for row in of_type(population, "Slot").values()
    ]
    free = [row for row in of_type(population, "Slot").values() if row["status"] == "free"]

    assert len(places) == len(set(places))
    assert min(row["start"][:10] for row in free) == today.isoformat()


@pytest.mark.parametrize("today", [date(2026, 3, 14), date(2026, 3, 15)])
def test_at_the_weekend_the_diary_begins_on_monday(today):
    assert horizon(today)[0] == date(2026, 3, 16)
    assert all(day.weekday() < 5 for day in horizon(today))


@pytest.mark.parametrize("today", [date(2026, 3, 14), date(2024, 2, 29), date(2025, 12, 31)])
def test_any_day_can_be_today(today):
    names = [f"{row['resourceType']}/{row['id']}" for row in generate(1, 20, today)]

    assert len(names) == len(set(names))
