"""What remains of a resource that named somebody who was erased."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.store.erased_references import without

NAMES = st.sampled_from(["Patient/a", "Patient/ab", "Patient/b", "Patient/a/_history/2", "Group/a"])
REFERENCES = st.fixed_dictionaries(
    {"reference": NAMES}, optional={"display": st.text(), "type": st.just("Patient")}
)
RESOURCES = st.recursive(
    REFERENCES | st.text() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["subject", "member", "note"]), inner)
    ),
)


def references(value):
    """Yield every reference in a JSON value."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for one in value.values():
            yield from references(one)


def is_of_a(reference):
    return reference == "Patient/a" or reference.startswith("Patient/a/")


@given(RESOURCES)
def test_no_reference_to_the_patient_is_left_and_every_other_one_is(content):
    resource = {"resourceType": "List", "entry": content}

    left = without(json.dumps(resource).encode(), "a")

    before = list(references(resource))
    after = list(references(json.loads(left))) if left else before
    assert (left is None) == (not any(map(is_of_a, before)))
    assert after == [one for one in before if not is_of_a(one)]


def test_a_reference_keeps_its_type_and_nothing_else():
    resource = {
        "resourceType": "Observation",
        "text": {"status": "generated", "div": "<div>Amani</div>"},
        "performer": [
            {
                "reference": "Patient/a",
                "type": "Patient",
                "display": "Amani",
                "identifier": {"value": "7"},
            },
            {"reference": "Patient/b", "display": "Zuri"},
        ],
        "valueQuantity": {"value": "digits"},
    }
    body = json.dumps(resource).replace('"digits"', "1.00").encode()

    left = without(body, "a")

    assert left is not None
    assert b"Amani" not in left
    assert b'"value":1.00' in left
    assert json.loads(left)["performer"] == [
        {"type": "Patient", "display": "erased"},
        {"reference": "Patient/b", "display": "Zuri"},
    ]


@pytest.mark.parametrize("reference", ["Patient/abc", "https://elsewhere.example/fhir/Patient/a"])
def test_another_patient_is_left_alone(reference):
    assert without(json.dumps({"subject": {"reference": reference}}).encode(), "a") is None
