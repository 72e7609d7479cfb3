"""What an expression asks of its surroundings."""

import pytest

from polyclinic.kernel import fhirpath
from polyclinic.kernel.fhirpath import Environment, EvaluationError, stub


class Genders:
    """Knows one value set."""

    def member_of(self, node, value_set):
        return node.value in {"female", "male"} if value_set == "http://a.example/g" else None


def test_a_contained_resource_is_resolved(ask, patient):
    assert ask("managingOrganization.resolve().name", patient) == ["Ward"]


def test_an_entry_of_the_same_bundle_is_resolved(ask):
    entry = {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "id": "a"}}
    link = {"resource": {"resourceType": "Encounter", "subject": {"reference": "urn:uuid:1"}}}
    bundle = {"resourceType": "Bundle", "entry": [entry, link]}

    assert ask("entry.resource.subject.resolve().id", bundle) == ["a"]


def test_elsewhere_the_environment_resolves(ask, patient):
    asked = []

    def resolve(reference):
        asked.append(reference)
        return {"resourceType": "Practitioner", "id": "d1", "active": True}

    found = ask("generalPractitioner.resolve().active", patient, Environment(resolve=resolve))

    assert (found, asked) == ([True], ["Practitioner/d1"])


def test_the_type_of_a_reference_is_known_without_reading_it(ask, patient):
    expression = "generalPractitioner.where(resolve() is Practitioner).reference"

    found = ask(expression, patient, Environment(resolve=stub))

    assert found == ["Practitioner/d1"]


@pytest.mark.parametrize("reference", ["urn:uuid:1", "Nothing/1", "../Patient", "", "#x"])
def test_what_names_no_type_has_no_stub(reference):
    assert stub(reference) is None


def test_members_of_a_value_set_are_known_to_the_terminology(ask, patient):
    surroundings = Environment(terminology=Genders())

    assert ask("gender.memberOf('http://a.example/g')", patient, surroundings) == [True]


@pytest.mark.parametrize("call", ["memberOf('http://a.example/x')", "conformsTo('http://x')"])
def test_what_is_not_known_is_an_error_and_not_false(ask, patient, call):
    with pytest.raises(EvaluationError, match="not known"):
        ask(f"gender.{call}", patient)


def test_trace_tells_the_environment_and_changes_nothing(ask, patient):
    told = []

    def trace(name, nodes):
        told.append((name, [node.value for node in nodes]))

    found = ask("name.trace('n', use).given.count()", patient, Environment(trace=trace))

    assert (found, told) == ([3], [("n", ["official", "usual"])])


def test_variables_are_given_by_name(ask, patient):
    variables = {"wanted": ["Bo", "Cy"], "other": {"resourceType": "Group", "id": "g"}}

    found = ask("name.given.where($this in %wanted) | %other.id", patient, variables=variables)

    assert found == ["Bo", "g"]


def test_narrative_is_checked(ask, patient):
    assert ask("text.`div`.htmlChecks()", patient) == [True]


def test_primitives_say_whether_they_have_a_value(ask):
    content = {"resourceType": "Patient", "_gender": {"extension": [{"url": "http://x"}]}}

    assert ask("gender.hasValue() | gender.exists()", content) == [False, True]
    assert ask("gender.getValue() | gender = 'x'", content) == [False]


def test_what_holds_is_a_boolean_or_unknown(patient):
    held = [
        fhirpath.compile(expression).holds(patient)
        for expression in ("name.exists()", "name.empty()", "telecom", "birthDate")
    ]

    assert held == [True, False, None, True]


def test_nothing_of_a_patient_is_in_what_is_printed(patient):
    nodes = fhirpath.compile("name.given | name").evaluate(patient)

    assert "Ada" not in repr(nodes)
