"""A patient and an observation to ask, and how they are asked."""

from decimal import Decimal

import pytest

from polyclinic.kernel import fhirpath
from polyclinic.kernel.fhirpath import Environment, system_value
from polyclinic.kernel.types import from_json
from polyclinic.testing.clock import FixedClock

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "contained": [{"resourceType": "Organization", "id": "o1", "name": "Ward"}],
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Ada</div>'},
    "active": True,
    "name": [
        {"use": "official", "family": "Ek", "given": ["Ada", "Bo"]},
        {"use": "usual", "given": ["Ada"]},
    ],
    "gender": "female",
    "birthDate": "1974-12",
    "_birthDate": {"extension": [{"url": "http://a.example/born", "valueTime": "10:30:00"}]},
    "multipleBirthInteger": 2,
    "managingOrganization": {"reference": "#o1"},
    "generalPractitioner": [{"reference": "Practitioner/d1"}],
}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "valueQuantity": {
        "value": Decimal("72.50"),
        "unit": "kg",
        "system": "http://unitsofmeasure.org",
        "code": "kg",
    },
}
STILL = Environment(clock=FixedClock())


@pytest.fixture(params=["content", "json"])
def patient(request):
    """Return the patient as each of the kinds that an expression runs on."""
    return from_json(PATIENT) if request.param == "content" else PATIENT


@pytest.fixture(params=["content", "json"])
def observation(request):
    """Return the observation as each of the kinds that an expression runs on."""
    return from_json(OBSERVATION) if request.param == "content" else OBSERVATION


@pytest.fixture
def ask():
    """Return what evaluates an expression to plain values."""

    def ask(expression, focus=PATIENT, environment=STILL, **more):
        nodes = fhirpath.compile(expression).evaluate(focus, environment, **more)
        return [system_value(node) for node in nodes]

    return ask
