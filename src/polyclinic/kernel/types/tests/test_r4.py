"""The TypedDicts are for the type checker; at run time they are plain dictionaries."""

from typing import assert_type

import pytest

from polyclinic.kernel.types import r4


def test_a_type_is_a_dictionary_at_run_time():
    patient: r4.Patient = {"resourceType": "Patient", "gender": "female"}

    assert r4.Patient is dict
    assert patient["gender"] == "female"


def test_the_checker_knows_each_element():
    encounter: r4.Encounter = {"resourceType": "Encounter", "class": {"code": "AMB"}}

    assert_type(encounter["class"], r4.Coding)
    assert encounter["class"]["code"] == "AMB"


def test_a_private_name_is_none_of_the_types():
    with pytest.raises(AttributeError):
        getattr(r4, "_" + "Patient")
