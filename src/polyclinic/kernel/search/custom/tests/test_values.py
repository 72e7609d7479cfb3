"""From a resource to the values of what a tenant defined; no definition can refuse a resource."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.errors import InvalidResource
from polyclinic.kernel.search.custom.changes import redefined
from polyclinic.kernel.search.custom.parameters import CustomParameters, Stored
from polyclinic.kernel.search.custom.values import MOST_VALUES
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.hashed_words import hash_words
from polyclinic.kernel.search.hashing import hash_keys
from polyclinic.kernel.search.index_values import (
    CompositeValue,
    DateValue,
    NumberValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from polyclinic.kernel.store.index import build, targets
from polyclinic.kernel.types import from_json

KEY = b"k" * 32
KINDS = ("token", "string", "uri", "reference", "number", "date", "quantity")
PIECES = (
    *("Patient", "name", "given", "family", "telecom", "value", "contact", "extension"),
    *("birthDate", "link", "other", "resolve()", "first()", "count()", "descendants()"),
    *("toString()", "upper()", "substring(1)", "exists()", "toQuantity()", "toDateTime()"),
    *("single()", "replicate(9)", "ofType(Coding)", "as(string)", "meta", "contained", "text"),
)
"""Of expressions: some work on no patient, some on a few, some give what nothing is made of."""


def defined(kind, expression, **more):
    body = {
        "resourceType": "SearchParameter",
        "id": "own",
        "url": "urn:own",
        "name": "Own",
        "status": "active",
        "description": "Of this test",
        "code": "own",
        "base": ["Patient"],
        "type": kind,
        "expression": expression,
    } | more
    return CustomParameters(redefined(Stored(), [("own", from_json(body))]))


def patient(**more):
    return from_json({"resourceType": "Patient", "id": "p"} | more)


FULL = patient(
    active=True,
    name=[{"family": "Meier", "given": ["Anna", "Eva"]}],
    telecom=[{"system": "phone", "use": "home", "value": "+43 (1) 2"}],
    birthDate="1950-03",
    contact=[
        {"gender": "male", "organization": {"reference": "Organization/1"}},
        {"gender": "female", "organization": {"reference": "Organization/2"}},
    ],
    link=[{"other": {"reference": "Patient/q"}, "type": "seealso"}],
    meta={"profile": ["urn:a|1"]},
    contained=[{"resourceType": "Organization", "id": "o", "name": "Inner"}],
    extension=[{"url": "urn:e", "valueDecimal": 1.50}, {"url": "urn:c", "valueCode": "x"}],
)


def rows(kind, expression, resource=FULL, **more):
    found = extract(resource, custom=defined(kind, expression, **more))
    lists = ("tokens", "references", "uris", "strings", "dates", "numbers", "quantities")
    mine = [row for name in lists for row in getattr(found, name) if row.param == "own"]
    return [*mine, *[row for row in found.composites if row.param == "own"]]


@pytest.mark.parametrize(
    ("kind", "expression", "expected"),
    [
        ("token", "Patient.extension('urn:c').value", [TokenValue("own", None, "x")]),
        ("token", "Patient.active.not()", [TokenValue("own", None, "false")]),
        (
            "token",
            "telecom",
            [TokenValue("own", "home", "+43 (1) 2"), TokenValue("own", "home", "4312")],
        ),
        ("string", "name.family.upper()", [StringValue("own", "MEIER", "meier")]),
        ("number", "name.given.count()", [NumberValue("own", 1.5, 2.5, "2")]),
        ("number", "extension('urn:e').value", [NumberValue("own", 1.45, 1.55, "1.5")]),
        ("reference", "link.other", [ReferenceValue("own", "Patient", "q")]),
        ("reference", "link.other.resolve()", [ReferenceValue("own", "Patient", "q")]),
        ("uri", "meta.profile", [UriValue("own", "urn:a|1"), UriValue("own", "urn:a")]),
        ("token", "name", None),
    ],
)
def test_values_are_made_of_what_the_expression_gives(kind, expression, expected):
    if expected is None:
        with pytest.raises(InvalidResource):
            defined(kind, expression)
    else:
        assert rows(kind, expression) == expected


def test_a_contained_resource_is_no_reference():
    assert rows("reference", "Patient.contained.where($this is Organization)") == []


def test_a_date_is_as_wide_as_it_is_written():
    (found,) = rows("date", "birthDate")

    assert isinstance(found, DateValue)
    assert found.high - found.low == 31 * 86_400_000_000


def test_a_composite_takes_its_components_of_one_element():
    component = [
        {"definition": "http://hl7.org/fhir/SearchParameter/individual-gender", "expression": one}
        for one in ("gender", "organization.reference")
    ]
    found = rows("composite", "Patient.contact", component=component)

    assert [type(one) for one in found] == [CompositeValue] * 2
    assert [[row.code for (row,) in one.components] for one in found] == [
        ["male", "Organization/1"],
        ["female", "Organization/2"],
    ]


@pytest.mark.parametrize(
    "expression",
    [
        "name.given + 'x'",
        "name.given.single()",
        "descendants().descendants().descendants().toString()",
        f"name.given.first().toChars().repeat($this & 'x').take({MOST_VALUES + 1})",
    ],
)
def test_what_fails_or_is_too_much_gives_nothing_and_is_noted(expression):
    found = extract(FULL, custom=defined("string", expression))

    assert found.faults == ("own",)
    assert not [row for row in found.strings if row.param == "own"]
    assert found.strings == extract(FULL).strings


def test_a_uri_of_too_many_segments_is_noted():
    deep = patient(extension=[{"url": "urn:u", "valueUri": "urn://a" + "/b" * 200}])

    assert extract(deep, custom=defined("uri", "extension('urn:u').value")).faults == ("own",)


def test_a_fault_has_a_key_of_its_own():
    custom = defined("string", "name.given + 'x'")
    plain = set(hash_keys(extract(FULL), "Patient", KEY))

    assert len(set(hash_keys(extract(FULL, custom=custom), "Patient", KEY)) - plain) == 1


def test_a_tenant_that_defined_nothing_has_the_same_rows():
    assert extract(FULL, custom=CustomParameters(Stored())) == extract(FULL)


@given(st.sampled_from(KINDS), st.lists(st.sampled_from(PIECES), min_size=1, max_size=5))
def test_no_definition_refuses_a_resource(kind, pieces):
    try:
        custom = defined(kind, ".".join(pieces))
    except InvalidResource:
        return

    found = extract(FULL, custom=custom)
    index = build(found, KEY, dict.fromkeys(targets(found), 1))

    assert index.keys == hash_keys(found, "Patient", KEY)
    assert index.words == hash_words(found, KEY)
    assert set(extract(FULL).tokens) <= set(found.tokens)
