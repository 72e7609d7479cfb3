"""The made up population fits US Core 6.1.0: cardinality, patterns, slices and invariants.

https://hl7.org/fhir/us/core/STU6.1. Invariants are evaluated by our own FHIRPath. The definitions
are read from the published package; bindings, which need a terminology server, are left out.
"""

import json
import tarfile
from datetime import date

import pytest

from polyclinic.kernel import fhirpath
from polyclinic.modules.population.generate import generate

PACKAGE = "conformance/us-core/us_core_6.1.0.tgz"
SIZE = 40
BY_CODE = {
    "72166-2": "smokingstatus",
    "11341-5": "observation-occupation",
    "82810-3": "observation-pregnancystatus",
    "85354-9": "blood-pressure",
    "8867-4": "heart-rate",
    "9279-1": "respiratory-rate",
    "8310-5": "body-temperature",
    "59408-5": "pulse-oximetry",
    "8302-2": "body-height",
    "29463-7": "body-weight",
    "39156-5": "bmi",
    "9843-4": "head-circumference",
}
UNSPOKEN = {"CarePlan.text.div"}  # div is an operator in FHIRPath
SLOW = {"ele-1", "ext-1", "dom-3"}  # of every element; the types see to them
PREFIX = "package/StructureDefinition-us-core-"
BY_TYPE = {
    "AllergyIntolerance": "allergyintolerance",
    "CarePlan": "careplan",
    "CareTeam": "careteam",
    "DocumentReference": "documentreference",
    "Encounter": "encounter",
    "Goal": "goal",
    "Immunization": "immunization",
    "Location": "location",
    "MedicationRequest": "medicationrequest",
    "Organization": "organization",
    "Patient": "patient",
    "Practitioner": "practitioner",
    "PractitionerRole": "practitionerrole",
    "Procedure": "procedure",
    "QuestionnaireResponse": "questionnaireresponse",
    "RelatedPerson": "relatedperson",
    "ServiceRequest": "servicerequest",
}

pytestmark = pytest.mark.conformance


def profile_of(resource):
    """Return the name of the US Core profile that a resource ought to fit, if there is one."""
    kind = resource["resourceType"]
    categories = {
        coding["code"]
        for concept in resource.get("category", [])
        if isinstance(concept, dict)
        for coding in concept.get("coding", [])
    }
    if kind == "Condition":
        problem = "problem-list-item" in categories
        return "condition-problems-health-concerns" if problem else "condition-encounter-diagnosis"
    if kind == "DiagnosticReport":
        return "diagnosticreport-lab" if "LAB" in categories else "diagnosticreport-note"
    if kind == "Device":
        return "implantable-device" if "udiCarrier" in resource else None
    if kind == "Observation":
        return observation_profile(resource, categories)
    return BY_TYPE.get(kind)


def observation_profile(resource, categories):
    for coding in resource["code"]["coding"]:
        if coding["code"] in BY_CODE:
            return BY_CODE[coding["code"]]
    for category, profile in (
        ("laboratory", "observation-lab"),
        ("survey", "observation-screening-assessment"),
    ):
        if category in categories:
            return profile
    return None if "vital-signs" in categories else "observation-clinical-result"


@pytest.fixture(scope="module")
def definitions(shared):
    """The elements of each profile, by name."""
    with tarfile.open(shared / PACKAGE) as package:
        files = {
            member.name.removeprefix(PREFIX).removesuffix(".json"): package.extractfile(member)
            for member in package
            if member.name.startswith(PREFIX)
        }
        return {name: json.load(file)["snapshot"]["element"] for name, file in files.items()}


def values_at(node, steps):
    """Return the values at a path; a step `value[x]` stands for any of the choice."""
    nodes = [node]
    for step in steps:
        found = []
        for one in nodes:
            keys = [step]
            if step.endswith("[x]"):
                keys = [key for key in one if key.startswith(step[:-3])]
            for key in keys:
                value = one.get(key) if isinstance(one, dict) else None
                found += value if isinstance(value, list) else [] if value is None else [value]
        nodes = found
    return nodes


def pattern_of(element):
    for key, value in element.items():
        if key.startswith(("pattern", "fixed")):
            return value
    return None


def holds(value, pattern):
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key in value and holds(value[key], inner) for key, inner in pattern.items()
        )
    if isinstance(pattern, list):
        return all(any(holds(one, inner) for one in value) for inner in pattern)
    return value == pattern


def in_slice(item, elements, sliced):
    """Say whether an item is of a slice: it holds the patterns of the slice and of its parts."""
    for element in elements:
        if element["id"] == sliced["id"]:
            steps = []
        elif element["id"].startswith(sliced["id"] + "."):
            rest = element["id"][len(sliced["id"]) + 1 :]
            if ":" in rest:
                continue
            steps = rest.split(".")
        else:
            continue
        pattern = pattern_of(element)
        if pattern is None:
            continue
        found = values_at(item, steps) if steps else [item]
        if not any(holds(value, pattern) for value in found):
            return False
    return True


def faults(resource, definitions):
    """Return what a resource lacks of its profile."""
    name = profile_of(resource)
    if name is None:
        return []
    elements = definitions[name]
    found = []
    for element in elements[1:]:
        steps = element["path"].split(".")[1:]
        parents, last = values_at(resource, steps[:-1]), steps[-1]
        if "sliceName" in element and element["id"].count(":") == 1:
            if element["min"] and not last.endswith("[x]") and last != "extension":
                found += [
                    f"{name}: no {element['id']}"
                    for parent in parents
                    if not any(
                        in_slice(item, elements, element) for item in values_at(parent, [last])
                    )
                ]
        elif ":" not in element["id"]:
            pattern = pattern_of(element)
            for parent in parents:
                values = values_at(parent, [last]) if isinstance(parent, dict) else [parent]
                if len(values) < element["min"]:
                    found.append(f"{name}: no {element['id']}")
                found += [
                    f"{name}: {element['id']} is another"
                    for value in values
                    if pattern is not None and not holds(value, pattern)
                ]
    return found


def broken_invariants(resource, definitions):
    """Return the invariants of its profile, and of the base, that a resource does not keep."""
    broken = []
    for element in definitions.get(profile_of(resource), ()):
        path = element["path"].removesuffix("[x]")
        if ":" in element["id"] or path in UNSPOKEN:
            continue
        wanted = [
            (one["key"], one["expression"])
            for one in element.get("constraint", [])
            if one["severity"] == "error" and one["key"] not in SLOW
        ]
        if wanted:
            nodes = fhirpath.compile(path).evaluate(resource)
            broken += [
                f"{path} {key}"
                for key, expression in wanted
                for node in nodes
                if fhirpath.compile(expression).holds(node, resource=resource) is False
            ]
    return broken


@pytest.fixture(scope="module")
def population():
    return list(generate(seed=1, size=SIZE, today=date(2026, 3, 11)))


def test_every_resource_has_what_its_profile_asks_for(population, definitions):
    found = {fault for resource in population for fault in faults(resource, definitions)}

    assert found == set()


def test_no_invariant_of_a_profile_is_broken(population, definitions):
    found = {
        broken for resource in population for broken in broken_invariants(resource, definitions)
    }

    assert found == set()


def test_an_order_without_who_asks_would_be_noticed(population, definitions):
    order = next(row for row in population if row["resourceType"] == "MedicationRequest")
    unasked = {key: value for key, value in order.items() if key != "requester"}

    assert "MedicationRequest us-core-21" in broken_invariants(unasked, definitions)


def test_a_blood_pressure_without_its_diastolic_part_would_be_noticed(population, definitions):
    pressure = next(row for row in population if profile_of(row) == "blood-pressure")

    assert faults(pressure | {"component": pressure["component"][:1]}, definitions)


def test_most_resources_are_held_against_a_profile(population):
    without = {row["resourceType"] for row in population if profile_of(row) is None}

    assert without == {
        "Appointment",
        "Device",
        "FamilyMemberHistory",
        "ImagingStudy",
        "MedicationAdministration",
        "Observation",
        "Questionnaire",
        "Schedule",
        "Slot",
    }
