"""A resource that holds to R4 is read, and written in its canonical form."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from polyclinic.kernel.errors import InvalidResource
from polyclinic.kernel.types import from_json, parse, splice

WHY = {"extension": [{"url": "http://example.org/why", "valueString": "unknown"}]}


def content_of(resource) -> Any:
    """Return the content of a resource, whose class is only known at run time."""
    return resource.content


def body_of(value, **arguments):
    return parse(json.dumps(value).encode(), **arguments).body


def test_the_body_is_compact_and_in_the_order_of_the_definition():
    data = b' { "gender" : "male", "id" : "p1", "active" : true, "resourceType" : "Patient" } '

    body = parse(data).body

    assert body == b'{"resourceType":"Patient","id":"p1","active":true,"gender":"male"}'


def test_a_decimal_keeps_its_digits():
    data = (
        b'{"resourceType":"Observation","id":"o","status":"final","code":{"text":"a"},'
        b'"valueQuantity":{"value":1.00},"referenceRange":[{"low":{"value":1E-7}}]}'
    )

    resource = parse(data)

    assert b'"value":1.00}' in resource.body
    assert b'"value":1E-7}' in resource.body
    assert bytes(content_of(resource).valueQuantity.value) == b"1.00"


def test_an_extension_of_a_primitive_stands_beside_it():
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "2000-02-29", "_birthDate": WHY}

    resource = parse(json.dumps(patient).encode())

    assert json.loads(resource.body) == patient
    assert content_of(resource).birthDate == "2000-02-29"
    assert content_of(resource).birthDate__ext.extension[0].valueString == "unknown"


def test_an_extension_stands_in_for_a_required_primitive():
    observation = {
        "resourceType": "Observation",
        "id": "o",
        "_status": WHY,
        "code": {"text": "a"},
    }

    assert json.loads(body_of(observation)) == observation


def test_null_holds_the_place_of_an_extension_in_a_list():
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "name": [{"given": ["Ann", None], "_given": [None, WHY]}],
    }

    assert json.loads(body_of(patient)) == patient


def test_a_contained_resource_is_of_its_own_type():
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "contained": [{"resourceType": "Organization", "id": "o", "name": "Ward"}],
    }

    resource = parse(json.dumps(patient).encode())

    assert content_of(resource).contained[0].fhir_type == "Organization"
    assert json.loads(resource.body) == patient


def test_a_name_that_python_reserves_is_read():
    encounter = {
        "resourceType": "Encounter",
        "id": "e",
        "status": "planned",
        "class": {"code": "AMB"},
    }

    resource = parse(json.dumps(encounter).encode())

    assert content_of(resource).class_.code == "AMB"


def test_what_is_absent_is_false():
    content = content_of(parse(b'{"resourceType":"Patient","id":"p"}'))

    assert content.name is msgspec.UNSET
    assert content.birthDate__ext is msgspec.UNSET
    assert not content.name


@pytest.mark.parametrize(
    ("meta", "kept"),
    [
        ({"versionId": "7", "lastUpdated": "2020-01-01T00:00:00Z"}, None),
        ({"versionId": "7", "_versionId": WHY, "_lastUpdated": WHY, "id": "m"}, None),
        ({"versionId": "7", "tag": [{"code": "x"}]}, {"tag": [{"code": "x"}]}),
        ({"profile": ["http://example.org/p"]}, {"profile": ["http://example.org/p"]}),
    ],
)
def test_version_and_time_are_not_kept_in_the_body(meta, kept):
    patient = {"resourceType": "Patient", "active": True, "meta": meta, "id": "p"}

    resource = parse(json.dumps(patient).encode())

    assert json.loads(resource.body).get("meta") == kept
    assert bool(content_of(resource).meta) == bool(kept)
    assert parse(resource.body).body == resource.body


@pytest.mark.parametrize("meta", [None, {"tag": [{"code": "x"}]}])
def test_version_and_time_are_spliced_into_the_body(meta):
    patient = {"resourceType": "Patient", "id": "p1", "active": True, "birthDate": "2000"}
    if meta:
        patient["meta"] = meta
    resource = from_json(patient)

    body = splice(resource.body, "Patient", "p1", 12, "2020-01-01T00:00:00.000Z")

    version = {"versionId": "12", "lastUpdated": "2020-01-01T00:00:00.000Z"}
    assert json.loads(body) == {**patient, "meta": {**version, **(meta or {})}}


def test_the_id_of_the_server_replaces_the_one_sent():
    body = body_of({"resourceType": "Patient", "id": "theirs", "active": True}, resource_id="ours")

    assert body == b'{"resourceType":"Patient","id":"ours","active":true}'


def test_the_id_of_the_server_is_added():
    resource = parse(b'{"active":true,"resourceType":"Patient"}', resource_id="ours")

    assert resource.id == content_of(resource).id == "ours"
    assert resource.body == b'{"resourceType":"Patient","id":"ours","active":true}'


def test_the_id_of_the_url_may_be_demanded():
    resource = parse(b'{"resourceType":"Patient","id":"p1"}', require_id="p1")

    assert resource.id == "p1"


def test_a_decimal_of_python_keeps_its_digits():
    value = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "a"},
        "valueQuantity": {"value": Decimal("1.00")},
    }

    assert from_json(value).body.endswith(b'"valueQuantity":{"value":1.00}}')


def test_text_that_looks_like_a_fault_is_none():
    text = 'C:\\base\\files {} [null] "" \t\n'
    patient = {"resourceType": "Patient", "id": "p", "name": [{"text": text}], "_gender": WHY}

    assert json.loads(body_of(patient)) == patient


def test_escapes_are_undone():
    body = parse(b'{"resourceType":"Patient","id":"p","name":[{"text":"\\u0022\\u00e9\\/"}]}').body

    assert body.decode() == '{"resourceType":"Patient","id":"p","name":[{"text":"\\"é/"}]}'


def test_a_resource_in_words_tells_nothing_about_the_patient():
    resource = parse(b'{"resourceType":"Patient","id":"p","name":[{"family":"Meyer"}]}')

    assert repr(resource) == str(resource) == "Resource(Patient/p)"


def test_a_float_that_is_no_number_is_refused():
    value = {"resourceType": "Observation", "id": "o", "valueQuantity": {"value": float("nan")}}

    with pytest.raises(InvalidResource):
        from_json(value)
