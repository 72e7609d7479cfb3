"""A whole search request: its types, compartment, unknown and repeated parameters, and bounds."""

from typing import Any

import pytest

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    IdIs,
    InCompartment,
    InList,
    RefersTo,
    StringIs,
    TokenIs,
)
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.types import RESOURCE_TYPES

BASE = "https://clinic.example/fhir"
PATIENT = parameters("Patient")


def parse(types: Any, *given: tuple[str, str], **more: Any) -> Any:
    return parse_query(types, given, BASE, **more)


def test_what_is_unknown_is_reported_once_and_left_out():
    query, ignored = parse("Patient", ("nothing", "1"), ("nothing:exact", "1"), ("nothing", "2"))

    assert ignored == ("nothing", "nothing:exact")
    assert query.where == AllOf(())
    assert query.understood == ()


def test_what_is_unknown_is_an_error_for_who_is_strict():
    with pytest.raises(BadRequest, match="nothing: not a search parameter of Patient"):
        parse("Patient", ("nothing", "1"), strict=True)


def test_an_empty_value_limits_nothing_and_is_an_error_for_who_is_strict():
    query, ignored = parse("Patient", ("name", ""))

    assert (query.where, query.understood, ignored) == (AllOf(()), (), ())
    with pytest.raises(BadRequest, match="name has no value"):
        parse("Patient", ("name", ""), strict=True)


def test_a_parameter_given_twice_has_to_hold_twice():
    query, _ = parse("Patient", ("given", "a"), ("given", "b"))

    given = PATIENT["given"]
    assert query.where == AllOf((StringIs(given, "starts", "a"), StringIs(given, "starts", "b")))


def test_conditions_stand_in_the_order_of_what_they_became():
    query, _ = parse("Patient", ("gender", "male"), ("_count", "5"), ("_id", "1"))

    assert query.conditions == (("gender", "male"), ("_id", "1"))
    assert query.understood == (("gender", "male"), ("_count", "5"), ("_id", "1"))
    assert len(query.where.parts) == 2


def test_the_place_and_form_of_a_page_are_no_part_of_its_link():
    query, _ = parse("Patient", ("_after", "x"), ("_format", "json"), ("_pretty", "true"))

    assert (query.after, query.understood) == ("x", ())


def test_a_compartment_is_the_first_condition():
    within = InCompartment("Patient", "p")

    query, _ = parse("Observation", ("code", "a"), within=within)

    code = TokenIs(parameters("Observation")["code"], None, "a")
    assert query.where == AllOf((within, code))
    assert query.conditions == (("Patient", "p"), ("code", "a"))


def test_only_types_that_can_be_in_a_compartment_are_searched_there():
    query, _ = parse(("Patient", "Location", "Observation"), within=InCompartment("Patient", "p"))

    assert query.types == ("Patient", "Observation")


@pytest.mark.parametrize("owner", ["Location", "Nothing"])
def test_a_compartment_has_an_owner(owner: str):
    with pytest.raises(BadRequest, match="has no compartment"):
        parse("Observation", within=InCompartment(owner, "1"))


def test_a_type_that_is_in_no_such_compartment_is_refused():
    with pytest.raises(BadRequest, match="Location cannot be in the compartment of a Patient"):
        parse("Location", within=InCompartment("Patient", "1"))


def test_several_types_have_the_parameters_that_all_have():
    query, ignored = parse(("Patient", "Practitioner"), ("family", "a"), ("birthdate", "2000"))

    assert [part.param.code for part in query.where.parts] == ["family"]
    assert ignored == ("birthdate",)


def test_a_parameter_of_another_kind_is_not_shared():
    _, ignored = parse(("MedicinalProduct", "Location"), ("name", "a"), ("near", "1|1"))

    assert ignored == ("near",)


def test_a_reference_of_several_types_leads_to_the_targets_of_all():
    query, _ = parse(("Condition", "Observation"), ("subject", "1"))

    targets = {part.target for part in query.where.parts[0].parts}
    assert targets == {"Device", "Group", "Location", "Patient"}


def test_every_type_is_searched_by_what_all_have():
    everything = [name for name in RESOURCE_TYPES if name != "AuditEvent"]

    query, ignored = parse(everything, ("_id", "a,b"), ("_lastUpdated", "2020"), ("_list", "7"))

    assert ignored == ()
    assert query.types == tuple(everything)
    assert query.where.parts[0] == IdIs(("a", "b"))
    assert query.where.parts[2] == InList("7")


def test_what_the_server_recorded_is_searched_alone():
    query, _ = parse(("Patient", "AuditEvent"))

    assert query.types == ("Patient",)
    with pytest.raises(BadRequest, match="on their own"):
        parse(RESOURCE_TYPES, ("_type", "Patient,AuditEvent"))
    assert parse(RESOURCE_TYPES, ("_type", "AuditEvent"))[0].types == ("AuditEvent",)


def test_a_type_narrows_the_types():
    query, _ = parse(RESOURCE_TYPES, ("_type", "Observation,Condition"), ("code", "a"))

    assert set(query.types) == {"Observation", "Condition"}
    assert query.understood[0] == ("_type", "Observation,Condition")


@pytest.mark.parametrize("value", ["Nothing", "Patient,Nothing", "Observation"])
def test_a_type_that_is_not_searched_is_refused(value: str):
    with pytest.raises(BadRequest):
        parse("Patient", ("_type", value))


@pytest.mark.parametrize("value", ["7", "List/7"])
def test_a_list_is_named_by_its_id(value: str):
    assert parse("Patient", ("_list", value))[0].where.parts[0] == InList("7")


def test_one_of_several_lists_is_enough():
    assert parse("Patient", ("_list", "1,2"))[0].where.parts[0] == AnyOf((InList("1"), InList("2")))


@pytest.mark.parametrize("value", ["$current-problems", "a b", "Patient/1"])
def test_what_is_no_stored_list_is_refused(value: str):
    with pytest.raises(BadRequest, match="_list"):
        parse("Patient", ("_list", value))


def test_a_named_query_is_refused_since_it_would_mean_something_else():
    with pytest.raises(BadRequest, match="_query"):
        parse("Patient", ("_query", "current-high-risk"))


@pytest.mark.parametrize("name", ["patient", "Resource", "Nothing", ""])
def test_what_is_no_type_is_refused(name: str):
    with pytest.raises(BadRequest):
        parse(name)


def test_there_are_at_most_two_hundred_parameters():
    parse("Patient", *[("name", "a")] * 200)
    with pytest.raises(BadRequest, match="at most 200"):
        parse("Patient", *[("name", "a")] * 201)


def test_a_parameter_has_at_most_five_hundred_values():
    parse("Patient", ("name", ",".join("a" * 500)))
    with pytest.raises(BadRequest, match="over 500"):
        parse("Patient", ("name", ",".join("a" * 501)))


def test_a_search_has_at_most_five_thousand_conditions():
    with pytest.raises(BadRequest, match="over 5000 conditions"):
        parse("Provenance", ("target", ",".join("a" * 50)))


def test_the_name_of_a_parameter_has_an_end():
    with pytest.raises(BadRequest, match="at most 512"):
        parse("Patient", ("organization." * 100 + "name", "a"))


def test_a_reference_is_to_one_resource_of_a_named_type():
    query, _ = parse("Provenance", ("target", "Patient/1"))

    target = parameters("Provenance")["target"]
    assert query.where.parts[0] == RefersTo(target, "Patient", "1")


def test_audit_events_are_found_by_what_is_recorded():
    _, ignored = parse("AuditEvent", ("outcome", "0"), ("site", "a"), ("policy", "b"))

    assert ignored == ("site", "policy")
