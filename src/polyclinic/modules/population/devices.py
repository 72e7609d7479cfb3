"""Devices that patients have, and the implants among them.

http://hl7.org/fhir/R4/device.html; implants follow
http://hl7.org/fhir/us/core/StructureDefinition/us-core-implantable-device.
"""

from datetime import date, timedelta
from typing import Any, Final

from polyclinic.modules.population.chart import Chart, Reference, Resource
from polyclinic.modules.population.coding import SNOMED, concept
from polyclinic.modules.population.dates import DAYS_PER_YEAR, instant, last_working_day
from polyclinic.modules.population.encounters import open_visit
from polyclinic.modules.population.model import Visit
from polyclinic.modules.population.procedures import perform
from polyclinic.modules.population.tables import table

_IDENTIFIER: Final = "09504000059118"
_ISSUER: Final = "http://hl7.org/fhir/NamingSystem/gs1-di"
_SHELF_YEARS: Final = 4
_MORNING: Final = 8 * 60


def write_devices(chart: Chart) -> None:
    """Add the devices that fit a person's conditions."""
    chance = chart.chance("devices")
    for key, row in table("devices")["rows"].items():
        reasons = [reason for reason in row["for"] if reason in chart.problems]
        if not reasons or not chance.happens(row["share"]):
            continue
        if row.get("implant"):
            _implant(chart, row, chart.problems[reasons[0]])
        else:
            add_device(chart, key)


def add_device(chart: Chart, key: str) -> None:
    """Add a device of the table that a person uses at home."""
    chart.add("Device", _frame(chart, table("devices")["rows"][key]))


def _implant(chart: Chart, row: dict[str, Any], reason: Reference) -> None:
    """Add an implant and the procedure, on a day within the record."""
    chance = chart.chance(f"implant {row['name']}")
    person = chart.person
    record = (person.end - person.registered).days
    day = last_working_day(person.registered + timedelta(days=chance.whole(30, max(31, record))))
    if not person.registered <= day < person.end:
        return
    visit = Visit(day, _MORNING, "day_surgery", "implantation of a pacemaker")
    open_visit(chart, visit)
    perform(chart, visit, "pacemaker", reason)
    chart.add("Device", _frame(chart, row) | implant_details(chart, day))


def implant_details(chart: Chart, day: date) -> Resource:
    """Return the unique device identifier and what it is made of, for an implant of a day."""
    chance = chart.chance("implant identifier")
    made = day - timedelta(days=chance.whole(40, 300))
    expires = made + timedelta(days=round(_SHELF_YEARS * DAYS_PER_YEAR))
    lot, serial = f"L{chance.whole(1000, 9999)}", f"{chance.whole(10**7, 10**8 - 1)}"
    carrier = f"(01){_IDENTIFIER}(17){expires:%y%m%d}(10){lot}(21){serial}"
    return {
        "udiCarrier": [{"deviceIdentifier": _IDENTIFIER, "issuer": _ISSUER, "carrierHRF": carrier}],
        "manufactureDate": instant(made, 0),
        "expirationDate": instant(expires, 0),
        "lotNumber": lot,
        "serialNumber": serial,
    }


def _frame(chart: Chart, row: dict[str, Any]) -> Resource:
    return {
        "status": "active",
        "deviceName": [{"name": row["name"], "type": "user-friendly-name"}],
        "type": concept(SNOMED, *row["type"]),
        "patient": chart.subject,
    }
