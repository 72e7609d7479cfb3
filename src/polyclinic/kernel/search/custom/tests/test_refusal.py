"""What searches cannot use is refused: all faults at once, each with its element."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.errors import InvalidResource
from polyclinic.kernel.search.custom.refusal import definition_of
from polyclinic.kernel.types import from_json

R4 = "http://hl7.org/fhir/SearchParameter/"


def define(**changes):
    body = {
        "resourceType": "SearchParameter",
        "id": "one",
        "url": "urn:one",
        "name": "One",
        "status": "active",
        "description": "Of this test",
        "code": "one",
        "base": ["Patient"],
        "type": "token",
        "expression": "Patient.maritalStatus",
    }
    kept = {name: value for name, value in (body | changes).items() if value is not None}
    return definition_of(from_json(kept), {})


def refused(**changes):
    with pytest.raises(InvalidResource) as error:
        define(**changes)
    return {str(one.expression).removeprefix("SearchParameter."): one for one in error.value.issues}


def composite(*parts, **changes):
    component = [{"definition": R4 + name, "expression": expression} for name, expression in parts]
    expression = "Patient.contact"
    return {"type": "composite", "component": component, "expression": expression} | changes


@pytest.mark.parametrize(
    ("changes", "element", "words"),
    [
        ({"expression": None}, "expression", "no expression"),
        ({"expression": "Patient.name("}, "expression", "character"),
        ({"expression": "Patient.wrong"}, "expression", "no element wrong"),
        ({"expression": "Patient.name"}, "expression", "gives HumanName"),
        ({"expression": "Observation.code"}, "expression", "cannot stand here"),
        ({"expression": "Patient.birthDate > now()"}, "expression", "now()"),
        ({"type": "special"}, "type", "token, reference"),
        ({"type": "date"}, "expression", "a date is made of"),
        ({"code": "birthdate"}, "code", "in R4"),
        ({"code": "_own"}, "code", "letter"),
        ({"code": "a:b"}, "code", "letter"),
        ({"code": "x" * 65}, "code", "63"),
        ({"base": ["AuditEvent"]}, "base", "audit rows"),
        ({"base": ["Patient", "Patient"]}, "base", "twice"),
        ({"xpathUsage": "nearby"}, "xpathUsage", "normal"),
        ({"target": ["Patient"]}, "target", "no targets"),
        (
            {"component": [{"definition": R4 + "x", "expression": "y"}]},
            "component",
            "no components",
        ),
        (composite(("Patient-language", "relationship")), "component", "2 to 4"),
        (
            composite(("Patient-language", "relationship"), ("individual-birthdate", "period")),
            "component[1].definition",
            "birthdate is a date",
        ),
        (
            composite(("Patient-language", "relationship"), ("absent", "period")),
            "component[1].definition",
            "no parameter of Patient",
        ),
        (
            composite(("Patient-language", "relationship("), ("Patient-language", "gender")),
            "component[0].expression",
            "cannot be used",
        ),
    ],
)
def test_what_cannot_be_used_is_named_with_its_element(changes, element, words):
    assert words in refused(**changes)[element].diagnostics


def test_all_faults_are_named_at_once():
    found = refused(code="name", type="special", expression="Patient.wrong", xpathUsage="other")

    assert set(found) == {"code", "type", "expression", "xpathUsage"}


@pytest.mark.parametrize("status", ["draft", "retired", "unknown"])
def test_what_is_not_active_is_not_looked_at(status):
    assert define(status=status, expression="Patient.(", type="special") is None


def test_a_definition_of_r4_itself_defines_nothing_more():
    assert define(url=R4 + "individual-birthdate", code="birthdate", type="date") is None


@pytest.mark.parametrize(
    ("kind", "expression", "gives"),
    [
        ("token", "Patient.maritalStatus", ("CodeableConcept",)),
        ("token", "Patient.name.exists()", ("boolean",)),
        ("token", "Patient.telecom", ("string",)),
        ("string", "Patient.name | Patient.address", ("Address", "HumanName")),
        ("number", "Patient.name.count()", ("integer",)),
        ("reference", "Patient.link.other", ("Reference",)),
        ("date", "Patient.contact.period | Patient.birthDate", ("Period", "date")),
        ("uri", "Patient.meta.profile", ("canonical", "uri")),
        ("reference", "Patient.link.other.resolve()", None),
    ],
)
def test_the_types_of_its_values_are_told_before_it_runs(kind, expression, gives):
    assert define(type=kind, expression=expression).gives == gives


def test_each_operand_of_a_union_is_of_one_of_the_types():
    expression = "Patient.maritalStatus | Observation.code"

    assert define(base=["Patient", "Observation"], expression=expression) is not None
    assert "expression" in refused(expression=expression)


@given(st.text(max_size=40))
def test_no_expression_is_answered_with_anything_but_a_refusal(expression):
    status = 0
    try:
        define(expression=expression or None, base=["Patient", "Observation"])
    except InvalidResource as error:
        status = error.http_status

    assert status in (0, 400, 422)
