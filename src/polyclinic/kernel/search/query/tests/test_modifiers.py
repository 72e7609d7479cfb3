"""Each modifier on each type of parameter, https://hl7.org/fhir/R4/search.html#modifiers."""

from typing import Any

import pytest

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.parameters import SearchParameter, parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    CompositeIs,
    IdentifierIs,
    IdIs,
    Missing,
    Not,
    NumberIs,
    RefersTo,
    StringIs,
    TokenIn,
    TokenIs,
    TokenOfType,
    TokenText,
    UriBelow,
    UriIs,
    Words,
)
from polyclinic.kernel.search.query import parse_query

BASE = "https://clinic.example/fhir"


def part(resource_type: str, name: str, value: str) -> Any:
    query, ignored = parse_query(resource_type, [(name, value)], BASE)
    assert ignored == ()
    return query.where.parts[0]


def param(resource_type: str, code: str) -> SearchParameter:
    return parameters(resource_type)[code]


CODE = param("Observation", "code")
SUBJECT = param("Observation", "subject")
FAMILY = param("Patient", "family")
URL = param("ValueSet", "url")
IDENTIFIER = param("Patient", "identifier")
SCT = "http://snomed.info/sct"


@pytest.mark.parametrize(
    ("resource_type", "name", "value", "expected"),
    [
        ("Observation", "code", "a", TokenIs(CODE, None, "a")),
        ("Observation", "code", f"{SCT}|a", TokenIs(CODE, SCT, "a")),
        ("Observation", "code", "|a", TokenIs(CODE, "", "a")),
        ("Observation", "code", f"{SCT}|", TokenIs(CODE, SCT, None)),
        (
            "Observation",
            "code",
            "a,b",
            AnyOf((TokenIs(CODE, None, "a"), TokenIs(CODE, None, "b"))),
        ),
        ("Observation", "code:not", "a", Not(TokenIs(CODE, None, "a"))),
        (
            "Observation",
            "code:not",
            "a,b",
            Not(AnyOf((TokenIs(CODE, None, "a"), TokenIs(CODE, None, "b")))),
        ),
        ("Observation", "code:text", "Head-ache", TokenText(CODE, ("head", "ache"))),
        ("Observation", "code:in", "http://v/1", TokenIn(CODE, "in", None, "http://v/1")),
        ("Observation", "code:in", "ValueSet/1", TokenIn(CODE, "in", None, "ValueSet/1")),
        ("Observation", "code:not-in", "http://v", Not(TokenIn(CODE, "in", None, "http://v"))),
        ("Observation", "code:above", f"{SCT}|1", TokenIn(CODE, "above", SCT, "1")),
        ("Observation", "code:below", "1", TokenIn(CODE, "below", None, "1")),
        ("Observation", "code:missing", "true", Missing(CODE, missing=True)),
        ("Observation", "code:missing", "false", Missing(CODE, missing=False)),
        ("Patient", "identifier:of-type", "s|MR|1", TokenOfType(IDENTIFIER, "s", "MR", "1")),
        ("Observation", "subject", "Patient/1", RefersTo(SUBJECT, "Patient", "1")),
        ("Observation", "subject", f"{BASE}/Patient/1", RefersTo(SUBJECT, "Patient", "1")),
        ("Observation", "subject", "Patient/1/_history/2", RefersTo(SUBJECT, "Patient", "1")),
        ("Observation", "subject", "http://x/Patient/1", UriIs(SUBJECT, "http://x/Patient/1")),
        ("Observation", "subject:Patient", "1", RefersTo(SUBJECT, "Patient", "1")),
        ("Observation", "subject:Patient", "Patient/1", RefersTo(SUBJECT, "Patient", "1")),
        ("Observation", "subject:identifier", "s|1", IdentifierIs(SUBJECT, "s", "1")),
        ("Observation", "subject:missing", "true", Missing(SUBJECT, missing=True)),
        ("Patient", "family", "Ó Hara", StringIs(FAMILY, "starts", "o hara")),
        ("Patient", "family:exact", r"Ó\, Hara", StringIs(FAMILY, "exact", "Ó, Hara")),
        ("Patient", "family:contains", "HAR", StringIs(FAMILY, "contains", "har")),
        ("Patient", "family:missing", "true", Missing(FAMILY, missing=True)),
        ("ValueSet", "url", "urn:x", UriIs(URL, "urn:x")),
        ("ValueSet", "url:below", "http://a/b/", UriBelow(URL, "http://a/b")),
        (
            "ValueSet",
            "url:above",
            "http://a/b",
            AnyOf(tuple(UriIs(URL, f"http://a{end}") for end in ("", "/", "/b", "/b/"))),
        ),
        ("ValueSet", "url:missing", "true", Missing(URL, missing=True)),
        ("Patient", "_id", "a,b", IdIs(("a", "b"))),
        ("Patient", "_id:not", "a", Not(IdIs(("a",)))),
        ("Patient", "_id:missing", "true", IdIs(())),
        ("Patient", "_lastUpdated:missing", "false", AllOf(())),
        (
            "Observation",
            "date:missing",
            "true",
            Missing(param("Observation", "date"), missing=True),
        ),
        (
            "Observation",
            "code-value-quantity:missing",
            "false",
            Missing(param("Observation", "code-value-quantity"), missing=False),
        ),
        ("Location", "near:missing", "true", Missing(param("Location", "near"), missing=True)),
        ("Patient", "_text", "pain", Words(param("Patient", "_text"), ("pain",))),
    ],
)
def test_a_modifier_means_what_r4_says(resource_type: str, name: str, value: str, expected):
    assert part(resource_type, name, value) == expected


@pytest.mark.parametrize(
    ("resource_type", "name", "value"),
    [
        ("Observation", "code:exact", "a"),
        ("Observation", "code:contains", "a"),
        ("Observation", "code:of-type", "a|b|c"),
        ("Observation", "code:Patient", "a"),
        ("Observation", "code:", "a"),
        ("Observation", "code:not:in", "a"),
        ("Observation", "code:iterate", "a"),
        ("Observation", "code:above", f"{SCT}|"),
        ("Observation", "code:in", "a b"),
        ("Observation", "code:text", "-"),
        ("Observation", "code:missing", "perhaps"),
        ("Observation", "code:missing", "true,false"),
        ("Patient", "identifier:in", "http://v"),
        ("Patient", "active:text", "x"),
        ("Patient", "active:in", "http://v"),
        ("Patient", "active", "yes"),
        ("Patient", "phone:text", "1"),
        ("Patient", "_id:text", "a"),
        ("Patient", "_id:in", "http://v"),
        ("Patient", "_id", "a b"),
        ("Observation", "subject:not", "1"),
        ("Observation", "subject:text", "1"),
        ("Observation", "subject:above", "Location/1"),
        ("Observation", "subject:below", "Location/1"),
        ("Observation", "subject:Medication", "1"),
        ("Observation", "subject:[type]", "1"),
        ("Observation", "subject:Patient", "Group/1"),
        ("Patient", "family:not", "x"),
        ("Patient", "family:text", "x"),
        ("Patient", "family:exact", "a,"),
        ("Patient", "phonetic:contains", "x"),
        ("ValueSet", "url:contains", "x"),
        ("ValueSet", "url:not", "x"),
        ("ValueSet", "url:below", "urn:oid:1.2"),
        ("ValueSet", "url:below", "http://a/b|1"),
        ("ValueSet", "url:above", "a/b"),
        ("Observation", "date:not", "2020"),
        ("Observation", "date:exact", "2020"),
        ("Observation", "value-quantity:not", "5"),
        ("RiskAssessment", "probability:exact", "0.5"),
        ("Observation", "code-value-quantity:not", "a$5"),
        ("Location", "near:not", "1|1"),
        ("Patient", "_text:missing", "true"),
        ("Patient", "_content:exact", "a"),
        ("Patient", "_list:not", "1"),
        ("Measure", "depends-on:identifier", "a|b"),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_what_a_parameter_does_not_take_is_refused_and_never_ignored(
    resource_type: str, name: str, value: str, strict
):
    with pytest.raises(BadRequest) as caught:
        parse_query(resource_type, [(name, value)], BASE, strict=strict)

    assert caught.value.issues[0].diagnostics.startswith(f"{name}: ")


def test_a_refusal_says_which_modifiers_there_are():
    with pytest.raises(BadRequest, match="it takes :missing, :exact, :contains"):
        part("Patient", "name:sounds", "x")


def test_a_bare_id_may_be_of_each_type():
    found = part("Observation", "subject", "1")

    assert found == AnyOf(tuple(RefersTo(SUBJECT, target, "1") for target in SUBJECT.targets))


def test_values_of_several_types_stand_side_by_side():
    found = part("Observation", "subject", "1,Patient/2")

    assert len(found.parts) == len(SUBJECT.targets) + 1
    assert found.parts[-1] == RefersTo(SUBJECT, "Patient", "2")


@pytest.mark.parametrize(
    ("value", "uris"),
    [
        ("http://a/q|1", ("http://a/q|1",)),
        ("Questionnaire/1", ("Questionnaire/1", f"{BASE}/Questionnaire/1")),
    ],
)
def test_a_canonical_is_found_by_its_url(value: str, uris: tuple[str, ...]):
    found = part("QuestionnaireResponse", "questionnaire", value)

    param_ = param("QuestionnaireResponse", "questionnaire")
    leaves = tuple(UriIs(param_, uri) for uri in uris)
    assert found == (leaves[0] if len(leaves) == 1 else AnyOf(leaves))


def test_a_canonical_of_a_named_type_is_the_one_here():
    found = part("QuestionnaireResponse", "questionnaire:Questionnaire", "1")

    assert [leaf.uri for leaf in found.parts] == ["Questionnaire/1", f"{BASE}/Questionnaire/1"]


@pytest.mark.parametrize(
    ("value", "comparison", "unit", "between"),
    [
        ("5.4", "eq", (None, None), (5.35, 5.45)),
        ("gt5.4|http://u|mg", "gt", ("http://u", "mg"), (5.35, 5.45)),
        ("ne5.4||mg", "ne", (None, "mg"), (5.35, 5.45)),
        ("ap100", "ap", (None, None), (90, 110)),
        ("ap-100", "ap", (None, None), (-110, -90)),
    ],
)
def test_a_quantity_has_a_prefix_and_may_have_a_unit(value: str, comparison: str, unit, between):
    found = part("Observation", "value-quantity", value)

    assert isinstance(found, NumberIs)
    assert (found.comparison, (found.system, found.code)) == (comparison, unit)
    assert (found.low, found.high) == pytest.approx(between)


def test_a_unit_system_without_a_unit_is_refused():
    with pytest.raises(BadRequest, match="unit is a code"):
        part("Observation", "value-quantity", "5.4|http://unitsofmeasure.org|")


def test_a_composite_has_the_leaves_of_its_components():
    found = part("Observation", "code-value-quantity", r"http://l|a\$b$ge5||mg")

    assert isinstance(found, CompositeIs)
    assert found.param == param("Observation", "code-value-quantity")
    assert found.parts[0] == TokenIs(CODE, "http://l", "a$b")
    assert isinstance(found.parts[1], NumberIs)
    assert found.parts[1].param == param("Observation", "value-quantity")
    assert (found.parts[1].comparison, found.parts[1].code) == ("ge", "mg")


def test_a_composite_with_a_reference_may_be_of_each_type():
    relation = param("DocumentReference", "relation")
    to = param("DocumentReference", "relatesto")

    found = part("DocumentReference", "relationship", "replaces$DocumentReference/1")

    assert found == CompositeIs(
        param("DocumentReference", "relationship"),
        (TokenIs(relation, None, "replaces"), RefersTo(to, "DocumentReference", "1")),
    )


@pytest.mark.parametrize("value", ["a", "a$5$b", "a$", "$5", "a$five", "$"])
def test_what_is_no_composite_is_refused(value: str):
    with pytest.raises(BadRequest):
        part("Observation", "code-value-quantity", value)
