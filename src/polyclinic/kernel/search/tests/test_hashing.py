"""A resource is found by each of its own values, and by none of another's."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.errors import InvalidResource
from polyclinic.kernel.search import hashing
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.hashing import (
    below_keys,
    compartment_key,
    contained_key,
    hash_keys,
    identifier_key,
    label_keys,
    of_type_keys,
    present_key,
    present_keys,
    reference_key,
    token_key,
    token_keys,
    uri_key,
)
from polyclinic.kernel.search.index_values import IndexValues
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.types import from_json

KEY = b"the key of one tenant, 32 bytes."
OTHER = b"the key of another, of 32 bytes."
PARAMS = parameters("Observation")

CODES = st.text("abc|:0\u00e9", min_size=1, max_size=4)
SYSTEMS = st.none() | st.text("st|:0", min_size=1, max_size=4)
CODINGS = st.lists(st.tuples(SYSTEMS, CODES), min_size=1, max_size=4)
IDS = st.text("ab1-", min_size=1, max_size=4)


def coding(system: str | None, code: str) -> dict[str, str]:
    return {"code": code} if system is None else {"system": system, "code": code}


def observation(codings: list[tuple[str | None, str]], **content: Any) -> IndexValues:
    code = {"coding": [coding(*one) for one in codings]}
    resource = {"resourceType": "Observation", "id": "1", "status": "final", "code": code}
    return extract(from_json({**resource, **content}))


def keys_of(values: IndexValues, key: bytes = KEY) -> set[int]:
    return set(hash_keys(values, values.resource_type, key))


def key(param: str, system: str | None, code: str | None) -> int:
    return token_key("Observation", PARAMS[param], system, code, KEY)


@given(CODINGS)
def test_each_form_of_each_coding_finds_the_resource(codings: list[tuple[str | None, str]]):
    own = {key("code", None, code) for _, code in codings}
    own |= {key("code", system or "", code) for system, code in codings}
    own |= {key("code", system, None) for system, _ in codings if system}

    assert own <= keys_of(observation(codings))


@given(CODINGS, SYSTEMS, CODES)
def test_a_coding_of_another_resource_does_not_find_it(
    codings: list[tuple[str | None, str]], system: str | None, code: str
):
    found = keys_of(observation(codings))

    assert (key("code", system or "", code) in found) == ((system, code) in codings)
    assert (key("code", None, code) in found) == (code in {each for _, each in codings})
    assert (key("code", system or "?", None) in found) == (
        system in {each for each, _ in codings if each}
    )


@given(IDS, IDS)
def test_a_reference_finds_its_own_target_only(own: str, other: str):
    found = keys_of(observation([(None, "a")], subject={"reference": f"Patient/{own}"}))

    for param in ("subject", "patient"):
        wanted = reference_key("Observation", PARAMS[param], "Patient", other, KEY)
        assert (wanted in found) == (own == other)


def test_a_group_is_a_subject_and_no_patient():
    found = keys_of(observation([(None, "a")], subject={"reference": "Group/1"}))

    assert reference_key("Observation", PARAMS["subject"], "Group", "1", KEY) in found
    assert reference_key("Observation", PARAMS["patient"], "Group", "1", KEY) not in found
    assert present_key("Observation", PARAMS["patient"], KEY) not in found


def test_a_reference_to_elsewhere_is_found_by_its_url():
    url = "https://other.example/fhir/Patient/1"
    found = keys_of(observation([(None, "a")], subject={"reference": url}))

    assert uri_key("Observation", PARAMS["subject"], url, KEY) in found
    assert uri_key("Observation", PARAMS["subject"], url + "2", KEY) not in found


def test_a_reference_by_identifier_is_found_by_the_identifier():
    subject = {"identifier": {"system": "s", "value": "7"}}
    found = keys_of(observation([(None, "a")], subject=subject))

    assert identifier_key("Observation", PARAMS["subject"], "s", "7", KEY) in found
    assert identifier_key("Observation", PARAMS["subject"], None, "7", KEY) in found
    assert identifier_key("Observation", PARAMS["patient"], "s", "7", KEY) not in found
    assert key("subject", "s", "7") not in found


@pytest.mark.parametrize("system", [None, "", "http://hl7.org/fhir/observation-status"])
def test_a_code_is_found_with_and_without_the_system_of_its_binding(system: str | None):
    found = keys_of(observation([(None, "a")]))

    assert key("status", system, "final") in found
    assert key("status", system, "amended") not in found


def test_a_code_is_not_found_under_another_system():
    assert key("status", "http://other.example", "final") not in keys_of(observation([("s", "a")]))


def test_any_code_of_the_system_of_a_binding_is_found():
    found = keys_of(observation([(None, "a")]))

    assert key("status", "http://hl7.org/fhir/observation-status", None) in found


def test_only_what_has_a_value_is_marked_so():
    values = observation([(None, "a")], valueString="Red", effectiveDateTime="2024")
    found = keys_of(values)
    marked = {
        code
        for code, param in PARAMS.items()
        if found & set(present_keys("Observation", param, KEY))
    }

    assert marked == {"code", "combo-code", "status", "value-string", "date"}


def test_a_union_of_parameters_is_found_by_the_keys_of_each():
    component = [{"code": {"coding": [{"system": "s", "code": "b"}]}}]
    found = keys_of(observation([("s", "a")], component=component))
    combo, code = PARAMS["combo-code"], PARAMS["code"]

    assert found & set(token_keys("Observation", combo, ("s", "a"), KEY))
    assert found & set(token_keys("Observation", combo, (None, "b"), KEY))
    assert found.isdisjoint(token_keys("Observation", combo, (None, "c"), KEY))
    assert found.isdisjoint(token_keys("Observation", code, (None, "b"), KEY))
    assert len(found) == len(keys_of(observation([("s", "a")]))) + 4


def test_parameters_and_types_do_not_share_keys():
    patient = extract(from_json({"resourceType": "Patient", "id": "1", "gender": "other"}))
    own = token_key("Patient", parameters("Patient")["gender"], None, "other", KEY)
    person = token_key("Person", parameters("Person")["gender"], None, "other", KEY)

    assert own in keys_of(patient)
    assert person not in keys_of(patient)


@given(CODINGS)
def test_tenants_do_not_share_keys(codings: list[tuple[str | None, str]]):
    values = observation(codings)

    assert keys_of(values).isdisjoint(keys_of(values, OTHER))


@given(CODINGS)
def test_keys_are_sorted_64_bit_and_the_same_each_time(codings: list[tuple[str | None, str]]):
    found = hash_keys(observation(codings), "Observation", KEY)

    assert found == sorted(set(found))
    assert all(-(2**63) <= one < 2**63 for one in found)
    assert found == hash_keys(observation(codings[::-1]), "Observation", KEY)


def test_an_identifier_is_found_by_its_type():
    kind = {"coding": [{"system": "types", "code": "MR"}]}
    identifier = [{"system": "s", "value": "12345", "type": kind}]
    patient = extract(from_json({"resourceType": "Patient", "id": "1", "identifier": identifier}))
    param = parameters("Patient")["identifier"]

    own, other = (
        set(of_type_keys("Patient", param, ("types", kind, "12345"), KEY)) for kind in ("MR", "SS")
    )
    assert own <= keys_of(patient)
    assert other.isdisjoint(keys_of(patient))


def test_a_telephone_number_is_found_however_it_is_written():
    telecom = [{"system": "phone", "value": "+1 (555) 123-4567"}]
    patient = extract(from_json({"resourceType": "Patient", "id": "1", "telecom": telecom}))
    param = parameters("Patient")["phone"]

    assert token_key("Patient", param, None, "+1 555 1234567", KEY) in keys_of(patient)
    assert token_key("Patient", param, None, "5551234567", KEY) not in keys_of(patient)


def test_an_uri_is_found_below_each_of_its_paths():
    url = "http://example.org/fhir/ValueSet/v1"
    values = extract(
        from_json({"resourceType": "ValueSet", "id": "v", "url": url, "status": "draft"})
    )
    param = parameters("ValueSet")["url"]
    found = keys_of(values)

    for above in ("http://example.org", "http://example.org/fhir", url):
        assert found & set(below_keys("ValueSet", param, above, KEY))
    for other in ("http://example.org/fh", "http:", "http://example.org/fhir/CodeSystem"):
        assert found.isdisjoint(below_keys("ValueSet", param, other, KEY))


def test_an_uri_of_more_segments_than_the_limit_is_refused():
    url = "http://example.org" + "/a" * 200
    values = extract(
        from_json({"resourceType": "ValueSet", "id": "v", "url": url, "status": "draft"})
    )

    with pytest.raises(InvalidResource, match="more than 128 path segments"):
        hash_keys(values, "ValueSet", KEY)


def test_a_url_of_elsewhere_is_kept_apart_for_what_refers_to_patients_only():
    group = {"reference": "https://other.example/fhir/Group/1"}
    found = keys_of(observation([(None, "a")], subject=group))

    assert uri_key("Observation", PARAMS["subject"], group["reference"], KEY) in found
    assert uri_key("Observation", PARAMS["patient"], group["reference"], KEY) not in found


def test_what_contains_a_type_is_marked_so():
    contained = [{"resourceType": "Device", "id": "d"}]
    found = keys_of(observation([(None, "a")], contained=contained))

    assert contained_key("Observation", "Device", KEY) in found
    assert contained_key("Observation", "Patient", KEY) not in found


def test_two_texts_never_run_into_one():
    first = observation([("a", "b|c")])
    second = observation([("a|b", "c")])

    assert key("code", "a", "b|c") in keys_of(first)
    assert key("code", "a", "b|c") not in keys_of(second)


def test_long_values_do_not_fill_the_caches():
    long = "x" * 10_000
    elsewhere = {"reference": f"https://other.example/{long}"}
    values = observation([(long, "a"), ("s", long)], subject=elsewhere)
    hashing._token.cache_clear()
    hashing._uri.cache_clear()

    found = hash_keys(values, "Observation", KEY)

    assert key("code", long, "a") in found
    assert hashing._token.cache_info().currsize == 1  # the status alone
    assert hashing._uri.cache_info().currsize == 0


def test_a_resource_has_a_key_for_each_compartment_that_it_lies_in():
    values = extract(
        from_json(
            {
                "resourceType": "Observation",
                "id": "o",
                "status": "final",
                "code": {"text": "Weight"},
                "subject": {"reference": "Patient/a"},
                "performer": [{"reference": "Patient/b"}],
            }
        )
    )

    keys = hash_keys(values, "Observation", KEY)

    assert {compartment_key("Observation", one, KEY) for one in "ab"} <= set(keys)
    assert compartment_key("Observation", "c", KEY) not in keys
    assert compartment_key("Condition", "a", KEY) not in keys


def test_labels_are_the_keys_that_a_search_by_security_asks_for():
    labels = [{"system": "urn:s", "code": "V"}, {"code": "plain"}, {"system": "urn:s"}]
    values = extract(
        from_json(
            {
                "resourceType": "Basic",
                "id": "b",
                "meta": {"security": labels},
                "code": {"text": "x"},
            }
        )
    )
    param = parameters("Basic")["_security"]

    found = label_keys(values, "Basic", KEY)

    assert set(found) == {
        token_key("Basic", param, "urn:s", "V", KEY),
        token_key("Basic", param, "", "plain", KEY),
    }
    assert set(found) <= set(hash_keys(values, "Basic", KEY))
