"""How deeply a resource nests is known, by counting or by bounds that its type sets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.types import MAX_DEPTH, parse
from polyclinic.kernel.types.depth import surely_shallow, too_deep

LONG = {"text": "x" * 2000}
BASIC = {"resourceType": "Basic", "id": "b", "code": LONG}


def written(**members):
    return parse(json.dumps({**BASIC, **members}).encode())


def levels_of(value):
    if isinstance(value, dict):
        return 1 + max(map(levels_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(levels_of, value), default=0)
    return 0


@given(
    st.recursive(
        st.text('[]{}"\\a'),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("a["), inner),
        max_leaves=100,
    ),
    st.integers(0, MAX_DEPTH + 2),
)
def test_too_deep_is_what_nests_beyond_the_limit(value, around):
    for level in range(around):
        value = [value, "}{]["] if level % 2 else {"a": value}

    assert too_deep(json.dumps(value).encode()) == (levels_of(value) > MAX_DEPTH)


@pytest.mark.parametrize("name", ["Patient", "Claim"])
def test_a_long_resource_with_few_extensions_is_shallow(name):
    inner = {"resourceType": name, "extension": [{"url": "u", "valueCode": "a"}]}
    required = {
        "Patient": {},
        "Claim": {
            "status": "active",
            "type": LONG,
            "use": "claim",
            "patient": {"display": "a"},
            "created": "2020",
            "provider": {"display": "a"},
            "priority": LONG,
            "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "a"}}],
        },
    }

    resource = written(contained=[{**inner, **required[name]}])

    assert surely_shallow(resource.content, resource.body)


def test_many_extensions_leave_it_open():
    item = {"url": "u", "extension": [{"url": "u", "valueCode": "a"}]}

    resource = written(extension=[item] * 20)

    assert not surely_shallow(resource.content, resource.body)
    assert not too_deep(resource.body)


def test_resources_within_contained_ones_leave_it_open():
    inner = {"resourceType": "Basic", "code": {"text": "a"}}

    resource = written(contained=[{**inner, "contained": [inner]}])

    assert not surely_shallow(resource.content, resource.body)


def test_a_type_that_holds_itself_leaves_it_open():
    resource = parse(
        json.dumps(
            {
                "resourceType": "Parameters",
                "id": "p",
                "parameter": [{"name": "a", "valueString": "x" * 2000}],
            }
        ).encode()
    )

    assert not surely_shallow(resource.content, resource.body)
