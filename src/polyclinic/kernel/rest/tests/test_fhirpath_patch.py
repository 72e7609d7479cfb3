"""FHIRPath Patch: what each operation makes of a resource, and why one is refused."""

import json
from typing import Any

import pytest

from polyclinic.kernel.errors import BadRequest, InvalidResource
from polyclinic.kernel.rest.fhirpath_patch import MOST_OPERATIONS, apply
from polyclinic.kernel.types import from_json, parse

URL = "http://example.org/pet"
ANN = {"family": "Ash", "given": ["Ann", "Amy"]}
BOB = {"text": "Bob"}


def patient(**more):
    return {"resourceType": "Patient", "id": "p"} | more


def observation(**more):
    return {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "x"},
    } | more


def operation(kind: str, path: str, **parts: Any) -> dict[str, Any]:
    """Return an operation; a part's value is its JSON, ``{"valueCode": …}``, a text or a number."""
    given: list[dict[str, Any]] = [
        {"name": "type", "valueCode": kind},
        {"name": "path", "valueString": path},
    ]
    for name, value in parts.items():
        match value:
            case str():
                given.append({"name": name, "valueString": value})
            case int():
                given.append({"name": name, "valueInteger": value})
            case _:
                given.append({"name": name, **value})
    return {"name": "operation", "part": given}


def patched(resource, *operations):
    patch = {"resourceType": "Parameters", "parameter": list(operations)}
    found = apply(from_json(resource).body, json.dumps(patch).encode())
    return json.loads(parse(found).body)


op = operation
YES = {"valueBoolean": True}
DAY = {"valueDate": "1930"}
CALLED = {"valueHumanName": BOB}
NAMED = {"name": "name", "valueHumanName": BOB}
PREGNANT = {"valueCodeableConcept": {"text": "yes"}}


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        # add
        (patient(), op("add", "Patient", name="birthDate", value=DAY),
         patient(birthDate="1930")),
        (patient(), op("add", "Patient", name="gender", value="male"), patient(gender="male")),
        (patient(), op("add", "Patient", name="name", value=CALLED),
         patient(name=[BOB])),
        (patient(name=[ANN]), op("add", "Patient", name="name", value=CALLED),
         patient(name=[ANN, BOB])),
        (patient(name=[ANN]), op("add", "Patient.name", name="given", value="Abe"),
         patient(name=[ANN | {"given": ["Ann", "Amy", "Abe"]}])),
        (patient(name=[ANN, BOB]),
         op("add", "Patient.name.where(text = 'Bob')", name="use", value={"valueCode": "usual"}),
         patient(name=[ANN, BOB | {"use": "usual"}])),
        (patient(), op("add", "Patient", name="contact", value={"part": [NAMED]}),
         patient(contact=[{"name": BOB}])),
        (patient(),
         op("add", "Patient", name="extension", value={"part": [
             {"name": "url", "valueUri": URL}, {"name": "value", "valueString": "cat"}]}),
         patient(extension=[{"url": URL, "valueString": "cat"}])),
        (patient(birthDate="1930"),
         op("add", "Patient.birthDate", name="extension", value={"part": [
             {"name": "url", "valueUri": URL}, {"name": "value[x]", "valueInteger": 3}]}),
         patient(birthDate="1930", _birthDate={"extension": [{"url": URL, "valueInteger": 3}]})),
        (patient(name=[ANN]),
         op("add", "Patient.name.given[1]", name="id", value="second"),
         patient(name=[ANN | {"_given": [None, {"id": "second"}]}])),
        (observation(), op("add", "Observation", name="value", value=PREGNANT),
         observation(**PREGNANT)),
        (observation(), op("add", "Observation", name="valueInteger", value=4),
         observation(valueInteger=4)),
        (patient(), op("add", "Patient", name="contained", value={
            "resource": {"resourceType": "Basic", "id": "b", "code": {"text": "y"}}}),
         patient(contained=[{"resourceType": "Basic", "id": "b", "code": {"text": "y"}}])),
        (patient(contact=[{"name": BOB}]),
         op("add", "Patient.contact[0]", name="period", value={"valuePeriod": {"start": "2020"}}),
         patient(contact=[{"name": BOB, "period": {"start": "2020"}}])),
        # insert
        (patient(name=[ANN]), op("insert", "Patient.name", index=0, value=CALLED),
         patient(name=[BOB, ANN])),
        (patient(name=[ANN]), op("insert", "Patient.name", index=1, value=CALLED),
         patient(name=[ANN, BOB])),
        (patient(name=[ANN]), op("insert", "Patient.name.given", index=1, value="Abe"),
         patient(name=[ANN | {"given": ["Ann", "Abe", "Amy"]}])),
        (patient(name=[ANN | {"_given": [None, {"id": "2"}]}]),
         op("insert", "Patient.name.given", index=0, value={
             "valueString": "Abe", "_valueString": {"id": "0"}}),
         patient(name=[ANN | {"given": ["Abe", "Ann", "Amy"],
                              "_given": [{"id": "0"}, None, {"id": "2"}]}])),
        # delete
        (patient(birthDate="1930"), op("delete", "Patient.birthDate"), patient()),
        (patient(birthDate="1930", _birthDate={"id": "b"}), op("delete", "Patient.birthDate"),
         patient()),
        (patient(birthDate="1930", _birthDate={"id": "b"}), op("delete", "Patient.birthDate.id"),
         patient(birthDate="1930")),
        (patient(), op("delete", "Patient.birthDate"), patient()),
        (patient(name=[ANN, BOB]), op("delete", "Patient.name[0]"), patient(name=[BOB])),
        (patient(name=[BOB]), op("delete", "Patient.name[0]"), patient()),
        (patient(name=[ANN]), op("delete", "Patient.name.given.where($this = 'Ann')"),
         patient(name=[ANN | {"given": ["Amy"]}])),
        (patient(contact=[{"name": BOB, "gender": "male"}]),
         op("delete", "Patient.contact[0].name.text"), patient(contact=[{"gender": "male"}])),
        (patient(contact=[{"name": BOB}], active=True),
         op("delete", "Patient.contact.name.text"), patient(active=True)),
        (patient(name=[ANN]), op("delete", "Patient.name.given.last()"),
         patient(name=[ANN | {"given": ["Ann"]}])),
        (observation(**PREGNANT), op("delete", "Observation.value.ofType(CodeableConcept)"),
         observation()),
        (patient(extension=[{"url": URL, "valueString": "cat"}]),
         op("delete", f"Patient.extension('{URL}')"), patient()),
        (patient(name=[ANN, BOB]), op("delete", "Patient.descendants().where(text = 'Bob')"),
         patient(name=[ANN])),
        # replace
        (patient(birthDate="1930"), op("replace", "Patient.birthDate", value={"valueDate": "1931"}),
         patient(birthDate="1931")),
        (patient(name=[ANN]), op("replace", "Patient.name.given[0]", value="Eve"),
         patient(name=[ANN | {"given": ["Eve", "Amy"]}])),
        (patient(name=[ANN]), op("replace", "Patient.name.first()", value=CALLED),
         patient(name=[BOB])),
        (observation(valueString="x"), op("replace", "Observation.value", value=PREGNANT),
         observation(**PREGNANT)),
        (patient(contact=[{"gender": "male"}]),
         op("replace", "Patient.contact", value={"part": [NAMED]}),
         patient(contact=[{"name": BOB}])),
        (patient(active=False), op("replace", "active", value=YES),
         patient(active=True)),
        (observation(valueQuantity={"value": 1.5}),
         op("replace", "Observation.value.value", value={"valueDecimal": 2.50}),
         observation(valueQuantity={"value": 2.5})),
        # move
        (patient(name=[ANN, BOB, {"text": "C"}]),
         op("move", "Patient.name", source=2, destination=0),
         patient(name=[{"text": "C"}, ANN, BOB])),
        (patient(name=[ANN, BOB, {"text": "C"}]),
         op("move", "Patient.name", source=0, destination=2),
         patient(name=[BOB, {"text": "C"}, ANN])),
        (patient(name=[ANN | {"_given": [None, {"id": "2"}]}]),
         op("move", "Patient.name.given", source=1, destination=0),
         patient(name=[ANN | {"given": ["Amy", "Ann"], "_given": [{"id": "2"}, None]}])),
    ],
)  # fmt: skip
def test_an_operation_changes_what_its_path_leads_to(before, change, after):
    assert patched(before, change) == json.loads(from_json(after).body)


def test_operations_follow_one_another():
    found = patched(
        patient(name=[ANN, BOB]),
        op("delete", "Patient.name[0]"),
        op("add", "Patient.name[0]", name="family", value="Birch"),
        op("add", "Patient", name="contact", value={"part": [NAMED]}),
        op("replace", "Patient.contact[0].name.text", value="C"),
    )

    assert found["name"] == [{"text": "Bob", "family": "Birch"}]
    assert found["contact"] == [{"name": {"text": "C"}}]


def test_a_patch_without_operations_changes_nothing():
    assert (
        apply(from_json(patient()).body, b'{"resourceType":"Parameters"}')
        == from_json(patient()).body
    )


def test_decimals_keep_their_digits():
    body = parse(
        b'{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},'
        b'"valueQuantity":{"value":1.00}}'
    ).body
    patch = (b'{"resourceType":"Parameters","parameter":[{"name":"operation","part":['
             b'{"name":"type","valueCode":"add"},{"name":"path","valueString":"Observation"},'
             b'{"name":"name","valueString":"referenceRange"},{"name":"value","part":['
             b'{"name":"low","valueQuantity":{"value":0.50}}]}]}]}')  # fmt: skip

    found = apply(body, patch)

    assert b'"value":1.00' in found
    assert b'"value":0.50' in found


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "change"}, "named operation"),
        (op("copy", "Patient"), "its type is one of add, insert"),
        ({"name": "operation", "part": [{"name": "type", "valueCode": "add"}]}, "a part path"),
        ({"name": "operation", "part": [{"name": "type", "valueCode": "add"}] * 2}, "given twice"),
        (op("add", "Patient.", name="active", value=YES), "Operation 1"),
        (op("add", "Patient.nothing", name="active", value=YES), "nothing"),
        (op("add", "Patient", value=YES), "a part name"),
        (op("add", "Patient", name="active"), "a part value"),
                (op("add", "Patient", name="nothing", value="x"), "no element nothing"),
        (op("add", "Patient", name="birthDate", value=DAY), "there already"),
        (op("add", "Patient", name="deceased", value=YES), "there already"),
        (op("add", "Patient.name[0]", name="period", value="y"), "a Period, not a string"),
        (op("add", "Patient", name="name", value="Bob"), "a HumanName, not a string"),
        (op("add", "Patient", name="deceased", value=CALLED), "takes no HumanName"),
        (op("add", "Patient", name="contact", value=CALLED), "not a HumanName"),
        (op("add", "Patient", name="gender", value={"part": [NAMED]}), "not made of parts"),
        (op("add", "Patient", name="contact", value={"part": [NAMED, NAMED]}), "given twice"),
        (op("add", "Patient", name="name", value={"resource": patient()}), "not a resource"),
        (op("add", "Patient.name.period", name="end", value={"valueDate": "2021"}),
         "leads to nothing"),
        (op("add", "Patient.name", name="use", value={"valueCode": "usual"}), "several elements"),
        (op("add", "Patient.name.count()", name="use", value="x"), "no element of the resource"),
        (op("add", "Patient.id", name="extension", value={"part": [
            {"name": "url", "valueUri": URL}]}), "takes no extensions"),
        (op("insert", "Patient.name", value=CALLED), "a part index"),
        (op("insert", "Patient.name", index=-1, value=CALLED), "a part index"),
        (op("insert", "Patient.name", index=3, value=CALLED), "behind the end"),
        (op("insert", "Patient.name[0]", index=0, value=CALLED), "one whole list"),
        (op("insert", "Patient.birthDate", index=0, value=DAY), "one whole list"),
        (op("insert", "Patient.telecom", index=0, value=CALLED), "leads to nothing"),
        (op("insert", "Patient.name", index=0, value="Bob"), "not a string"),
        (op("delete", "Patient.name"), "several elements"),
        (op("delete", "Patient"), "the whole resource"),
        (op("replace", "Patient", value={"resource": patient()}), "the whole resource"),
        (op("replace", "Patient.gender", value="male"), "leads to nothing"),
        (op("replace", "Patient.birthDate"), "a part value"),
        (op("replace", "Patient.managingOrganization.resolve()", value="x"), "leads to nothing"),
        (op("move", "Patient.name", source=0, destination=2), "beyond the list"),
        (op("move", "Patient.name", source=0), "a part destination"),
        (op("replace", "Patient.name.repeat(given | $this)", value="x"), "Operation 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_applied_is_refused_with_its_number(change, says):
    before = patient(name=[ANN, BOB], birthDate="1930", deceasedDateTime="2020")
    before["managingOrganization"] = {"reference": "Organization/1"}
    fine = op("add", "Patient", name="active", value=YES)

    with pytest.raises(BadRequest) as caught:
        patched(before, fine, change)

    (issue,) = caught.value.issues
    assert issue.diagnostics.startswith("Operation 1 of the patch cannot be applied: ")
    assert says in issue.diagnostics
    assert issue.expression == "Parameters.parameter[1]"


def test_what_is_no_parameters_resource_is_refused():
    for patch in (
        b"[]",
        b"{",
        b'{"resourceType":"Patient"}',
        b'{"resourceType":"Parameters","x":1}',
    ):
        with pytest.raises(InvalidResource):
            apply(from_json(patient()).body, patch)


def test_a_patch_costs_a_bounded_amount():
    change = op("delete", "Patient.birthDate")
    dear = op("delete", "Patient.descendants().descendants().descendants().where(false)")
    large = patient(name=[ANN] * 200)

    with pytest.raises(BadRequest, match=f"at most {MOST_OPERATIONS}"):
        patched(patient(), *[change] * (MOST_OPERATIONS + 1))
    with pytest.raises(BadRequest, match="characters together"):
        patched(patient(), *[op("delete", "Patient.birthDate" + " " * 2000)] * 40)
    with pytest.raises(BadRequest, match="steps"):
        patched(large, *[dear] * 200)
