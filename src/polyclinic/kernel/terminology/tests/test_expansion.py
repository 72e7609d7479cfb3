"""From value sets and hierarchies to codes."""

from typing import Any

import pytest

from polyclinic.kernel.errors import BadRequest, TooCostly
from polyclinic.kernel.terminology.codes import Codes
from polyclinic.kernel.terminology.expansion import expanded
from polyclinic.kernel.terminology.hierarchy import Hierarchy

ANIMALS = {
    "url": "http://animals",
    "content": "complete",
    "concept": [
        {
            "code": "mammal",
            "concept": [{"code": "cat", "concept": [{"code": "tiger"}]}, {"code": "dog"}],
        },
        {"code": "bird"},
        {"code": "bat", "property": [{"code": "parent", "valueCode": "mammal"}]},
        {"code": "pet", "property": [{"code": "child", "valueCode": "dog"}]},
    ],
}


class Known:
    """Definitions that a test wrote down."""

    def __init__(self, *definitions: dict[str, Any]) -> None:
        self._by_url = {definition["url"]: definition for definition in definitions}

    async def find(self, resource_type: str, url: str) -> dict[str, Any] | None:
        del resource_type
        return self._by_url.get(url)


def value_set(url: str = "http://v", **compose: Any) -> dict[str, Any]:
    return {"url": url, "compose": compose}


def of_animals(*names: str) -> Codes:
    return Codes(frozenset(("http://animals", name) for name in names))


def chosen(op: str, value: str) -> dict[str, Any]:
    return {
        "system": "http://animals",
        "filter": [{"property": "concept", "op": op, "value": value}],
    }


@pytest.mark.parametrize(
    ("code", "how", "found"),
    [
        ("mammal", "below", {"mammal", "cat", "tiger", "dog", "bat"}),
        ("tiger", "above", {"tiger", "cat", "mammal"}),
        ("dog", "above", {"dog", "mammal", "pet"}),
        ("bird", "below", {"bird"}),
    ],
)
def test_a_code_is_related_to_others(code: str, how, found: set[str]):
    assert Hierarchy(ANIMALS).related(code, how) == found


def test_a_circle_of_codes_ends():
    circle = [
        {"code": "a", "property": [{"code": "parent", "valueCode": "b"}]},
        {"code": "b", "property": [{"code": "parent", "valueCode": "a"}]},
    ]

    known = Hierarchy({"url": "http://x", "content": "complete", "concept": circle})

    assert known.related("a", "below") == {"a", "b"}


def test_a_code_that_is_not_there_is_refused():
    with pytest.raises(BadRequest, match="has no code fish"):
        Hierarchy(ANIMALS).related("fish", "below")


@pytest.mark.parametrize("content", ["fragment", "not-present", "example"])
def test_a_code_system_that_is_not_whole_is_refused(content: str):
    with pytest.raises(BadRequest, match="not complete"):
        Hierarchy(ANIMALS | {"content": content})


@pytest.mark.parametrize(
    ("compose", "codes"),
    [
        (
            {"include": [{"system": "s", "concept": [{"code": "a"}]}]},
            Codes(frozenset({("s", "a")})),
        ),
        ({"include": [{"system": "s"}]}, Codes(systems=frozenset({"s"}))),
        ({"include": [chosen("is-a", "cat")]}, of_animals("cat", "tiger")),
        ({"include": [chosen("descendent-of", "cat")]}, of_animals("tiger")),
        ({"include": [chosen("is-not-a", "mammal")]}, of_animals("bird", "pet")),
        ({"include": [chosen("generalizes", "cat")]}, of_animals("cat", "mammal")),
        ({"include": [chosen("in", "cat,fish")]}, of_animals("cat")),
        (
            {"include": [chosen("is-a", "cat")], "exclude": [chosen("=", "tiger")]},
            of_animals("cat"),
        ),
        (
            {
                "include": [{"system": "http://animals"}],
                "exclude": [{"system": "http://animals", "concept": [{"code": "cat"}]}],
            },
            of_animals("mammal", "tiger", "dog", "bird", "bat", "pet"),
        ),
        ({"include": [{"system": "s"}], "exclude": [{"system": "s"}]}, Codes()),
        (
            {"include": [{"valueSet": ["http://cats"], "system": "http://animals"}]},
            of_animals("cat", "tiger"),
        ),
        ({"include": [{"valueSet": ["http://cats", "http://wild"]}]}, of_animals("tiger")),
        ({"include": []}, Codes()),
    ],
)
async def test_a_value_set_has_its_codes(compose, codes: Codes):
    known = Known(
        ANIMALS,
        value_set(**compose),
        value_set("http://cats", include=[chosen("is-a", "cat")]),
        value_set("http://wild", include=[chosen("in", "tiger,bird")]),
    )

    assert await expanded(known, "http://v") == codes


async def test_an_expansion_that_is_stored_is_taken_as_it_is():
    contains = [
        {"abstract": True, "system": "s", "code": "x", "contains": [{"system": "s", "code": "a"}]},
        {"system": "s", "code": "b"},
    ]

    found = await expanded(
        Known({"url": "http://v", "expansion": {"contains": contains}}), "http://v"
    )

    assert found == Codes(frozenset({("s", "a"), ("s", "b")}))


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        (value_set("http://other"), "No ValueSet http://v"),
        (value_set(include=[chosen("regex", "c.*")]), "by concept regex"),
        (
            value_set(include=[{"system": "http://x", "filter": [{"property": "concept"}]}]),
            "No CodeSystem http://x",
        ),
        (value_set(include=[{"valueSet": ["http://v"]}]), "include one another"),
    ],
)
async def test_what_cannot_be_expanded_is_refused(definition, says: str):
    with pytest.raises(BadRequest, match=says):
        await expanded(Known(definition, ANIMALS), "http://v")


async def test_a_value_set_has_an_end():
    concepts = [{"code": str(number)} for number in range(2_001)]

    with pytest.raises(TooCostly):
        await expanded(Known(value_set(include=[{"system": "s", "concept": concepts}])), "http://v")


async def test_a_stored_value_set_may_include_one_that_r4_requires():
    genders = "http://hl7.org/fhir/ValueSet/administrative-gender"
    system = "http://hl7.org/fhir/administrative-gender"
    include = [{"valueSet": [genders], "system": system, "concept": [{"code": "male"}]}]

    found = await expanded(Known(value_set(include=include)), "http://v")

    assert found == Codes(frozenset({(system, "male")}))
