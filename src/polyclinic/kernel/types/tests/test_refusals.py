"""What breaks R4 is refused, and each fault is named with its expression."""

import json
import time
from typing import Any

import pytest

from polyclinic.kernel.errors import InvalidResource
from polyclinic.kernel.types import MAX_DEPTH, faults, parse
from polyclinic.kernel.types.walker import MAX_ISSUES

PATIENT = {"resourceType": "Patient", "id": "p"}
OBSERVATION = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "a"}}
CONDITION = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'


def refused(data):
    """Return the status and the expressions of a refusal."""
    with pytest.raises(InvalidResource) as caught:
        parse(data if isinstance(data, bytes) else json.dumps(data).encode())
    return caught.value.http_status, [issue.expression for issue in caught.value.issues]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"Patient",
        b'{"resourceType":"Patient","id":"p"',
        b'{"resourceType":"Patient","id":"p',
        b'{"resourceType":"Patient","id":"p"} x',
        b'{"resourceType":"Patient","id":"p",}',
        b"\xef\xbb\xbf" + b'{"resourceType":"Patient","id":"p"}',
        b'{"resourceType":"Patient","id":"p","name":[{"text":"\xff"}]}',
        '{"resourceType":"Patient","id":"p"}'.encode("utf-16"),
        b'{"resourceType":"Observation","id":"p","valueQuantity":{"value":NaN}}',
        b'{"resourceType":"Observation","id":"p","valueQuantity":{"value":-Infinity}}',
        b"[]",
        b"null",
        b'"Patient"',
        b"{}",
        b'{"id":"p"}',
        b'{"resourceType":"patient","id":"p"}',
        b'{"resourceType":"SubscriptionStatus","id":"p"}',
        b'{"resourceType":"Resource","id":"p"}',
        b'{"resourceType":1,"id":"p"}',
    ],
)
def test_what_is_no_resource_answers_400(data):
    status, expressions = refused(data)

    assert status == 400
    assert len(expressions) == 1


@pytest.mark.parametrize(
    ("data", "expression"),
    [
        (b'{"resourceType":"Patient","id":"p","active":true,"active":true}', "Patient.active"),
        (b'{"resourceType":"Patient","resourceType":"Patient","id":"p"}', "Patient.resourceType"),
        (b'{"resourceType":"Patient","id":"p","id":"p"}', "Patient.id"),
        (
            (
                b'{"resourceType":"Patient","id":"p","name":[{"text":"\\u0022\\u0022"}],'
                b'"active":true,"active":true}'
            ),
            "Patient.active",
        ),
        (
            (
                b'{"resourceType":"Patient","id":"p","contained":[{"resourceType":"Basic","id":"b",'
                b'"code":{"text":"a","text":"b"}}]}'
            ),
            "Patient.contained[0].code.text",
        ),
    ],
)
def test_a_repeated_name_answers_400(data, expression):
    assert refused(data) == (400, [expression])


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 10_000,
        b'{"resourceType":"Patient","id":"p","extension":' + b'[{"extension":' * 10_000,
        b'{"resourceType":"Bundle","id":"b","type":"collection","entry":'
        + b'[{"resource":{"resourceType":"Bundle","type":"collection","entry":' * 2_000,
        b'{"resourceType":"Basic","contained":[' * 5_000,
    ],
)
def test_text_that_nests_without_end_answers_400_at_once(data):
    started = time.perf_counter()

    status, expressions = refused(data)

    assert (status, expressions) == (400, [None])
    assert time.perf_counter() - started < 1


def nested(levels):
    """Return a Patient with extensions within one another, and the levels of its JSON."""
    extension: dict[str, Any] = {"url": "urn:x", "valueCode": "a"}
    for _ in range(levels):
        extension = {"url": "urn:x", "extension": [extension]}
    return json.dumps({**PATIENT, "extension": [extension]}).encode(), 3 + 2 * levels


def test_the_limit_of_depth_is_exact():
    deep, levels = nested((MAX_DEPTH - 3) // 2)
    deeper, more = nested((MAX_DEPTH - 3) // 2 + 1)

    assert levels <= MAX_DEPTH < more
    assert parse(deep).id == "p"
    assert refused(deeper) == (400, [None])


def test_the_limit_of_depth_holds_for_references_within_references():
    assigner: dict[str, Any] = {"display": "x" * 1500}
    for _ in range(MAX_DEPTH // 2):
        assigner = {"identifier": {"assigner": assigner}}
    data = json.dumps({**PATIENT, "managingOrganization": assigner}).encode()

    assert refused(data) == (400, [None])


def test_brackets_in_text_do_not_nest():
    text = '"' + "[{" * 500 + '\\"'

    assert parse(json.dumps({**PATIENT, "name": [{"text": text}]}).encode()).id == "p"


@pytest.mark.parametrize(
    ("resource", "expressions"),
    [
        ({**PATIENT, "nickname": "A"}, ["Patient.nickname"]),
        ({**PATIENT, "contact": [{"gender": "m"}]}, ["Patient.contact[0].gender"]),
        ({**PATIENT, "gender": "m", "birthDate": "2"}, ["Patient.gender", "Patient.birthDate"]),
        ({**PATIENT, "active": "true"}, ["Patient.active"]),
        ({**PATIENT, "active": 1}, ["Patient.active"]),
        ({**PATIENT, "active": None}, ["Patient.active"]),
        ({**PATIENT, "name": {"text": "A"}}, ["Patient.name"]),
        ({**PATIENT, "name": []}, ["Patient.name"]),
        ({**PATIENT, "name": [{}]}, ["Patient.name[0]"]),
        ({**PATIENT, "name": [{"id": "n"}]}, ["Patient.name[0]"]),
        ({**PATIENT, "name": [None]}, ["Patient.name[0]"]),
        ({**PATIENT, "name": ["A"]}, ["Patient.name[0]"]),
        ({**PATIENT, "name": [{"text": ""}]}, ["Patient.name[0].text"]),
        ({**PATIENT, "name": [{"text": "a\u0000"}]}, ["Patient.name[0].text"]),
        ({**PATIENT, "name": [{"text": "a\u000b"}]}, ["Patient.name[0].text"]),
        ({**PATIENT, "name": [{"text": "\ud800"}]}, ["Patient.name[0].text"]),
        ({**PATIENT, "name": [{"text": "a" * (1024 * 1024 + 1)}]}, ["Patient.name[0].text"]),
        ({**PATIENT, "name": [{"given": "A"}]}, ["Patient.name[0].given"]),
        ({**PATIENT, "name": [{"given": [None]}]}, ["Patient.name[0].given[0]"]),
        (
            {**PATIENT, "name": [{"given": ["A", None], "_given": [{"id": "a"}]}]},
            ["Patient.name[0].given[1]"],
        ),
        (
            {**PATIENT, "name": [{"given": [None], "_given": [None]}]},
            ["Patient.name[0].given[0]"],
        ),
        ({**PATIENT, "birthDate": "2000", "_birthDate": {}}, ["Patient.birthDate"]),
        ({**PATIENT, "_birthDate": {"id": "a"}}, ["Patient.birthDate"]),
        ({**PATIENT, "_birthDate": "2000"}, ["Patient.birthDate"]),
        ({**PATIENT, "_birthDate": {"extension": [{}]}}, None),
        ({**PATIENT, "_name": [{"id": "a"}]}, ["Patient.name"]),
        ({**PATIENT, "deceasedBoolean": True, "deceasedDateTime": "2000"}, ["Patient.deceased"]),
        ({**PATIENT, "deceasedBoolean": True, "_deceasedDateTime": {"id": "a"}}, None),
        ({**PATIENT, "deceasedString": "yes"}, ["Patient.deceasedString"]),
        ({**PATIENT, "link": [{"other": {"reference": "a"}}]}, ["Patient.link[0].type"]),
        (
            {**PATIENT, "link": [{}, {"type": "x"}]},
            [
                "Patient.link[0]",
                "Patient.link[0].other",
                "Patient.link[0].type",
                "Patient.link[1].other",
                "Patient.link[1].type",
            ],
        ),
        ({**PATIENT, "text": {"div": DIV + "a</div>"}}, ["Patient.text.status"]),
        ({**PATIENT, "text": {"status": "generated"}}, ["Patient.text.div"]),
        ({**PATIENT, "meta": {"versionId": "a b"}}, ["Patient.meta.versionId"]),
        ({**PATIENT, "meta": {"profile": ["a b"]}}, ["Patient.meta.profile[0]"]),
        ({**PATIENT, "meta": {"account": {"reference": "a"}}}, ["Patient.meta.account"]),
        ({"resourceType": "Observation", "id": "o"}, ["Observation.status", "Observation.code"]),
        ({**OBSERVATION, "valueQuantity": {"value": "1"}}, ["Observation.value.value"]),
        ({**OBSERVATION, "valueQuantity": {"value": True}}, ["Observation.value.value"]),
        ({**OBSERVATION, "valueQuantity": {"value": {"a": 1}}}, ["Observation.value.value"]),
        ({**OBSERVATION, "valueInteger": 1.0}, ["Observation.value"]),
        ({**OBSERVATION, "valueInteger": 2**31}, ["Observation.value"]),
        (
            {**OBSERVATION, "valueInteger": 1, "valueString": "a"},
            ["Observation.value"],
        ),
        ({**OBSERVATION, "issued": "2020-01-01"}, ["Observation.issued"]),
        ({**OBSERVATION, "effectiveDateTime": "2023-02-30"}, ["Observation.effective"]),
        ({**OBSERVATION, "effectiveDateTime": "2023-01-01T10:00:00"}, ["Observation.effective"]),
        (
            {**OBSERVATION, "extension": [{"url": "a", "valueCode": "a", "valueAge": {}}]},
            ["Observation.extension[0].value", "Observation.extension[0].value"],
        ),
        ({**OBSERVATION, "extension": [{"valueCode": "a"}]}, ["Observation.extension[0].url"]),
        (
            {**OBSERVATION, "contained": [{"resourceType": "Patient", "gender": "x"}]},
            ["Observation.contained[0].gender"],
        ),
        ({**CONDITION, "clinicalStatus": {"text": "active"}}, ["Condition.clinicalStatus"]),
        (
            {**CONDITION, "clinicalStatus": {"coding": [{"code": "active"}]}},
            ["Condition.clinicalStatus"],
        ),
        (
            {"resourceType": "Range", "id": "r"},
            None,
        ),
        (
            {
                "resourceType": "Observation",
                "id": "o",
                "status": "final",
                "code": {"text": "a"},
                "referenceRange": [{"low": {"value": 1, "comparator": "<"}}],
            },
            ["Observation.referenceRange[0].low.comparator"],
        ),
    ],
)
def test_a_broken_rule_is_named_with_its_expression(resource, expressions):
    status, found = refused(resource)

    if expressions is not None:
        assert (status, found) == (422, expressions)
    assert found


def test_contained_of_no_type_answers_400():
    found = refused({**PATIENT, "contained": [{"resourceType": "Nothing"}]})

    assert found == (400, ["Patient.contained[0].resourceType"])


def test_a_coding_of_the_required_value_set_is_enough():
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    codings = [{"code": "x", "system": "urn:x"}, {"code": "active", "system": system}]

    data = json.dumps({**CONDITION, "clinicalStatus": {"coding": codings}}).encode()

    assert faults(data) == ()
    assert parse(data).id == "c"


def test_messages_repeat_no_value_of_the_resource():
    secret = "Meyer-1234"
    resource = {
        **PATIENT,
        "gender": secret,
        "birthDate": secret,
        "active": secret,
        "name": [{"use": secret, "period": secret}],
        secret: secret,
    }

    issues = faults(json.dumps(resource).encode())

    assert len(issues) == 6
    assert not [issue for issue in issues if secret in f"{issue.diagnostics} {issue.expression}"]


def test_a_short_list_of_codes_is_told():
    (issue,) = faults(b'{"resourceType":"Patient","id":"p","gender":"m"}')

    assert issue.code == "code-invalid"
    assert "male, female, other, unknown" in issue.diagnostics


def test_so_many_faults_are_not_all_told():
    data = json.dumps({**PATIENT, "name": [{}] * (MAX_ISSUES + 50)}).encode()

    assert len(faults(data)) == MAX_ISSUES + 1


@pytest.mark.parametrize(
    ("data", "arguments"),
    [
        (b'{"resourceType":"Patient","id":"a"}', {"require_id": "b"}),
        (b'{"resourceType":"Patient"}', {"require_id": "b"}),
        (b'{"resourceType":"Patient","id":"a"}', {"resource_type": "Observation"}),
        (b'{"resourceType":"Patient","id":"a"}', {"resource_id": "a b"}),
    ],
)
def test_another_id_or_type_than_demanded_answers_400(data, arguments):
    with pytest.raises(InvalidResource) as caught:
        parse(data, **arguments)

    assert caught.value.http_status == 400


@pytest.mark.parametrize(
    "data", [b'{"resourceType":"Patient"}', b'{"resourceType":"Patient","id":"a b"}']
)
def test_a_resource_without_an_id_answers_422(data):
    with pytest.raises(InvalidResource) as caught:
        parse(data)

    assert caught.value.http_status == 422
    assert [issue.expression for issue in caught.value.issues] == ["Patient.id"]
