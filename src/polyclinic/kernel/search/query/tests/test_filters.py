"""``_filter``: its syntax, and what it means as conditions."""

from typing import Any

import pytest

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.parameters import SearchParameter, parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Comparison,
    DateIs,
    Has,
    IdIs,
    Linked,
    Missing,
    Not,
    NumberIs,
    RefersTo,
    StringIs,
    TokenIn,
    TokenIs,
    UriIs,
    Words,
)
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.search.query.filter_syntax import (
    Compared,
    Joined,
    Negated,
    Segment,
    parse_filter,
)
from polyclinic.kernel.search.ranges import date_range

BASE = "https://clinic.example/fhir"
LOINC = "http://loinc.org"


def param(resource_type: str, code: str) -> SearchParameter:
    return parameters(resource_type)[code]


def part(resource_type: str, text: str) -> Any:
    query, _ = parse_query(resource_type, [("_filter", text)], BASE)
    return query.where.parts[0]


def compared(name: str, operator: str, value: str) -> Compared:
    return Compared((Segment(name),), operator, value)


A, B, C = (compared(name, "eq", "1") for name in "abc")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a eq 1", A),
        ("  a   eq   1  ", A),
        ("(a eq 1)", A),
        ("((a eq 1))", A),
        ("a eq 1 and b eq 1", Joined("and", (A, B))),
        ("a eq 1 and b eq 1 and c eq 1", Joined("and", (A, B, C))),
        ("a eq 1 or b eq 1 and c eq 1", Joined("and", (Joined("or", (A, B)), C))),
        ("a eq 1 and b eq 1 or c eq 1", Joined("or", (Joined("and", (A, B)), C))),
        ("a eq 1 or (b eq 1 and c eq 1)", Joined("or", (A, Joined("and", (B, C))))),
        ("not (a eq 1)", Negated(A)),
        ("not(a eq 1) and b eq 1", Joined("and", (Negated(A), B))),
        ('a co "x y) and ]"', compared("a", "co", "x y) and ]")),
        (r'a eq "\"\u00e9\\"', compared("a", "eq", '"é\\')),
        ("not eq 1", compared("not", "eq", "1")),
        ("a.b-c.d eq 1", Compared((Segment("a"), Segment("b-c"), Segment("d")), "eq", "1")),
        ("a[b eq 1].c eq 1", Compared((Segment("a", B), Segment("c")), "eq", "1")),
        (
            "a[b eq 1 or c eq 1].c eq 1",
            Compared((Segment("a", Joined("or", (B, C))), Segment("c")), "eq", "1"),
        ),
        ("a:T.b eq s|c", Compared((Segment("a:T"), Segment("b")), "eq", "s|c")),
    ],
)
def test_a_filter_has_a_tree(text: str, tree):
    assert parse_filter(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a",
        "a eq",
        "a eq ",
        "a xx 1",
        "a EQ 1",
        "1 eq 1",
        "a eq 1 b eq 1",
        "a eq 1 and",
        "a eq 1 xor b eq 1",
        "and a eq 1",
        "(a eq 1",
        "a eq 1)",
        "not a eq 1",
        "not",
        "a[b eq 1 eq 1",
        "a[].b eq 1",
        "a. eq 1",
        ".a eq 1",
        'a eq "1',
        r'a eq "\x"',
        'a eq "1""2"',
    ],
)
def test_what_is_no_filter_is_refused(text: str):
    with pytest.raises(BadRequest, match="there must be"):
        parse_filter(text)


def test_parentheses_end_somewhere():
    assert parse_filter("(" * 16 + "a eq 1" + ")" * 16) == A
    with pytest.raises(BadRequest, match="at most 16"):
        parse_filter("(" * 17 + "a eq 1" + ")" * 17)


GIVEN = param("Patient", "given")
GENDER = param("Patient", "gender")
CODE = param("Observation", "code")
BIRTH = param("Patient", "birthdate")
DAY = date_range("2014-10-10")


@pytest.mark.parametrize(
    ("resource_type", "text", "expected"),
    [
        ("Patient", 'given eq "Peter"', StringIs(GIVEN, "equals", "peter")),
        ("Patient", "given eq O'Hara", StringIs(GIVEN, "equals", "ohara")),
        ("Patient", 'given eq "a,b"', StringIs(GIVEN, "equals", "a b")),
        (
            "Patient",
            "given ne peter",
            StringIs(GIVEN, "differs", "peter"),
        ),
        ("Patient", "given ge M", StringIs(GIVEN, "ge", "m")),
        ("Patient", "given lt n", StringIs(GIVEN, "lt", "n")),
        ("Patient", "given co pet", StringIs(GIVEN, "contains", "pet")),
        ("Patient", "given sw pet", StringIs(GIVEN, "starts", "pet")),
        ("Patient", "given ew ter", StringIs(GIVEN, "ends", "ter")),
        ("Patient", "given pr true", Missing(GIVEN, missing=False)),
        ("Patient", "given pr false", Missing(GIVEN, missing=True)),
        ("Patient", "birthdate ge 2014-10-10", DateIs(BIRTH, Comparison("ge"), *DAY)),
        ("Patient", "birthdate po 2014-10-10", DateIs(BIRTH, Comparison("ap"), *DAY)),
        ("Patient", "birthdate co 2014-10-10", DateIs(BIRTH, Comparison("co"), *DAY)),
        ("Patient", "_lastUpdated gt 2014-10-10", DateIs(None, Comparison("gt"), *DAY)),
        ("Patient", "_id eq 1", IdIs(("1",))),
        ("Patient", "_id ne 1", Not(IdIs(("1",)))),
        ("Patient", "_content co pain", Words(param("Patient", "_content"), ("pain",))),
        ("Patient", "gender eq male", TokenIs(GENDER, None, "male")),
        (
            "Patient",
            "gender ne male",
            AllOf((Missing(GENDER, missing=False), Not(TokenIs(GENDER, None, "male")))),
        ),
        ("Observation", f"code eq {LOINC}|1234-5", TokenIs(CODE, LOINC, "1234-5")),
        ("Observation", "code eq loinc|1234-5", TokenIs(CODE, LOINC, "1234-5")),
        ("Observation", "code eq a,b", TokenIs(CODE, None, "a,b")),
        ("Observation", "code ss loinc|1", TokenIn(CODE, "below", LOINC, "1")),
        ("Observation", "code sb loinc|1", TokenIn(CODE, "above", LOINC, "1")),
        ("Observation", "code in http://v", TokenIn(CODE, "in", None, "http://v")),
        ("Observation", "code ni http://v", Not(TokenIn(CODE, "in", None, "http://v"))),
        (
            "Observation",
            "patient re Patient/1",
            RefersTo(param("Observation", "patient"), "Patient", "1"),
        ),
        ("ValueSet", "url eq http://v", UriIs(param("ValueSet", "url"), "http://v")),
    ],
)
def test_an_operator_means_what_r4_says(resource_type: str, text: str, expected):
    assert part(resource_type, text) == expected


def test_a_quantity_is_compared_in_a_unit():
    found = part("Observation", "value-quantity gt 150|ucum|mmol/L")

    assert isinstance(found, NumberIs)
    assert (found.comparison, found.system, found.code) == (
        "gt",
        "http://unitsofmeasure.org",
        "m-3",
    )


def test_a_path_is_a_chain():
    found = part("Observation", "patient.name co pet")

    name = StringIs(param("Patient", "name"), "contains", "pet")
    assert found == Linked(param("Observation", "patient"), "Patient", name)


def test_a_filter_on_a_path_holds_of_what_is_reached():
    found = part("Observation", "patient[given eq a].gender eq male")

    both = AllOf((StringIs(GIVEN, "equals", "a"), TokenIs(GENDER, None, "male")))
    assert found == Linked(param("Observation", "patient"), "Patient", both)


def test_a_path_may_go_back():
    found = part("Patient", "_has:Observation:patient:code eq loinc|1")

    assert found == Has("Observation", param("Observation", "patient"), TokenIs(CODE, LOINC, "1"))


@pytest.mark.parametrize(
    ("resource_type", "text", "composite", "values"),
    [
        ("Group", "characteristic[code eq a].value eq b", "characteristic-value", ("a", "b")),
        ("Group", "characteristic[value eq b].code eq a", "characteristic-value", ("a", "b")),
        (
            "DocumentReference",
            "relatesTo[code eq replaces].target re DocumentReference/1",
            "relationship",
            ("replaces", "1"),
        ),
    ],
)
def test_an_element_with_parts_is_a_composite(resource_type: str, text: str, composite, values):
    found = part(resource_type, text)

    first, second = found.parts
    assert found.param == param(resource_type, composite)
    assert (first.code, getattr(second, "code", None) or second.id) == values


def test_and_or_and_not_become_the_tree():
    found = part("Patient", "given eq a or not (gender eq male) and _id eq 1")

    either = AnyOf((StringIs(GIVEN, "equals", "a"), Not(TokenIs(GENDER, None, "male"))))
    assert found == AllOf((either, IdIs(("1",))))


@pytest.mark.parametrize(
    ("resource_type", "text", "says"),
    [
        ("Patient", "nothing eq 1", "no search parameter nothing"),
        ("Patient", "phonetic gt a", "not compared with gt"),
        ("Patient", "identifier ne a", "not compared with ne"),
        ("Observation", "combo-code ne a", "not compared with ne"),
        ("Patient", "_profile ne http://p", "not compared with ne"),
        ("Patient", "given pr yes", "true or false"),
        ("Observation", "value-quantity co 5", "not compared with co"),
        ("Patient", "birthdate co ge2014", "A date is"),
        ("Patient", "birthdate eq ge2014", "A date is"),
        ("Patient", "birthdate eq 2014,2015", "A date is"),
        ("Patient", "gender co m", "not compared with co"),
        ("Patient", "identifier ss a", "not compared with ss"),
        ("Patient", "given:exact eq a", "operators in the place of modifiers"),
        ("Patient", "given[family eq a] eq b", "must follow"),
        ("Observation", "patient eq Patient/1", "not compared with eq"),
        ("Observation", "related[type eq a].target pr true", "no search parameter related"),
        ("Group", "characteristic[code eq a].code eq b", "each once"),
        ("Group", "characteristic[code ne a].value eq b", "eq or re"),
        ("Group", "characteristic[_id eq a].value eq b", "one comparison"),
        ("Group", "characteristic[code eq a or code eq b].value eq b", "one comparison"),
    ],
)
def test_what_a_filter_cannot_ask_is_refused(resource_type: str, text: str, says: str):
    with pytest.raises(BadRequest) as caught:
        part(resource_type, text)

    assert caught.value.issues[0].diagnostics.startswith("_filter: ")
    assert says in caught.value.issues[0].diagnostics


def test_a_filter_is_not_too_long():
    with pytest.raises(BadRequest, match="at most 8192"):
        part("Patient", "given eq " + "a" * 9_000)
