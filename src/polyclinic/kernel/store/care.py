"""Who cares for whom, by encounters, care teams, appointments and a patient's own practitioner.

A relation lasts as long as what it comes from, and 30 days more for what is written afterwards. It
is written with the resource, in the same statement, so that nobody waits for it.
"""

from typing import Final, NamedTuple

from polyclinic.kernel.search.index_values import DATE_MAX, DATE_MIN, IndexValues
from polyclinic.kernel.store.placement import Place
from polyclinic.kernel.types import type_number

AFTERWARDS: Final = 30 * 24 * 3600 * 1_000_000
"""Microseconds that a relation lasts beyond its end."""

_STAFF: Final = frozenset({"Practitioner", "PractitionerRole"})


class _Source(NamedTuple):
    """How one type of resource relates staff and patients."""

    staff: frozenset[str]
    """Its search parameters that name them."""
    ended: frozenset[str]
    """Codes of its status under which there is no relation."""


_SOURCES: Final = {
    "Encounter": _Source(
        frozenset({"participant"}), frozenset({"cancelled", "entered-in-error", "unknown"})
    ),
    "CareTeam": _Source(
        frozenset({"participant"}),
        frozenset({"proposed", "suspended", "inactive", "entered-in-error"}),
    ),
    "Appointment": _Source(
        frozenset({"actor"}), frozenset({"cancelled", "noshow", "entered-in-error"})
    ),
    "Patient": _Source(frozenset({"general-practitioner"}), frozenset()),
}


class Relation(NamedTuple):
    """One member of staff and one patient, from low to high, microseconds since 1970."""

    staff: Place
    patient: str
    low: int
    high: int


def relations(values: IndexValues) -> list[Relation]:
    """Return the care relations that a resource makes."""
    source = _SOURCES.get(values.resource_type)
    if source is None or not values.patients:
        return []
    status = {token.code for token in values.tokens if token.param == "status"}
    if not status.isdisjoint(source.ended):
        return []
    staff = {
        (type_number(reference.target), reference.id)
        for reference in values.references
        if reference.param in source.staff and reference.target in _STAFF
    }
    if not staff:
        return []
    low, high = _period(values)
    return [
        Relation(member, patient, low, high)
        for member in sorted(staff)
        for patient in values.patients
    ]


def _period(values: IndexValues) -> tuple[int, int]:
    """Return from when until when; an appointment's relation begins when it is made."""
    dates = [date for date in values.dates if date.param == "date"]
    if not dates or values.resource_type == "Patient":
        return DATE_MIN, DATE_MAX
    low = DATE_MIN if values.resource_type == "Appointment" else min(date.low for date in dates)
    high = max(date.high for date in dates)
    return low, high if high >= DATE_MAX - AFTERWARDS else high + AFTERWARDS
