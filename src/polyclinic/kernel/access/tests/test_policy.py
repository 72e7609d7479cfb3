"""A policy as a document: what is refused, and where the text says the fault is."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.access.policy import InvalidPolicy, Verb, read_policy, shipped

GOOD = {
    "name": "small",
    "title": "A small one",
    "groups": {"lab": ["Specimen", "DiagnosticReport"]},
    "roles": {
        "reader": {"title": "Reads", "rules": [{"may": ["read"], "on": ["@lab", "Patient"]}]},
    },
}


def policy(**changes):
    return read_policy(msgspec.json.encode(GOOD | changes))


def role(**rule):
    return {"reader": {"title": "Reads", "rules": [{"may": ["read"], "on": ["*"], **rule}]}}


def test_a_group_stands_for_its_types():
    found = policy()

    assert found.granted("reader", Verb.READ, "Specimen")
    assert not found.granted("reader", Verb.READ, "Observation")
    assert not found.granted("reader", Verb.UPDATE, "Specimen")


def test_an_exception_takes_types_out():
    found = policy(roles=role(but=["@lab"]))

    assert found.granted("reader", Verb.READ, "Patient")
    assert not found.granted("reader", Verb.READ, "Specimen")


def test_no_policy_lets_a_client_write_what_the_server_writes():
    found = policy(roles=role(may=["create", "read", "update", "delete"]))

    assert found.granted("reader", Verb.READ, "AuditEvent")
    assert not found.granted("reader", Verb.CREATE, "AuditEvent")
    assert not found.granted("reader", Verb.UPDATE, "AuditEvent")
    assert not found.granted("reader", Verb.DELETE, "AuditEvent")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"roles": role(on=["Patients"])}, "roles.reader.rules[0]: Patients is neither"),
        ({"roles": role(on=["@labs"])}, "@labs is neither"),
        ({"roles": role(on=["Patient"], but=["Patient"])}, "allows nothing"),
        ({"roles": role(may=[])}, "allows nothing"),
        ({"roles": role(may=["dance"])}, "dance"),
        ({"roles": role(whose="mine")}, "mine"),
        ({"roles": role(when="now")}, "when"),
        ({"roles": role(on=["Patient"], where="colour=red")}, "colour"),
        ({"roles": role(on=["Patient"], where="name=Ada")}, "only tokens"),
        ({"roles": role(on=["Patient"], where="gender=")}, "has no value"),
        ({"roles": role(on=["Patient"], where="_count=5")}, "only search parameters"),
        ({"roles": role(on=["Patient"], where="gender=male&_sort=name")}, "only search parameters"),
        ({"roles": role(on=["Patient"], where="_id:missing=false")}, "only tokens"),
        ({"roles": role(on=["Patient"], where="gender:not=male")}, "only tokens"),
        ({"roles": role(on=["Patient"], where="gender:in=http://v")}, "only tokens"),
        ({"roles": role(on=["Patient"], where="organization.name=a")}, "only tokens"),
        ({"roles": role(on=["Patient"], where="_has:Basic:patient:code=a")}, "only tokens"),
        ({"roles": role(on=["Patient"], where="_list=7")}, "only tokens"),
        ({"roles": role(on=["Patient"], where="_filter=gender ne male")}, "only tokens"),
        ({"roles": role(on=["Patient"], where="gender:not=male")}, ":not"),
        ({"groups": {"a": ["@b"], "b": ["Patient"]}, "roles": role(on=["@a"])}, "names types only"),
        ({"withheld": [{"label": "V"}]}, "system|code"),
        ({"withheld": [{"label": "s|V", "but": ["king"]}]}, "no role king"),
        ({"more": 1}, "more"),
    ],
)
def test_a_fault_is_named(changes, words):
    with pytest.raises(InvalidPolicy) as raised:
        policy(**changes)

    assert words in str(raised.value)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_what_is_no_policy_is_refused_cleanly(data):
    with pytest.raises(InvalidPolicy):
        read_policy(data)


def test_a_policy_of_a_megabyte_is_refused_before_it_is_read():
    with pytest.raises(InvalidPolicy, match="bytes"):
        read_policy(b" " * 1_000_000)


def test_what_ships_survives_being_written_and_read():
    document = shipped("need-to-know").document

    assert read_policy(msgspec.json.encode(document)).document == document
