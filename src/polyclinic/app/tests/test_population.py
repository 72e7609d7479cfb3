"""What modules add to the demonstration population comes out with it."""

from datetime import date

from polyclinic.app.modules import MODULES
from polyclinic.app.population import populate
from polyclinic.base.chance import Chance
from polyclinic.kernel.module import Module

TODAY = date(2026, 3, 11)


def steps(record, seed, today):
    """Add a count of steps to whoever is a patient."""
    subject = record[0]
    if subject["resourceType"] != "Patient":
        return
    yield {
        "resourceType": "Observation",
        "id": f"{subject['id']}-steps",
        "status": "final",
        "code": {"text": "Steps"},
        "subject": {"reference": f"Patient/{subject['id']}"},
        "effectiveDateTime": today.isoformat(),
        "valueInteger": Chance(seed, subject["id"], "steps").whole(500, 20_000),
    }


WEARABLES = Module(name="wearables", summary="Counts steps.", contributor=steps)


def names(resources):
    return [f"{one['resourceType']}/{one['id']}" for one in resources]


def test_a_contributor_adds_to_each_patient():
    resources = list(populate((*MODULES, WEARABLES), 1, 8, TODAY))

    patients = [name for name in names(resources) if name.startswith("Patient/")]
    added = [name for name in names(resources) if name.endswith("-steps")]
    assert len(patients) == 8
    assert added == [f"Observation/{name.removeprefix('Patient/')}-steps" for name in patients]


def test_what_is_added_refers_to_what_came_before():
    order = names(populate((*MODULES, WEARABLES), 1, 3, TODAY))

    for name in [name for name in order if name.endswith("-steps")]:
        patient = name.replace("Observation/", "Patient/").removesuffix("-steps")
        assert order.index(patient) < order.index(name)


def test_without_contributors_nothing_is_added():
    alone = [module for module in MODULES if module.population is not None]

    quiet = Module(name="quiet", summary="Adds nothing.")

    assert names(populate((*alone, quiet), 1, 3, TODAY)) == names(populate(alone, 1, 3, TODAY))


def test_the_same_arguments_add_the_same():
    modules = (*MODULES, WEARABLES)

    assert list(populate(modules, 4, 3, TODAY)) == list(populate(modules, 4, 3, TODAY))


def test_one_module_makes_the_people():
    assert sum(module.population is not None for module in MODULES) == 1
