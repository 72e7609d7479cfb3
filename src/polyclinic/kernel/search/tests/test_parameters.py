"""The tables of search parameters against the types that they lead through."""

from collections.abc import Iterator

import pytest

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.parameters import (
    COMPARTMENTS,
    Path,
    compartment_parameters,
    in_compartments,
    parameters,
)
from polyclinic.kernel.types import RESOURCE_TYPES, type_definition


def _astray(start: str, path: Path) -> Iterator[str]:
    """Yield each step that the types do not have, or whose cardinality is another."""
    context = start
    for step in path.steps:
        properties = type_definition(context).properties
        if step.name not in properties:
            yield f"{context}.{step.name}"
            return
        if properties[step.name].element.many != step.many:
            yield f"{context}.{step.name} many"
        context = properties[step.name].type
    if context not in {path.type, "SimpleQuantity"}:
        yield f"{start}: {context} is not {path.type}"


def test_every_path_of_every_parameter_exists_in_the_types():
    astray = [
        fault
        for name in RESOURCE_TYPES
        for parameter in parameters(name).values()
        for path in parameter.paths
        for fault in _astray(name, path)
    ]

    assert astray == []


def test_every_path_of_every_component_exists_in_the_types():
    astray = [
        fault
        for name in RESOURCE_TYPES
        for parameter in parameters(name).values()
        for element, components in zip(parameter.paths, parameter.composites, strict=False)
        for component in components
        for path in component.paths
        for fault in _astray(name if component.from_resource else element.type, path)
    ]

    assert astray == []


def test_only_words_have_no_path():
    without = {
        code
        for name in RESOURCE_TYPES
        for code, parameter in parameters(name).items()
        if not parameter.paths
    }

    assert without == {"_text", "_content"}


def test_r4_has_1377_definitions_of_search_parameters_and_one_is_no_element():
    urls = {parameter.url for name in RESOURCE_TYPES for parameter in parameters(name).values()}

    assert len(urls) == 1376


def test_a_parameter_has_its_type_targets_and_definition():
    subject = parameters("Observation")["subject"]

    assert subject.type == "reference"
    assert subject.targets == ("Device", "Group", "Location", "Patient")
    assert subject.url == "http://hl7.org/fhir/SearchParameter/Observation-subject"
    assert subject.expression == "Observation.subject"


def test_patient_shares_the_keys_of_subject_and_refers_to_patients_only():
    patient = parameters("Observation")["patient"]

    assert patient.keyed_as == "subject"
    assert patient.targets == ("Patient",)


def test_a_reference_to_anything_has_every_type_as_target():
    assert parameters("Observation")["focus"].targets == tuple(RESOURCE_TYPES)


def test_the_components_of_a_composite_stand_in_order():
    composite = parameters("Observation")["code-value-quantity"]

    assert composite.components == (("code", "token"), ("value-quantity", "quantity"))


def test_the_swapped_components_of_document_relationships_are_put_right():
    composite = parameters("DocumentReference")["relationship"]

    assert composite.components == (("relation", "token"), ("relatesto", "reference"))


def test_a_bundle_has_no_narrative_to_search():
    assert "_text" not in parameters("Bundle")
    assert "_text" in parameters("Patient")


def test_the_compartment_is_data():
    assert compartment_parameters("Observation") == {"subject", "performer"}
    assert compartment_parameters("Location") == frozenset()


@pytest.mark.parametrize(
    ("owner", "codes"),
    [
        ("Encounter", {"encounter"}),
        ("Practitioner", {"performer"}),
        ("RelatedPerson", {"performer"}),
        ("Device", {"subject", "device"}),
    ],
)
def test_a_compartment_of_each_owner_takes_observations(owner: str, codes: set[str]):
    assert compartment_parameters("Observation", owner) == codes


@pytest.mark.parametrize("owner", COMPARTMENTS)
def test_an_owner_is_in_its_own_compartment_and_an_endpoint_in_none(owner: str):
    assert in_compartments(owner, owner)
    assert not in_compartments("Endpoint", owner)


def test_each_compartment_parameter_is_a_reference():
    kinds = {
        parameters(name)[code].type
        for owner in COMPARTMENTS
        for name in RESOURCE_TYPES
        for code in compartment_parameters(name, owner)
    }

    assert kinds == {"reference"}


@pytest.mark.parametrize("name", ["Resource", "DomainResource", "patient", ""])
def test_what_is_no_resource_type_is_refused(name: str):
    with pytest.raises(BadRequest):
        parameters(name)
