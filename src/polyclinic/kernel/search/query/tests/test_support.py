"""What each parameter takes, as documented and as understood."""

import pytest

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.parameters import SearchParameter, parameters
from polyclinic.kernel.search.query import (
    UNSUPPORTED,
    Support,
    parse_query,
    support,
    supported_parameters,
)
from polyclinic.kernel.search.query.filter_syntax import OPERATORS
from polyclinic.kernel.search.query.support import TYPE_MODIFIER
from polyclinic.kernel.types import RESOURCE_TYPES

MODIFIERS = (
    "missing",
    "exact",
    "contains",
    "not",
    "text",
    "in",
    "not-in",
    "above",
    "below",
    "of-type",
    "identifier",
    "iterate",
)
"""https://hl7.org/fhir/R4/valueset-search-modifier-code.html, but the names of types."""
VALUES = {
    "token": "true",
    "reference": "a",
    "string": "a",
    "date": "2020",
    "number": "5",
    "quantity": "5",
    "uri": "http://a/b",
    "special": "1|1",
}
AS_MODIFIER = {"missing": "true", "of-type": "a|b|c"}
AS_OPERATOR = {"pr": "true", "re": "a"}
TYPES = [name for name in RESOURCE_TYPES if name != "AuditEvent"]


def sample(param: SearchParameter) -> str:
    if param.type == "composite":
        return "$".join(VALUES[kind] for _, kind in param.components)
    return VALUES[param.type]


def is_understood(resource_type: str, name: str, value: str) -> bool:
    try:
        query, ignored = parse_query(resource_type, [(name, value)], "https://clinic.example/fhir")
    except BadRequest:
        return False
    return not ignored and len(query.where.parts) == 1


@pytest.mark.parametrize("resource_type", TYPES)
def test_every_parameter_of_every_type_is_understood(resource_type: str):
    not_understood = [
        code
        for code, param in parameters(resource_type).items()
        if not is_understood(resource_type, code, sample(param))
    ]

    assert not_understood == []
    assert {param.code for param in supported_parameters(resource_type)} == {
        *parameters(resource_type)
    }


@pytest.mark.parametrize("resource_type", TYPES)
def test_a_modifier_is_understood_exactly_where_it_is_documented(resource_type: str):
    wrong = [
        f"{code}:{modifier}"
        for code, param in parameters(resource_type).items()
        for modifier in MODIFIERS
        if is_understood(
            resource_type, f"{code}:{modifier}", AS_MODIFIER.get(modifier, sample(param))
        )
        != (modifier in support(param).modifiers)
    ]

    assert wrong == []


@pytest.mark.parametrize("resource_type", ["Patient", "Observation", "Location", "ValueSet"])
def test_an_operator_is_understood_exactly_where_it_is_documented(resource_type: str):
    wrong = [
        f"{code} {operator}"
        for code, param in parameters(resource_type).items()
        for operator in sorted(OPERATORS)
        if is_understood(
            resource_type,
            "_filter",
            f"{code} {operator} {AS_OPERATOR.get(operator, sample(param))}",
        )
        != (operator in support(param).operators)
    ]

    assert wrong == []


def test_a_type_is_a_modifier_of_each_reference_to_it():
    params = parameters("Observation")

    named = {
        code
        for code, param in params.items()
        if is_understood("Observation", f"{code}:Patient", "a")
    }

    assert named == {
        code
        for code, param in params.items()
        if TYPE_MODIFIER in support(param).modifiers and "Patient" in param.targets
    }


@pytest.mark.parametrize("resource_type", ["Patient", "Observation", "Location", "MeasureReport"])
def test_what_is_sorted_and_included_is_what_is_documented(resource_type: str):
    def is_taken(name: str, value: str) -> bool:
        try:
            parse_query(resource_type, [(name, value)], "https://clinic.example/fhir")
        except BadRequest:
            return False
        return True

    params = parameters(resource_type).values()

    assert [is_taken("_sort", param.code) for param in params] == [
        support(param).sortable for param in params
    ]
    assert [is_taken("_include", f"{resource_type}:{param.code}") for param in params] == [
        support(param).chainable for param in params
    ]


def test_the_support_of_some_parameters():
    patient = parameters("Patient")

    assert support(patient["birthdate"]) == Support(
        modifiers=("missing",),
        prefixes=("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"),
        operators=("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap", "co", "po", "pr"),
        sortable=True,
        chainable=False,
    )
    assert support(patient["identifier"]).modifiers == ("missing", "not", "text", "of-type")


def test_what_is_not_supported_has_a_reason():
    assert all(len(reason) > 20 for reason in UNSUPPORTED.values())
