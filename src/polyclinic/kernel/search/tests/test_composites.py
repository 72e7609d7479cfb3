"""Composite parameters: values of one element that belong together."""

from typing import Any

from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.index_values import CompositeValue, IndexValues, ReferenceValue
from polyclinic.kernel.types import from_json


def values(resource_type: str, **content: Any) -> IndexValues:
    return extract(from_json({"resourceType": resource_type, "id": "1", **content}))


def observation(**content: Any) -> IndexValues:
    return values("Observation", status="final", code={"coding": [{"code": "8867-4"}]}, **content)


def of(rows: list[CompositeValue], param: str) -> list[Any]:
    return [row for row in rows if row.param == param]


def test_a_composite_keeps_the_parts_of_one_element_together():
    component = [
        {"code": {"coding": [{"code": "sys"}]}, "valueQuantity": {"value": 120}},
        {"code": {"coding": [{"code": "dia"}]}, "valueQuantity": {"value": 80}},
        {"code": {"coding": [{"code": "none"}]}},
    ]
    found = of(observation(component=component).composites, "component-code-value-quantity")

    assert [(row.components[0][0].code, row.components[1][0].text) for row in found] == [
        ("sys", "120"),
        ("dia", "80"),
    ]


def test_a_combined_composite_takes_the_observation_and_its_components():
    component = [{"code": {"coding": [{"code": "c"}]}, "valueQuantity": {"value": 2}}]
    found = observation(valueQuantity={"value": 1}, component=component).composites

    assert [
        (row.components[0][0].code, row.components[1][0].text)
        for row in of(found, "combo-code-value-quantity")
    ] == [("8867-4", "1"), ("c", "2")]


def test_the_rows_of_a_composite_are_not_rows_of_the_resource():
    found = observation(valueString="Red").strings

    assert [row.param for row in found] == ["value-string"]


def test_a_composite_may_reach_back_to_the_resource():
    found = values(
        "MolecularSequence",
        coordinateSystem=0,
        referenceSeq={"chromosome": {"coding": [{"code": "5"}]}, "windowStart": 1, "windowEnd": 2},
        variant=[{"start": 100, "end": 101}],
    ).composites
    (found_one,) = of(found, "chromosome-variant-coordinate")

    assert [part[0].param for part in found_one.components] == [
        "chromosome",
        "variant-start",
        "variant-end",
    ]


def test_a_document_relationship_joins_a_code_and_a_reference():
    found = values(
        "DocumentReference",
        status="current",
        content=[{"attachment": {"title": "Letter"}}],
        relatesTo=[{"code": "replaces", "target": {"reference": "DocumentReference/2"}}],
    ).composites

    assert [
        (row.components[0][0].code, row.components[1][0]) for row in of(found, "relationship")
    ] == [("replaces", ReferenceValue("relatesto", "DocumentReference", "2"))]
