"""Chains and reverse chains."""

from typing import Any

import pytest

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import (
    AnyOf,
    Has,
    InList,
    Linked,
    Missing,
    Not,
    RefersTo,
    StringIs,
    TokenIs,
)
from polyclinic.kernel.search.query import parse_query

BASE = "https://clinic.example/fhir"
SUBJECT = parameters("Observation")["subject"]
PATIENT = parameters("Observation")["patient"]
PERFORMER = parameters("Observation")["performer"]
ORGANIZATION = parameters("Patient")["organization"]
NAME = parameters("Organization")["name"]
CODE = parameters("Observation")["code"]


def part(resource_type: str, name: str, value: str = "x") -> Any:
    query, ignored = parse_query(resource_type, [(name, value)], BASE)
    assert ignored == ()
    return query.where.parts[0]


def test_a_chain_leads_through_the_types_that_are_named():
    found = part("Observation", "subject:Patient.organization.name:exact", "Z")

    end = StringIs(NAME, "exact", "Z")
    assert found == Linked(SUBJECT, "Patient", Linked(ORGANIZATION, "Organization", end))


def test_a_chain_leads_to_each_type_that_has_the_parameter():
    found = part("Observation", "subject.name")

    assert [link.target for link in found.parts] == ["Location", "Patient"]


def test_each_type_at_the_end_has_its_own_parameter():
    found = part("Observation", "subject.name")

    assert [link.where.param for link in found.parts] == [
        parameters("Location")["name"],
        parameters("Patient")["name"],
    ]


def test_a_chain_may_end_with_an_id_a_list_or_what_is_missing():
    assert part("Observation", "patient._list", "7") == Linked(PATIENT, "Patient", InList("7"))
    assert part("Observation", "patient.organization:missing", "true") == Linked(
        PATIENT, "Patient", Missing(ORGANIZATION, missing=True)
    )
    assert part("Observation", "patient._id", "7").where.ids == ("7",)


def test_a_value_refers_to_the_same_server_at_the_end_of_a_chain():
    found = part("Observation", "patient.organization", f"{BASE}/Organization/1")

    assert found.where == RefersTo(ORGANIZATION, "Organization", "1")


def test_has_is_a_chain_in_reverse():
    found = part("Patient", "_has:Observation:patient:code", "a")

    assert found == Has("Observation", PATIENT, TokenIs(CODE, None, "a"))


def test_has_takes_modifiers():
    found = part("Patient", "_has:Observation:patient:code:not", "a,b")

    either = AnyOf((TokenIs(CODE, None, "a"), TokenIs(CODE, None, "b")))
    assert found == Has("Observation", PATIENT, Not(either))


def test_has_goes_on_in_itself():
    found = part("Patient", "_has:Observation:patient:_has:DiagnosticReport:result:status", "final")

    report = parameters("DiagnosticReport")
    end = TokenIs(report["status"], None, "final")
    inner = Has("DiagnosticReport", report["result"], end)
    assert found == Has("Observation", PATIENT, inner)


def test_has_in_has_must_refer_to_what_is_between():
    with pytest.raises(BadRequest, match="not to Observation"):
        part("Patient", "_has:Observation:patient:_has:Condition:asserter:code")


def test_a_chain_stands_within_has():
    found = part("Patient", "_has:Observation:patient:performer:Organization.name")

    assert found == Has(
        "Observation",
        PATIENT,
        Linked(PERFORMER, "Organization", StringIs(NAME, "starts", "x")),
    )


def test_has_stands_within_a_chain():
    found = part("Observation", "subject._has:Condition:patient:code")

    assert isinstance(found, Linked)
    assert found.target == "Patient"
    assert isinstance(found.where, Has)
    assert found.where.source == "Condition"


@pytest.mark.parametrize(
    ("resource_type", "name", "says"),
    [
        ("Observation", "subject:Patient.nothing", "Patient has no search parameter nothing"),
        ("Observation", "subject.nothing", "has a search parameter nothing"),
        ("Observation", "subject.", "has a search parameter"),
        ("Observation", "code.name", "only a reference"),
        ("Observation", "subject:Medication.code", "not to Medication"),
        ("Observation", "subject:Patient.name:nonsense", "Patient: name does not take"),
        ("Observation", "focus.status", "focus:Account.status"),
        ("Observation", "patient.birthdate:exact", "birthdate does not take"),
        ("MeasureReport", "measure:Patient.name", "not to Patient"),
        ("Library", "depends-on.name", "name one"),
        ("Patient", "_list.code", "on its own"),
        ("Provenance", "target:AuditEvent.date", "on their own"),
        ("Patient", "_has", "_has takes"),
        ("Patient", "_has:", "_has takes"),
        ("Patient", "_has:Observation", "_has takes"),
        ("Patient", "_has:Observation:patient", "_has takes"),
        ("Patient", "_has:Observation:patient:", "_has takes"),
        ("Patient", "_has:Nothing:patient:code", "no resource type"),
        ("Patient", "_has:Observation:nothing:code", "no search parameter 'nothing'"),
        ("Patient", "_has:Observation:patient:nothing", "no search parameter nothing"),
        ("Patient", "_has:Observation:code:code", "only a reference"),
        ("Patient", "_has:Observation:device:code", "not to Patient"),
        ("Patient", "_has:AuditEvent:patient:date", "on their own"),
        ("Patient", "_has:Observation:patient:code:exact", "does not take"),
    ],
)
def test_a_link_that_cannot_be_followed_is_refused(resource_type: str, name: str, says: str):
    with pytest.raises(BadRequest) as caught:
        parse_query(resource_type, [(name, "x")], BASE, strict=True)

    assert says in caught.value.issues[0].diagnostics


def test_eight_links_are_followed_and_nine_refused():
    name = ".".join(["partof:Organization"] * 8 + ["name"])

    assert isinstance(part("Organization", name), Linked)
    with pytest.raises(BadRequest, match="at most 8 links"):
        part("Organization", f"partof:Organization.{name}")


def test_links_to_many_types_are_counted_together():
    with pytest.raises(BadRequest, match="over 128 ways"):
        part("Procedure", ".".join(["part-of"] * 8 + ["status"]))


def test_a_bad_value_names_the_type_that_does_not_take_it():
    with pytest.raises(BadRequest, match=r"patient.birthdate: Patient: A date is"):
        part("Observation", "patient.birthdate", "never")
