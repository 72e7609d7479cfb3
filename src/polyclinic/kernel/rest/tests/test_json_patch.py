"""JSON Patch: the RFC's own examples, properties, and what a hostile patch may cost."""

import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.rest.json_patch import apply

APPENDIX_A = [
    # https://www.rfc-editor.org/rfc/rfc6902#appendix-A: number, document, patch, result or None
    (
        "A.1",
        {"foo": "bar"},
        [{"op": "add", "path": "/baz", "value": "qux"}],
        {"baz": "qux", "foo": "bar"},
    ),
    (
        "A.2",
        {"foo": ["bar", "baz"]},
        [{"op": "add", "path": "/foo/1", "value": "qux"}],
        {"foo": ["bar", "qux", "baz"]},
    ),
    ("A.3", {"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    (
        "A.4",
        {"foo": ["bar", "qux", "baz"]},
        [{"op": "remove", "path": "/foo/1"}],
        {"foo": ["bar", "baz"]},
    ),
    (
        "A.5",
        {"baz": "qux", "foo": "bar"},
        [{"op": "replace", "path": "/baz", "value": "boo"}],
        {"baz": "boo", "foo": "bar"},
    ),
    (
        "A.6",
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    (
        "A.7",
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    (
        "A.8",
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [
            {"op": "test", "path": "/baz", "value": "qux"},
            {"op": "test", "path": "/foo/1", "value": 2},
        ],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    ("A.9", {"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}], None),
    (
        "A.10",
        {"foo": "bar"},
        [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    (
        "A.11",
        {"foo": "bar"},
        [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}],
        {"foo": "bar", "baz": "qux"},
    ),
    ("A.12", {"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}], None),
    ("A.14", {"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    ("A.15", {"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}], None),
    (
        "A.16",
        {"foo": ["bar"]},
        [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}],
        {"foo": ["bar", ["abc", "def"]]},
    ),
]
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=4), DOCUMENTS, max_size=5)


def encoded(value):
    return json.dumps(value).encode()


def patched(document, *operations):
    return json.loads(apply(encoded(document), encoded(list(operations))))


def pointers(value, path=""):
    """Return the pointers to everything in a document except the whole."""
    if isinstance(value, dict):
        members = [
            (name.replace("~", "~0").replace("/", "~1"), each) for name, each in value.items()
        ]
    elif isinstance(value, list):
        members = [(str(at), each) for at, each in enumerate(value)]
    else:
        members = []
    found = []
    for name, each in members:
        found += [f"{path}/{name}", *pointers(each, f"{path}/{name}")]
    return found


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [row[1:] for row in APPENDIX_A if row[3] is not None],
    ids=[str(row[0]) for row in APPENDIX_A if row[3] is not None],
)
def test_an_example_of_the_rfc_gives_its_result(document, patch, result):
    assert patched(document, *patch) == result


@pytest.mark.parametrize(
    ("document", "patch"),
    [row[1:3] for row in APPENDIX_A if row[3] is None],
    ids=[str(row[0]) for row in APPENDIX_A if row[3] is None],
)
def test_an_error_of_the_rfc_is_refused(document, patch):
    with pytest.raises(BadRequest, match="Operation 0 of the patch"):
        patched(document, *patch)


@given(OBJECTS, st.data())
def test_what_is_added_beside_is_removed_again(document, data):
    name = data.draw(st.text(max_size=4).filter(lambda text: text not in document))
    path = "/" + name.replace("~", "~0").replace("/", "~1")

    assert (
        patched(document, {"op": "add", "path": path, "value": 1}, {"op": "remove", "path": path})
        == document
    )


@given(OBJECTS.filter(pointers), st.data())
def test_a_test_of_what_is_there_holds(document, data):
    path = data.draw(st.sampled_from(pointers(document)))
    value: object = document
    for part in path.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]  # type: ignore[index]

    assert patched(document, {"op": "test", "path": path, "value": value}) == document


@given(OBJECTS.filter(pointers), DOCUMENTS, st.data())
def test_what_was_replaced_is_what_stands_there(document, value, data):
    path = data.draw(st.sampled_from(pointers(document)))

    replaced = patched(document, {"op": "replace", "path": path, "value": value})

    assert patched(replaced, {"op": "test", "path": path, "value": value}) == replaced


@given(OBJECTS.filter(pointers), st.data())
def test_a_move_is_a_copy_and_a_removal(document, data):
    source = data.draw(st.sampled_from(pointers(document)))
    target = "/a name that no document has"

    moved = patched(document, {"op": "move", "from": source, "path": target})

    copied = patched(
        document, {"op": "copy", "from": source, "path": target}, {"op": "remove", "path": source}
    )
    assert moved == copied


@given(
    OBJECTS, st.lists(st.dictionaries(st.sampled_from(["op", "path", "from", "value"]), DOCUMENTS))
)
def test_nothing_but_a_bad_request_is_ever_raised(document, operations):
    with suppress(BadRequest):
        assert json.dumps(patched(document, *operations))


@given(
    OBJECTS,
    st.lists(
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
                "path": st.text("/~01a-", max_size=6),
                "from": st.text("/~01a-", max_size=6),
                "value": DOCUMENTS,
            }
        ),
        max_size=5,
    ),
)
def test_plausible_operations_give_a_document_or_a_bad_request(document, operations):
    with suppress(BadRequest):
        assert json.dumps(patched(document, *operations))


def test_digits_of_what_is_not_touched_stay():
    resource = b'{"a":1.00,"b":1E+2,"c":0.10}'

    done = apply(resource, b'[{"op":"replace","path":"/c","value":2.50}]')

    assert json.loads(done, parse_float=str) == {"a": "1.00", "b": "1E+2", "c": "2.50"}


@pytest.mark.parametrize(
    ("document", "value", "same"),
    [
        ("1", "1.0", True),
        ("1.0", "1", True),
        ("1", "true", False),
        ("0", "false", False),
        ("null", "null", True),
        ('"1"', "1", False),
        ('{"a":1,"b":2}', '{"b":2,"a":1.00}', True),
        ("[1,2]", "[2,1]", False),
        ("[1]", "[1,2]", False),
    ],
)
def test_values_are_compared_as_the_rfc_says(document, value, same):
    patch = b'[{"op":"test","path":"/a","value":%b}]' % value.encode()

    try:
        apply(b'{"a":%b}' % document.encode(), patch)
        holds = True
    except BadRequest:
        holds = False

    assert holds is same


@pytest.mark.parametrize(
    "patch",
    [
        b"",
        b"{}",
        b"null",
        b"[1]",
        b'[{"op":"fix"}]',
        b'[{"op":"add","path":"a","value":1}]',
        b'[{"op":"add","path":"/a"}]',
        b'[{"op":"remove","path":""}]',
        b'[{"op":"add","path":"/list/01","value":1}]',
        b'[{"op":"add","path":"/list/+1","value":1}]',
        b'[{"op":"add","path":"/list/3","value":1}]',
        b'[{"op":"remove","path":"/list/-"}]',
        b'[{"op":"add","path":"/list/99999999999999999999","value":1}]',
        '[{"op":"add","path":"/list/\u0661","value":1}]'.encode(),
        b'[{"op":"move","from":"/deep","path":"/deep/er"}]',
        b'[{"op":"add","path":"/a/b","value":1}]',
        b'[{"op":"add","path":"/n","value":NaN}]',
        b'[{"op":"add","path":"/n","value":Infinity}]',
        b'[{"op":"add","path":"/n","value":"\\ud800"}]',
        b'[{"op":"add","path":"/\\udfff","value":1}]',
        b"[" * 100_000,
        b'[{"op":"add","path":"/n","value":' + b"[" * 50_000 + b"]" * 50_000 + b"}]",
        b'[{"op":"add","path":"/n","value":' + b"9" * 10_000 + b"}]",
        b"[" + b",".join([b'{"op":"test","path":"","value":1}'] * 1001) + b"]",
        b"\xff",
    ],
)
def test_what_cannot_be_applied_is_a_bad_request(patch):
    with pytest.raises(BadRequest):
        apply(b'{"a":1,"list":[1,2],"deep":{}}', patch)


def test_copies_that_double_the_document_each_time_are_refused():
    double = [{"op": "copy", "from": "", "path": f"/{number}"} for number in range(100)]

    with pytest.raises(BadRequest):
        patched({"resourceType": "Patient"}, *double)


def test_copies_of_a_long_text_are_refused_before_they_fill_the_memory():
    copies = [{"op": "copy", "from": "/text", "path": f"/{number}"} for number in range(1000)]

    with pytest.raises(BadRequest):
        patched({"text": "x" * 1_000_000}, *copies)


def test_a_patch_that_fails_half_way_changes_nothing():
    document = {"name": ["a"]}

    with pytest.raises(BadRequest, match="Operation 1"):
        patched(
            document,
            {"op": "add", "path": "/name/-", "value": "b"},
            {"op": "test", "path": "/name/0", "value": "x"},
        )

    assert document == {"name": ["a"]}


def test_a_huge_exponent_is_compared_at_once():
    resource = b'{"a":1E+999999}'

    with pytest.raises(BadRequest):
        apply(resource, b'[{"op":"test","path":"/a","value":5}]')

    assert (
        Decimal("1E+999999")
        == json.loads(
            apply(resource, b'[{"op":"test","path":"/a","value":1E+999999}]'), parse_float=Decimal
        )["a"]
    )
