"""The expressions of ``_text`` and ``_content``."""

from typing import Any

import pytest

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import AllOf, AnyOf, Not, Words
from polyclinic.kernel.search.query import parse_query

TEXT = parameters("Condition")["_text"]


def part(value: str) -> Any:
    query, _ = parse_query("Condition", [("_text", value)], "https://clinic.example/fhir")
    return query.where.parts[0]


def has(*words: str) -> Words:
    return Words(TEXT, words)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("bone", has("bone")),
        ("Bone  Métastases", has("bone", "metastases")),
        ("bone AND liver", has("bone", "liver")),
        ("bone and bone", has("bone")),
        ("e-mail", has("e", "mail")),
        ("bone OR liver", AnyOf((has("bone"), has("liver")))),
        ("bone,liver", AnyOf((has("bone"), has("liver")))),
        ("a b or c d", AnyOf((has("a", "b"), has("c", "d")))),
        ("NOT bone", Not(has("bone"))),
        ("not not bone", has("bone")),
        ("liver not bone", AllOf((has("liver"), Not(has("bone"))))),
        ("not bone liver", AllOf((has("liver"), Not(has("bone"))))),
        ("not (bone or liver)", Not(AnyOf((has("bone"), has("liver"))))),
        ('"bone or liver"', has("bone", "or", "liver")),
        ('not "bone liver"', Not(has("bone", "liver"))),
        (
            "(bone OR liver) and metastases",
            AllOf((has("metastases"), AnyOf((has("bone"), has("liver"))))),
        ),
        ("((bone))", has("bone")),
    ],
)
def test_an_expression_has_a_tree(text: str, tree):
    assert part(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "AND",
        "or",
        "not",
        "bone and",
        "bone or",
        "or bone",
        "and bone",
        "bone and or liver",
        "(bone",
        "bone)",
        "()",
        '"bone',
        '""',
        "-",
        "bone -",
        "a,",
        "x" * 65,
        "(" * 17 + "a" + ")" * 17,
    ],
)
def test_what_is_no_expression_is_refused(text: str):
    with pytest.raises(BadRequest, match="_text"):
        part(text)
