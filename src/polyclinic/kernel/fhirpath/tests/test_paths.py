"""Paths through FHIR's types, whether a resource or its JSON is asked."""

from typing import Any

import pytest

from polyclinic.kernel import fhirpath
from polyclinic.kernel.fhirpath import LimitExceeded
from polyclinic.kernel.types import from_json


def names(nodes):
    return [node.type.name for node in nodes]


def test_a_path_keeps_order_and_repetitions(ask, patient):
    assert ask("Patient.name.given", patient) == ["Ada", "Bo", "Ada"]


def test_a_choice_is_named_without_its_type(ask, patient):
    assert ask("multipleBirth", patient) == [2]


def test_the_type_of_a_choice_is_known(observation):
    nodes = fhirpath.compile("value").evaluate(observation)

    assert names(nodes) == ["Quantity"]


def test_the_extensions_of_a_primitive_are_below_it(ask, patient):
    assert [str(time) for time in ask("birthDate.extension.value", patient)] == ["10:30:00"]


@pytest.mark.parametrize(
    "expression", ["contained.telecom.absent", "contained.absent", "contained.contact.name.absent"]
)
def test_an_element_that_a_contained_resource_does_not_know_is_not_there(expression):
    ward = {
        "resourceType": "Organization",
        "telecom": [{"value": "1"}],
        "contact": [{"name": {"family": "Meier"}}],
    }
    resource = from_json({"resourceType": "Patient", "id": "p", "contained": [ward]})

    assert fhirpath.compile(expression).evaluate(resource) == []


def test_a_contained_resource_has_its_own_type(patient):
    nodes = fhirpath.compile("contained").evaluate(patient)

    assert names(nodes) == ["Organization"]


def test_a_path_of_another_type_gives_nothing(ask, patient):
    assert ask("Encounter.status", patient) == []


@pytest.mark.parametrize("path", ["meta.nothing", "name.nothing.name", "contact.name.nothing"])
def test_a_path_through_what_a_type_does_not_have_gives_nothing(ask, patient, path):
    assert ask(path, patient) == []


def test_a_long_path_goes_through_more_loops_than_python_nests(ask):
    item: dict[str, Any] = {"linkId": "end"}
    for depth in range(24):
        item = {"linkId": str(depth), "item": [item]}
    form = {"resourceType": "Questionnaire", "id": "q", "status": "draft", "item": [item]}

    assert ask("Questionnaire" + ".item" * 25 + ".linkId", form) == ["end"]


def test_an_element_is_asked_with_its_resource(patient):
    name = fhirpath.compile("name").evaluate(patient)[0]

    found = fhirpath.compile("%resource.id & %context.use").evaluate(name, resource=patient)

    assert [node.value for node in found] == ["p1official"]


def test_children_stand_in_the_order_of_the_definition(patient):
    nodes = fhirpath.compile("name.first().children()").evaluate(patient)

    assert [node.value for node in nodes] == ["official", "Ek", "Ada", "Bo"]


def test_decimals_keep_their_digits(ask, observation):
    assert ask("value.value.toString()", observation) == ["72.50"]


@pytest.mark.parametrize(
    "content",
    [
        {"resourceType": "Patient", "name": "text", "birthDate": {"a": 1}, "_active": [1]},
        {"resourceType": "Patient", "name": [None, "x", {"given": {"a": "b"}}], "contained": [{}]},
        {"resourceType": "Patient", "contained": [{"resourceType": "../x"}], "extension": 3},
        {"resourceType": "Patient", "active": "true", "birthDate": 1974, "_birthDate": "x"},
        {"resourceType": "Patient", "extension": [{"valueDecimal": "1", "valueInteger": True}]},
        {"resourceType": "Patient", "extension": [{"valueDecimal": float("nan")}]},
    ],
)
def test_json_of_another_shape_is_passed_over(ask, content):
    assert ask("name.given | birthDate | active | contained.id | extension.value", content) == []


def test_a_quantity_of_another_shape_has_no_value(ask):
    wrong = {"value": "1", "code": {"a": 1}, "unit": 3, "system": []}
    content = {"resourceType": "Observation", "valueQuantity": wrong}

    assert ask("(value > 1 'mg') | (value + 1 'mg') | value.value | value.unit", content) == []


def test_json_that_nests_too_deep_is_refused(ask):
    nested: dict[str, Any] = {}
    for _ in range(5_000):
        nested = {"extension": [nested]}

    with pytest.raises(LimitExceeded):
        ask(
            "(extension | extension).count()",
            {"resourceType": "Patient", **nested, "name": [nested]},
        )


def test_what_is_no_resource_cannot_be_asked():
    compiled = fhirpath.compile("id")

    with pytest.raises(ValueError, match="no resource"):
        compiled.evaluate({"resourceType": "Nothing"})
