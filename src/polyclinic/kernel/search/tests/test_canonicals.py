"""What canonicals name, and what answers to them."""

import pytest

from polyclinic.kernel.search.canonicals import (
    Definition,
    answers,
    by_id,
    by_url,
    canonical_types,
    led_to,
    named,
    resolved,
)
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.types import RESOURCE_TYPES, from_json

URL = "http://example.org/Questionnaire/q"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ()),
        ({"url": URL}, (URL,)),
        ({"url": URL, "version": "1.0"}, (URL, f"{URL}|1.0")),
        ({"version": "1.0"}, ()),
    ],
)
def test_a_definition_answers_to_its_url_with_its_version_and_without(more, expected):
    one = {"resourceType": "Questionnaire", "id": "q", "status": "active"} | more

    assert answers(from_json(one)) == expected


def test_the_address_of_a_device_is_no_canonical():
    one = {"resourceType": "Device", "id": "d", "url": "http://device.example.org"}

    assert answers(from_json(one)) == ()
    assert {"Questionnaire", "ValueSet", "Contract"} <= canonical_types()
    assert {"Device", "DeviceDefinition", "Patient"}.isdisjoint(canonical_types())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (URL, URL),
        (f"{URL}|1", f"{URL}|1"),
        (f"{URL}|1#a", f"{URL}|1"),
        (f"{URL}|", URL),
        ("#a", ""),
    ],
)
def test_a_fragment_is_a_part_of_what_a_canonical_names(text, expected):
    assert named(text) == expected


def test_a_version_is_no_other_than_itself():
    one = {
        "resourceType": "QuestionnaireResponse",
        "id": "r",
        "status": "completed",
        "questionnaire": f"{URL}|1",
    }

    found = extract(from_json(one))

    assert [value.uri for value in found.canonicals] == [f"{URL}|1"]
    assert [value.uri for value in found.uris] == [f"{URL}|1", URL]


def test_a_link_leads_to_definitions_only():
    assert led_to(parameters("RequestGroup")["instantiates-canonical"]) == tuple(
        name for name in RESOURCE_TYPES if name in canonical_types()
    )
    assert led_to(parameters("Library")["depends-on"]) == led_to(
        parameters("RequestGroup")["instantiates-canonical"]
    )
    assert led_to(parameters("Observation")["patient"]) == ("Patient",)


def test_no_parameter_refers_both_by_id_and_by_canonical():
    both = [
        (name, code)
        for name in RESOURCE_TYPES
        for code, param in parameters(name).items()
        if by_id(param) and by_url(param)
    ]

    assert both == []


def test_of_several_definitions_the_last_one_is_meant():
    older = Definition((1, 9), "older", ("u", "u|1"))
    newer = Definition((2, 1), "newer", ("u", "u|2"))

    found = resolved([newer, older])

    assert {name: one.id for name, one in found.items()} == {
        "u": "newer",
        "u|1": "older",
        "u|2": "newer",
    }
