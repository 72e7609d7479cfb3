"""The tables agree with themselves and with what R4 says of its size."""

import json
from itertools import groupby
from typing import Any

import pytest
from msgspec import UNSET

from polyclinic.kernel.types import (
    RESOURCE_TYPES,
    struct_class,
    type_definition,
    type_name,
    type_number,
)
from polyclinic.kernel.types.definitions import TABLES, codes
from polyclinic.kernel.types.depth import MAX_DEPTH, levels
from polyclinic.kernel.types.primitives import PRIMITIVES
from polyclinic.kernel.types.shapes import Shape
from polyclinic.kernel.types.structs import class_name

FILES = sorted(path.stem for path in TABLES.glob("*.json"))
TYPES = [name for name in FILES if name not in {"codes", "numbers"}]
ALL = [
    path for name in TYPES for path in json.loads((TABLES / f"{name}.json").read_text())["elements"]
]


def test_r4_has_146_resource_types():
    assert len(RESOURCE_TYPES) == 146
    assert set(RESOURCE_TYPES) == {n for n in TYPES if type_definition(n).kind == "resource"}


def test_the_data_types_of_r4_are_there():
    data_types = [name for name in TYPES if type_definition(name).kind == "complex-type"]

    assert len(data_types) == 41  # 39, Element, and the one profile that elements name


def test_a_resource_type_has_a_number_of_its_own():
    numbers = {type_number(name) for name in RESOURCE_TYPES}

    assert numbers == set(range(1, 147))
    assert [type_name(type_number(name)) for name in RESOURCE_TYPES] == list(RESOURCE_TYPES)


@pytest.mark.parametrize(
    ("name", "number"), [("Account", 1), ("Observation", 96), ("Patient", 103)]
)
def test_a_number_once_given_stays(name, number):
    assert type_number(name) == number


def test_no_number_stands_for_another_type():
    with pytest.raises(KeyError):
        type_number("SubscriptionStatus")
    with pytest.raises(KeyError):
        type_name(147)


def test_every_element_has_types_that_exist():
    unknown = {
        (path, type_)
        for path in ALL
        for element in type_definition(path).elements
        for type_ in element.types
        if type_ not in PRIMITIVES and type_ not in ALL and type_ != "Resource"
    }

    assert unknown == set()


def test_every_element_has_a_type_and_a_name_of_its_own():
    for path in ALL:
        definition = type_definition(path)
        assert all(element.types for element in definition.elements)
        assert len({e.name for e in definition.elements}) == len(definition.elements)
        assert sum(len(e.types) for e in definition.elements) == len(definition.properties)


def test_every_required_value_set_has_codes():
    bindings = {e.binding for path in ALL for e in type_definition(path).elements} - {None}

    assert len(bindings) > 200
    assert all(codes(binding) for binding in bindings)


def test_references_point_to_resource_types():
    targets = {t for path in ALL for e in type_definition(path).elements for t in e.targets}

    assert targets <= set(RESOURCE_TYPES)


def test_no_two_types_share_a_class_name():
    names = sorted(ALL, key=class_name)

    assert [list(g) for _, g in groupby(names, class_name) if len(list(g)) > 1] == []


@pytest.mark.parametrize("shape", list(Shape))
def test_every_type_has_a_class_in_both_shapes(shape) -> None:
    for path in ALL:
        built: Any = struct_class(path, shape)
        attributes = {p.attribute for p in type_definition(path).properties.values()}
        assert built.fhir_type == path
        assert {name for name in attributes if not hasattr(built, name)} == set()


def test_an_attribute_left_out_of_the_common_shape_is_unset() -> None:
    patient: Any = struct_class("Patient", Shape.COMMON)
    extension: Any = struct_class("Extension", Shape.COMMON)

    assert patient.birthDate__ext is extension.valueAge is UNSET


def test_a_type_that_holds_itself_has_no_limit_of_depth():
    assert levels("Questionnaire") > MAX_DEPTH
    assert levels("Bundle") > MAX_DEPTH
    assert levels("Patient") < 12


def test_the_identifier_of_a_resource_is_not_any_string():
    assert type_definition("Patient").properties["id"].type == "id"
    assert type_definition("HumanName").properties["id"].type == "string"


def test_the_corrections_hold():
    meta = type_definition("Meta").properties
    characteristic = type_definition("EvidenceVariable.characteristic").properties

    assert list(meta) == [
        "id",
        "extension",
        "versionId",
        "lastUpdated",
        "source",
        "profile",
        "security",
        "tag",
    ]
    assert "definitionTriggerDefinition" in characteristic
    assert "name" not in type_definition("ResearchStudy").properties
