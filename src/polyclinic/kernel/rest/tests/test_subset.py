"""What _summary and _elements leave of a resource."""

import msgspec
import pytest

from polyclinic.kernel.rest.subset import subset
from polyclinic.kernel.search.predicate import View
from polyclinic.kernel.types import RESOURCE_TYPES, parse, type_definition
from polyclinic.testing.isolation.population import of
from polyclinic.testing.isolation.samples import sample

TAG = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "meta": {"versionId": "3", "tag": [{"code": "kept"}]},
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
    "modifierExtension": [{"url": "urn:m", "valueString": "not"}],
    "extension": [{"url": "urn:e", "valueString": "left out"}],
    "status": "final",
    "category": [{"text": "laboratory"}],
    "code": {"text": "glucose", "extension": [{"url": "urn:e", "valueCode": "x"}]},
    "effectiveDateTime": "2026",
    "_effectiveDateTime": {"extension": [{"url": "urn:e", "valueCode": "x"}]},
    "valueQuantity": {"value": msgspec.Raw(b"1.00"), "unit": "mg"},
    "note": [{"text": "of the laboratory"}],
    "component": [
        {"code": {"text": "part"}, "referenceRange": [{"text": "all"}], "valueInteger": 2}
    ],
}
DATA = msgspec.json.encode(OBSERVATION)
VIEWS = [
    View(summary="true"),
    View(summary="text"),
    View(summary="data"),
    View(elements=("identifier", "status", "value[x]", "nothing-of-the-kind")),
]


def members(view, data=DATA):
    return msgspec.json.decode(subset(data, view))


def test_what_is_not_asked_for_leaves_the_bytes_alone():
    assert subset(DATA, View()) is DATA
    assert subset(DATA, View(summary="count")) is DATA


def test_a_summary_has_what_the_definition_says_here_and_below():
    found = members(View(summary="true"))

    assert set(found) == {
        *("resourceType", "id", "meta", "modifierExtension", "status", "code"),
        *("effectiveDateTime", "_effectiveDateTime", "valueQuantity", "component"),
    }
    assert found["component"] == [{"code": {"text": "part"}, "valueInteger": 2}]
    assert found["code"] == {"text": "glucose"}


def test_the_summary_of_the_text_has_the_text_and_what_is_mandatory():
    assert set(members(View(summary="text"))) == {
        *("resourceType", "id", "meta", "text", "modifierExtension", "status", "code"),
    }


def test_the_summary_of_the_data_has_all_but_the_text():
    assert set(members(View(summary="data"))) == set(OBSERVATION) - {"text"}


@pytest.mark.parametrize("name", ["value", "value[x]", "valueQuantity"])
def test_elements_are_those_that_were_named_and_what_is_mandatory(name):
    assert set(members(View(elements=(name, "note")))) == {
        *("resourceType", "id", "meta", "modifierExtension", "status", "code", "note"),
        "valueQuantity",
    }


@pytest.mark.parametrize("view", VIEWS, ids=repr)
def test_what_is_left_says_that_it_is_not_all(view):
    assert members(view)["meta"] == {"versionId": "3", "tag": [{"code": "kept"}, TAG]}


def test_what_says_so_already_does_not_say_it_twice():
    (view, *_) = VIEWS

    assert subset(subset(DATA, view), view) == subset(DATA, view)


def test_decimals_keep_their_digits():
    assert b'"value":1.00' in subset(DATA, View(summary="true"))
    assert b'"value":1.00' in subset(DATA, View(elements=("value",)))


def test_a_resource_within_another_is_summarised_as_what_it_is():
    inner = {"resourceType": "Patient", "id": "p", "gender": "other", "photo": [{"title": "x"}]}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": inner}]}

    (entry,) = members(View(summary="true"), msgspec.json.encode(bundle))["entry"]

    assert entry["resource"] == {"resourceType": "Patient", "id": "p", "gender": "other"}


@pytest.mark.parametrize("view", VIEWS, ids=repr)
@pytest.mark.parametrize("kind", RESOURCE_TYPES)
def test_what_is_left_of_any_resource_is_r4_and_part_of_it(view, kind):
    whole = sample(kind, "x", "birch", of("b"))
    left = members(view, msgspec.json.encode(whole))

    parse(msgspec.json.encode(left), resource_type=kind)
    assert set(left) - {"meta"} <= set(whole)
    assert {
        one.name for one in type_definition(kind).elements if one.required and not one.choice
    } <= (set(left))
