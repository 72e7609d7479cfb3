"""What can never work is refused before it runs, with the name at fault."""

import pytest

from polyclinic.kernel import fhirpath
from polyclinic.kernel.fhirpath import ExpressionSyntaxError, SemanticError


@pytest.mark.parametrize(
    ("expression", "context", "fault"),
    [
        ("name.gven", "Patient", "gven"),
        ("Patient.name.gven", None, "gven"),
        ("Observation.valueQuantity", None, "valueQuantity"),
        ("name.where(gven = 'x')", "Patient", "gven"),
        ("contact.name.text.first().length().foo", "Patient", "foo"),
        ("Encounter.status", "Patient", "Encounter"),
        ("name.upper()", "Patient", "upper"),
        ("name.nothing()", "Patient", "nothing"),
        ("name.first(1)", "Patient", "first"),
        ("iif('x', 1, 2)", None, "iif"),
        ("@2014 + 1", None, "Date"),
        ("(value as Period).unit", "Observation", "unit"),
        ("name is Naming", "Patient", "Naming"),
        ("active.is(FHIR.Boolean)", "Patient", "FHIR.Boolean"),
        ("gender", "Patient.nothing", "Patient.nothing"),
        ("gender", "../Patient", "../Patient"),
    ],
)
def test_a_mistake_is_found_when_compiling(expression, context, fault):
    with pytest.raises(SemanticError, match=fault):
        fhirpath.compile(expression, context)


@pytest.mark.parametrize(
    ("expression", "context"),
    [
        ("value.unit | value.text", "Observation"),
        ("contained.name", "Patient"),
        ("entry.resource.name.given", "Bundle"),
        ("resolve().name", "Reference"),
        ("%resource.anything", "Patient"),
        ("relationship.coding.code", "Patient.contact"),
        ("id.exists() and extension.url.exists()", "BackboneElement"),
        ("Resource.meta.profile", "Patient"),
    ],
)
def test_what_may_work_is_let_through(expression, context):
    assert fhirpath.compile(expression, context).expression == expression


def test_an_order_that_is_left_open_is_refused_when_asked_for():
    fhirpath.compile("children().first()", "Patient")

    with pytest.raises(SemanticError, match="order"):
        fhirpath.compile("children().first()", "Patient", check_order=True)


def test_as_may_filter_the_way_search_parameters_use_it():
    bundle = {
        "resourceType": "Observation",
        "component": [{"valueQuantity": {"value": 1}}, {"valueString": "x"}],
    }
    compiled = fhirpath.compile("(Observation.component.value as string)", as_filters=True)

    assert [node.value for node in compiled.evaluate(bundle)] == ["x"]


@pytest.mark.parametrize(
    "expression",
    [
        *("2147483648", "9" * 70, "1." + "9" * 70, "1." + "9" * 70 + " 'mg'"),
        *("'\\x'", "'\\ud800'"),
        "",
        "name.",
        "1 +",
        "(1",
        "'a",
        "`a",
        "@2014-13",
        "@2014-02-30",
        "$that",
        "{1}",
        "a b",
        "/* x",
    ],
)
def test_what_is_no_expression_is_refused(expression):
    with pytest.raises(ExpressionSyntaxError):
        fhirpath.compile(expression)


def test_the_last_expressions_stay_compiled():
    assert fhirpath.compile("name.given") is fhirpath.compile("name.given")
