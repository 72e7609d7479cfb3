"""Composites: how their components meet, and the keys of one element."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.errors import InvalidResource
from polyclinic.kernel.search import tied_keys as tied
from polyclinic.kernel.search.composites import ties
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.hashing import hash_keys, tie_key, unmet_key
from polyclinic.kernel.search.index_values import IndexValues
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import Leaf, RefersTo, TokenIs
from polyclinic.kernel.search.tied_keys import asked_key, tied_keys
from polyclinic.kernel.types import RESOURCE_TYPES, from_json

KEY = b"the key of one tenant, 32 bytes."
PARAMS = parameters("Observation")
CODES = st.text("abc|:0", min_size=1, max_size=3)
CODINGS = st.lists(
    st.tuples(st.none() | st.text("st|:0", min_size=1, max_size=3), CODES), min_size=1, max_size=3
)
TIE = ties("Observation")["component-code-value-concept"][0]


def concept(codings: Any) -> dict[str, Any]:
    return {
        "coding": [
            {"code": code} if system is None else {"system": system, "code": code}
            for system, code in codings
        ]
    }


def observation(**content: Any) -> IndexValues:
    resource = {"resourceType": "Observation", "id": "1", "status": "final"}
    return extract(from_json({**resource, "code": concept([(None, "z")]), **content}))


def component(code: Any, value: Any) -> dict[str, Any]:
    return {"code": concept(code), "valueCodeableConcept": concept(value)}


def keys_of(values: IndexValues) -> set[int]:
    return set(hash_keys(values, values.resource_type, KEY))


def asked(first: Any, second: Any) -> int:
    code, value = PARAMS["component-code"], PARAMS["component-value-concept"]
    parts: list[Leaf] = [TokenIs(code, *first), TokenIs(value, *second)]
    return asked_key(parts, TIE, "Observation", KEY)


def test_composites_of_a_resource_itself_ask_the_parameters_over_the_same_elements():
    names = {
        code: [[own and own.code for own in tie.own] for tie in found]
        for code, found in ties("Observation").items()
    }

    assert names["code-value-quantity"] == [["code", "value-quantity"]]
    assert names["combo-code-value-concept"] == [["code", "value-concept"], [None, None]]
    assert names["component-code-value-quantity"] == [[None, None]]


def test_a_component_of_the_resource_beside_those_of_an_element_is_asked_for_itself():
    (tie,) = ties("MolecularSequence")["chromosome-variant-coordinate"]

    assert [own and own.code for own in tie.own] == ["chromosome", None, None]
    assert tie.ordered == (1, 2)


def test_composites_over_the_same_elements_share_their_tie():
    combo = ties("Observation")["combo-code-value-quantity"]
    alone = ties("Observation")["component-code-value-quantity"]

    assert combo[1] is alone[0]


def test_every_tie_of_a_type_has_a_name_of_its_own():
    for kind in RESOURCE_TYPES:
        found = {tie for several in ties(kind).values() for tie in several}
        assert len({tie.name for tie in found}) == len(found)


@given(CODINGS, CODINGS, st.data())
def test_an_element_is_found_by_each_pair_of_its_own(
    codes: list[Any], values: list[Any], data: st.DataObject
):
    found = keys_of(observation(component=[component(codes, values)]))
    first, second = data.draw(st.sampled_from(codes)), data.draw(st.sampled_from(values))

    assert asked((None, first[1]), (None, second[1])) in found
    assert asked((first[0] or "", first[1]), (None, second[1])) in found


def test_an_element_is_not_found_by_parts_of_two():
    found = keys_of(
        observation(
            component=[
                component([(None, "a")], [(None, "x")]),
                component([(None, "b")], [(None, "y")]),
            ]
        )
    )

    assert asked((None, "a"), (None, "x")) in found
    assert asked((None, "a"), (None, "y")) not in found
    assert tie_key("Observation", TIE, KEY) in found


def test_a_composite_of_the_resource_itself_has_no_keys():
    with_value = keys_of(observation(valueCodeableConcept=concept([("s", "a")])))
    value = PARAMS["value-concept"]

    assert len(with_value) == len(keys_of(observation())) + 4
    assert value.keyed_as == "value-concept"


def test_a_value_that_the_composite_does_not_take_is_marked():
    (tie,) = ties("Observation")["code-value-quantity"]
    sampled = {"origin": {"value": 0}, "period": 1, "dimensions": 1, "data": "1 2"}
    mark = unmet_key("Observation", tie, KEY)

    assert mark in keys_of(observation(valueSampledData=sampled))
    assert mark not in keys_of(observation(valueQuantity={"value": 1}))


def test_a_quantity_is_filed_under_the_code_of_its_element():
    one = {"code": concept([("s", "a")]), "valueQuantity": {"value": 1}}
    values = observation(component=[one])
    (composite, *_) = [
        found for found in values.composites if found.param == "component-code-value-quantity"
    ]
    (tie,) = ties("Observation")["component-code-value-quantity"]
    code = PARAMS["component-code"]
    found = tied_keys(composite, tie, values, KEY)

    assert asked_key([TokenIs(code, "s", "a")] * 2, tie, "Observation", KEY) in found
    assert asked_key([TokenIs(code, "s", None)] * 2, tie, "Observation", KEY) in found
    assert asked_key([TokenIs(code, "s", "b")] * 2, tie, "Observation", KEY) not in found


@pytest.mark.parametrize("system", [None, "", "http://hl7.org/fhir/document-relationship-type"])
def test_a_relationship_is_found_by_code_and_document(system: str | None):
    relates = [{"code": "replaces", "target": {"reference": "DocumentReference/2"}}]
    document = {
        "resourceType": "DocumentReference",
        "id": "1",
        "status": "current",
        "content": [{"attachment": {"title": "Letter"}}],
        "relatesTo": relates,
    }
    found = keys_of(extract(from_json(document)))
    known = parameters("DocumentReference")
    (tie,) = ties("DocumentReference")["relationship"]
    to = RefersTo(known["relatesto"], "DocumentReference", "2")

    for code in ("replaces", None) if system else ("replaces",):
        parts = (TokenIs(known["relation"], system, code), to)
        assert asked_key(parts, tie, "DocumentReference", KEY) in found


def test_more_combinations_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tied, "MAX_COMBINATIONS", 3)
    values = observation(component=[component([("s", "a")], [("s", "b")])])

    with pytest.raises(InvalidResource, match="more than 3 combinations"):
        hash_keys(values, "Observation", KEY)
