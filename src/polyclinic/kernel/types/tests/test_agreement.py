# ruff: noqa: S311 - chance writes test data, no keys
"""The fast decoding and the walker that names faults accept the same resources."""

import copy
import json
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyclinic.kernel.errors import InvalidResource
from polyclinic.kernel.types import (
    RESOURCE_TYPES,
    Element,
    TypeDefinition,
    faults,
    parse,
    type_definition,
)
from polyclinic.kernel.types.definitions import codes, codings

# Frequent types, those that hold themselves, and those that hold other resources.
TYPES = (
    "Patient",
    "Observation",
    "Condition",
    "Claim",
    "Questionnaire",
    "Parameters",
    "Bundle",
    "MolecularSequence",
    "Task",
)
SEEDS = st.integers(0, 2**32)
GOOD: dict[str, list[Any]] = {
    "base64Binary": ["aGVsbG8=", "aGVs bG8="],
    "boolean": [True, False],
    "canonical": ["http://example.org/a|1"],
    "code": ["a", "two words"],
    "date": ["2020", "2020-02", "2020-02-29"],
    "dateTime": ["2020", "2020-02-29", "2020-02-29T23:59:60.5+14:00"],
    "decimal": [0, 1, -2.5],
    "id": ["a-1.B"],
    "instant": ["2020-02-29T10:00:00Z"],
    "integer": [0, -1, 2147483647],
    "markdown": ["*text*", 'say "no"', "back\\slash\n"],
    "oid": ["urn:oid:1.2.3"],
    "positiveInt": [1],
    "string": ["text", "{}", "null", "[null]", "\u00e9\U0001f600"],
    "time": ["10:00:00"],
    "unsignedInt": [0],
    "uri": ["urn:x", "http://example.org"],
    "url": ["http://example.org"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml">a<br/>&amp; b</div>'],
}
ODD: list[Any] = [
    None,
    "",
    " a",
    "a\u0001b",
    "2023-02-30",
    "x" * 70,
    {},
    [],
    {"id": "a"},
    {"extension": [{"url": "u"}]},
    {"extension": [{"url": "u", "valueCode": "a", "valueString": "b"}]},
    [None],
    [{}],
    [None, {"extension": [{"url": "u", "valueAge": {"value": 1}}]}],
    0,
    -1,
    1.5,
    2**31,
    True,
    "<div>a</div>",
    "<div><script>a</script></div>",
    {"coding": [{"system": "urn:x", "code": "a"}]},
    {"resourceType": "Basic", "code": {"text": "a"}},
    {"resourceType": "Nothing"},
    ["a", None],
]


class Writer:
    """Writes resources that hold to the definitions."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def resource(self, name: str) -> dict[str, Any]:
        return {"resourceType": name, **self.members(type_definition(name), 0), "id": "r1"}

    def members(self, definition: TypeDefinition, level: int) -> dict[str, Any]:
        optional = 0.25 / (level + 1)
        value: dict[str, Any] = {}
        for element in definition.elements:
            if element.required or (level < 4 and self.chance.random() < optional):
                self.add(value, element, level)
        if not value.keys() - {"id", "extension"}:
            value.update(self.something(definition, level))
        return value

    def something(self, definition: TypeDefinition, level: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for element in definition.elements:
            if element.types[0] in GOOD and element.name != "id":
                self.add(value, element, level)
                return value
        self.add(value, definition.elements[2], level)
        return value

    def add(self, value: dict[str, Any], element: Element, level: int) -> None:
        types = [name for name in element.types if name in GOOD] if level > 2 else element.types
        name = self.chance.choice(types or element.types)
        count = self.chance.choice([1, 1, 2])
        items = [self.value(element, name, level) for _ in range(count if element.many else 1)]
        key = element.json_name(name)
        value[key] = items if element.many else items[0]
        if name in GOOD and not element.attribute and name != "xhtml":
            self.add_sibling(value, key, many=element.many)

    def add_sibling(self, value: dict[str, Any], key: str, *, many: bool) -> None:
        if self.chance.random() < 0.9:
            return
        sibling = {"extension": [{"url": "urn:x", "valueString": "why"}]}
        if not many:
            value["_" + key] = sibling
            if self.chance.random() < 0.5:
                del value[key]
            return
        value["_" + key] = [sibling, *[None] * (len(value[key]) - 1)]
        if self.chance.random() < 0.5:
            value[key][0] = None

    def value(self, element: Element, name: str, level: int) -> Any:
        if name == "Resource":
            return {"resourceType": "Basic", "id": "b1", "code": {"text": "a"}}
        if element.binding and name in GOOD:
            return self.chance.choice(codes(element.binding))
        if name in GOOD:
            return self.chance.choice(GOOD[name])
        value = self.members(type_definition(name), level + 1)
        if element.binding and name == "CodeableConcept":
            system, code = min(codings(element.binding))
            value["coding"] = [{"system": system, "code": code}]
        return value


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container in a JSON value with each of its keys."""
    found = []
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        found.append((value, key))
        if isinstance(inner, dict | list):
            found.extend(places(inner))
    return found


def disturb(resource: dict[str, Any], chance: random.Random) -> None:
    """Change a resource somewhere: often it is none of R4 afterwards."""
    container, key = chance.choice(places(resource))
    odd = copy.deepcopy(chance.choice(ODD))
    kind = chance.randrange(5)
    if kind == 0 and key != "id":
        del container[key]
    elif kind == 1 and isinstance(container, dict):
        container["unknown" if chance.random() < 0.3 else f"_{key}"] = odd
    elif kind == 2 and isinstance(container, dict):
        container[chance.choice(["valueString", "valueAge", "text", "extension"])] = odd
    else:
        container[key] = odd


def text_of(resource: dict[str, Any], chance: random.Random) -> bytes:
    """Write a resource as JSON, sometimes indented, escaped or with a member twice."""
    text = json.dumps(
        resource,
        ensure_ascii=chance.random() < 0.3,
        indent=1 if chance.random() < 0.2 else None,
        separators=(",", ":") if chance.random() < 0.7 else None,
    )
    if chance.random() < 0.1:
        text = text.replace("text", "\\u0074ext")
    if chance.random() < 0.1:
        text = text.replace("{", '{"id":"x\\u0022\\u0022","id":"x",', 1)
    if chance.random() < 0.05:
        text = text[: chance.randrange(len(text))]
    return text.encode()


def accepted(data: bytes) -> bool:
    try:
        resource = parse(data)
    except InvalidResource:
        return False
    assert parse(resource.body).body == resource.body
    return True


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(SEEDS, st.sampled_from(TYPES))
def test_a_resource_by_the_definitions_is_accepted(seed, name):
    data = json.dumps(Writer(random.Random(seed)).resource(name)).encode()

    assert faults(data) == ()
    assert accepted(data)


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(SEEDS, st.sampled_from(TYPES), st.integers(1, 3))
def test_decoding_accepts_what_the_walker_finds_faultless(seed, name, times):
    chance = random.Random(seed)
    resource = Writer(chance).resource(name)
    for _ in range(times):
        disturb(resource, chance)
    data = text_of(resource, chance)

    assert accepted(data) == (not faults(data) and b'"id"' in data)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes_are_refused_as_an_invalid_resource(data):
    assert not accepted(b'{"resourceType":"Patient","id":"a",' + data)


def test_every_resource_type_can_be_written_and_read():
    chance = random.Random(7)

    unread = [
        name
        for name in RESOURCE_TYPES
        if not accepted(json.dumps(Writer(chance).resource(name)).encode())
    ]

    assert unread == []
