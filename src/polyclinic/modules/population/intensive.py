"""Intensive care: what a monitor and a ventilator write down, hour by hour."""

from collections.abc import Callable
from datetime import date
from typing import Final

from polyclinic.modules.population import vitals
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.dates import instant
from polyclinic.modules.population.model import Person, Visit
from polyclinic.modules.population.organizations import practitioner
from polyclinic.modules.population.tables import table

_HOURS: Final = 24
_SLOW: Final = 4  # hours between temperatures and coma scales
_BEDS: Final = 3
_HOURLY: Final = ("heart_rate", "respiratory_rate", "oxygen_saturation", "systolic", "diastolic")
# Generator parameters, not a clinical reference.
_ROOM_AIR: Final = 21.0
_VENTILATED: Final = 3.0
_URINE: Final = 62.0
_LEAST_URINE: Final = 12.0


def watch(chart: Chart, visit: Visit, day: date, signs: Callable[[int], dict[str, float]]) -> None:
    """Add a day of hourly vital signs; `signs` gives those of an hour, 0 to 23."""
    chance = chart.chance(f"intensive {day.isoformat()}")
    first = visit.minute // 60 + 1 if day == visit.day else 0
    for hour in range(first, _HOURS):
        values = signs(hour)
        shown: dict[str, float] = {key: values[key] for key in _HOURLY if key in values}
        # Oxygen is turned up until the saturation is where it should be.
        lacking = max(0.0, 94.0 - values["oxygen_saturation"])
        raised = round((_ROOM_AIR + 4.0 * lacking) / 5) * 5.0
        shown["inspired_oxygen"] = raised if lacking else _ROOM_AIR
        shown["oxygen_saturation"] = min(100.0, values["oxygen_saturation"] + 0.8 * lacking)
        if lacking > _VENTILATED:
            shown["end_pressure"] = 5.0 + round(lacking / 3)
        shock = max(0.0, 110.0 - values.get("systolic", 120.0))
        shown["urine_output"] = max(_LEAST_URINE, chance.normal(_URINE - shock, 9.0))
        if hour % _SLOW == 0:
            shown["temperature"] = values["temperature"]
            shown["coma_scale"] = max(9.0, 15.0 - round(shock / 15))
        vitals.record(chart, _hour(visit, day, hour, bed_of(chart.person)), shown)


def bed_of(person: Person) -> int:
    """Return the bed that a person has in intensive care."""
    return 1 + person.index % _BEDS


def _hour(visit: Visit, day: date, hour: int, bed: int) -> Visit:
    return Visit(
        day,
        60 * hour,
        "inpatient",
        encounter=visit.encounter,
        performer=practitioner(table("staff")["intensive_nurse"]),
        start=instant(day, 60 * hour),
        device={"reference": f"Device/dev-pressure-{bed}", "display": f"Monitor, bed {bed}"},
    )
