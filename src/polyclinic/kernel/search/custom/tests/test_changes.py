"""What is kept when SearchParameter resources change: numbers rise where rows change only."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.errors import InvalidResource
from polyclinic.kernel.search.custom.changes import redefined
from polyclinic.kernel.search.custom.parameters import CustomParameters, Stored
from polyclinic.kernel.search.custom.refusal import MOST
from polyclinic.kernel.types import from_json

EMPTY = Stored()
EXPRESSIONS = ("meta.tag", "meta.security")
BASES = (["Patient"], ["Observation"], ["Patient", "Observation"])
IDS = ("one", "two", "three")


def resource(identity, **changes):
    return from_json(
        {
            "resourceType": "SearchParameter",
            "id": identity,
            "url": f"urn:{identity}",
            "name": identity,
            "status": "active",
            "description": "Of this test",
            "code": f"of-{identity}",
            "base": ["Patient"],
            "type": "token",
            "expression": "meta.tag",
        }
        | changes
    )


def after(*changed, stored=EMPTY):
    return redefined(stored, [(one.id, one) for one in changed])


def wanted(stored):
    return {name: one.wanted for name, one in stored.types.items()}


def test_a_definition_gives_its_types_the_next_number():
    stored = after(resource("one", base=["Patient", "Observation"]))

    assert wanted(stored) == {"Patient": 1, "Observation": 1}
    assert stored.since == {"one": {"Patient": 1, "Observation": 1}}


def test_another_one_of_the_type_leaves_the_first_as_it_was():
    first = after(resource("one"))

    stored = after(resource("two"), stored=first)

    assert wanted(stored) == {"Patient": 2}
    assert stored.since == {"one": {"Patient": 1}, "two": {"Patient": 2}}


@pytest.mark.parametrize("change", [{"description": "Other"}, {"url": "urn:other"}])
def test_what_decides_about_no_row_raises_no_number(change):
    first = after(resource("one"))

    assert wanted(after(resource("one", **change), stored=first)) == wanted(first)


@pytest.mark.parametrize(
    "change",
    [
        {"expression": "meta.security"},
        {"code": "other"},
        {"type": "string", "expression": "Patient.name.family"},
        {"status": "retired"},
        {"status": "draft"},
    ],
)
def test_what_decides_about_rows_raises_the_number(change):
    first = after(resource("one"))

    assert wanted(after(resource("one", **change), stored=first)) == {"Patient": 2}


def test_a_base_that_is_left_out_is_filed_anew_too():
    first = after(resource("one", base=["Patient", "Observation"]))

    stored = after(resource("one", base=["Observation"]), stored=first)

    assert wanted(stored) == {"Patient": 2, "Observation": 2}
    assert stored.since == {"one": {"Observation": 2}}


def test_one_takes_the_code_of_another_that_is_deleted_with_it():
    first = after(resource("one", code="same"))

    stored = redefined(first, [("two", resource("two", code="same")), ("one", None)])

    assert [one.id for one in stored.definitions] == ["two"]


def test_no_more_are_in_use_than_may_be():
    many = after(*(resource(f"n{number}", code=f"n{number}") for number in range(MOST)))

    with pytest.raises(InvalidResource, match=str(MOST)):
        after(resource("further"), stored=many)


def test_abstract_bases_are_all_types_but_the_audit_record():
    known = CustomParameters(after(resource("one", base=["Resource"])))

    assert known.find("Bundle", "of-one") is not None
    assert known.find("AuditEvent", "of-one") is None
    assert CustomParameters(after(resource("one", base=["DomainResource"]))).of("Bundle") == {}


CHANGE = st.one_of(
    st.tuples(st.sampled_from(IDS), st.none()),
    st.builds(
        lambda identity, expression, base, status: (
            identity,
            resource(identity, expression=expression, base=base, status=status),
        ),
        st.sampled_from(IDS),
        st.sampled_from(EXPRESSIONS),
        st.sampled_from(BASES),
        st.sampled_from(("active", "draft", "retired")),
    ),
)


@given(st.lists(CHANGE, max_size=12))
def test_whatever_happens_what_is_kept_follows_from_the_last_of_each(changes):
    stored, last = EMPTY, {}
    for identity, given_ in changes:
        before = stored
        stored = redefined(before, [(identity, given_)])
        last[identity] = given_
        assert all(wanted(stored).get(name, 0) >= one for name, one in wanted(before).items())

    active = {
        identity
        for identity, one in last.items()
        if one is not None and json.loads(one.body)["status"] == "active"
    }
    assert {one.id for one in stored.definitions} == active == set(stored.since)
    for one in stored.definitions:
        assert set(stored.since[one.id]) == set(one.base)
        assert all(stored.since[one.id][name] <= stored.types[name].wanted for name in one.base)
