"""The look at the tables that other tests trust sees what is missing or too much."""

import pytest

from polyclinic.kernel.types import from_json

OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "code": {"coding": [{"system": "urn:c", "code": "1"}]},
    "subject": {"reference": "Patient/p"},
    "effectiveDateTime": "2020-01-01",
    "valueQuantity": {"value": 1, "code": "mg", "system": "urn:u"},
}


@pytest.fixture
async def observation(store, job):
    await store.update(job, from_json(OBSERVATION))
    for family in ("Amani", "Zuri"):
        patient = {
            "resourceType": "Patient",
            "id": "p",
            "name": [{"family": family}],
            "generalPractitioner": [{"reference": "Practitioner/d"}],
        }
        await store.update(job, from_json(patient))


@pytest.mark.usefixtures("observation")
async def test_what_is_in_order_has_no_faults(table_faults):
    assert await table_faults() == []


@pytest.mark.usefixtures("observation")
@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("update keys set keys = keys[2:] where tenant = $1", "keys lacks"),
        ("delete from edge where tenant = $1", "edges lacks"),
        ("update string_value set value = 'x' where tenant = $1", "strings has"),
        ("delete from date_value where tenant = $1", "dates lacks"),
        ("update number_value set low = 0 where tenant = $1", "numbers has"),
        ("delete from version where tenant = $1", "version lacks"),
        ("delete from audit where tenant = $1", "audit lacks"),
        ("delete from type_count where tenant = $1", "counts lacks"),
        ("update resource set labels = '{5}' where tenant = $1", "labels has"),
        ("delete from care_relation where tenant = $1", "care lacks"),
        ("update resource set patients = '{}' where tenant = $1", "patients of"),
    ],
)
async def test_damage_is_seen(clinic, owner, table_faults, damage, named):
    await owner.execute(damage, clinic.tenant.number)

    assert any(fault.startswith(named) for fault in await table_faults())
