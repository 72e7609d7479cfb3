"""A difference, applied, gives the other document."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.rest.json_difference import difference
from polyclinic.kernel.rest.json_patch import apply

NAMES = st.sampled_from(["a", "b", "a/b", "~", "c~1", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["x", "y", "ü"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=5)


@given(before=DOCUMENTS, after=DOCUMENTS)
def test_applied_it_gives_the_other(before, after):
    first, second = msgspec.json.encode(before), msgspec.json.encode(after)

    assert msgspec.json.decode(apply(first, difference(first, second))) == after


@given(document=DOCUMENTS)
def test_the_same_differs_in_nothing(document):
    text = msgspec.json.encode(document)

    assert difference(text, text) == b"[]"


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        (b'{"a":1.0}', b'{"a":1.00}', b'[{"op":"replace","path":"/a","value":1.00}]'),
        (b'{"a":true}', b'{"a":1}', b'[{"op":"replace","path":"/a","value":1}]'),
        (b'{"a":[1,2,3]}', b'{"a":[1,3]}', b'[{"op":"remove","path":"/a/1"}]'),
        (b'{"a":[1,3]}', b'{"a":[1,2,3]}', b'[{"op":"add","path":"/a/1","value":2}]'),
        (b'{"a/b":1}', b"{}", b'[{"op":"remove","path":"/a~1b"}]'),
        (b'{"a":[{"b":1}]}', b'{"a":[{"b":2}]}', b'[{"op":"replace","path":"/a/0/b","value":2}]'),
    ],
)
def test_it_is_small(before, after, patch):
    assert difference(before, after) == patch
