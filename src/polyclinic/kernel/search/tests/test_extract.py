"""What a resource can be found by."""

import math
from typing import Any

import pytest

from polyclinic.kernel.errors import InvalidResource
from polyclinic.kernel.search import extract as extraction
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.index_values import (
    DATE_MAX,
    DATE_MIN,
    MAX_NORMALISED,
    IndexValues,
    Measure,
    PositionValue,
    QuantityValue,
    ReferenceValue,
    TokenValue,
    UriValue,
)
from polyclinic.kernel.search.ranges import date_range
from polyclinic.kernel.types import from_json

BASE = "https://clinic.example/fhir/"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


def values(resource_type: str, **content: Any) -> IndexValues:
    return extract(from_json({"resourceType": resource_type, "id": "1", **content}), BASE)


def observation(**content: Any) -> IndexValues:
    coded = {"coding": [{"system": LOINC, "code": "8867-4", "display": "Heart rate"}]}
    return values("Observation", **{"status": "final", "code": coded, **content})


def of(rows: list[Any], param: str) -> list[Any]:
    return [row for row in rows if row.param == param]


def test_a_code_brings_the_system_of_its_binding():
    found = of(observation().tokens, "status")

    assert found == [TokenValue("status", "http://hl7.org/fhir/observation-status", "final")]


def test_a_concept_brings_each_coding_and_its_text():
    coding = [{"system": "s", "code": "a", "display": "A"}, {"code": "b"}, {"system": "t"}]
    found = of(observation(code={"coding": coding, "text": "Pulse"}).tokens, "code")

    assert found == [
        TokenValue("code", "s", "a", "A"),
        TokenValue("code", None, "b"),
        TokenValue("code", "t", None),
        TokenValue("code", None, None, "Pulse"),
    ]


def test_a_text_that_repeats_the_display_is_not_repeated():
    coding = [{"system": "s", "code": "a", "display": "Pulse"}]
    found = of(observation(code={"coding": coding, "text": "Pulse"}).tokens, "code")

    assert found == [TokenValue("code", "s", "a", "Pulse")]


def test_an_identifier_brings_its_type():
    kind = {"coding": [{"system": "types", "code": "MR"}], "text": "Record number"}
    identifier = [{"system": "s", "value": "12345", "type": kind}]

    assert of(values("Patient", identifier=identifier).tokens, "identifier") == [
        TokenValue("identifier", "s", "12345", "Record number", (("types", "MR"),))
    ]


def test_a_false_flag_is_a_value():
    found = of(values("Patient", active=False).tokens, "active")

    assert [token.code for token in found] == ["false"]


@pytest.mark.parametrize(
    ("content", "dead"),
    [
        ({}, "false"),
        ({"deceasedBoolean": False}, "false"),
        ({"deceasedBoolean": True}, "true"),
        ({"deceasedDateTime": "2020"}, "true"),
    ],
)
def test_deceased_is_always_known(content: dict[str, Any], dead: str):
    found = of(values("Patient", **content).tokens, "deceased")

    assert [token.code for token in found] == [dead]


def test_telecom_is_divided_by_its_system():
    telecom = [
        {"system": "phone", "value": "+1 (555) 123", "use": "home"},
        {"system": "email", "value": "Ann@Example.org"},
    ]
    found = values("Patient", telecom=telecom).tokens

    assert of(found, "phone") == [TokenValue("phone", "home", "1555123")]
    assert of(found, "email") == [TokenValue("email", None, "ann@example.org")]
    assert len(of(found, "telecom")) == 2


@pytest.mark.parametrize(
    "reference",
    ["Patient/p1", "Patient/p1/_history/3", f"{BASE}Patient/p1", f"{BASE}Patient/p1/_history/3"],
)
def test_a_reference_to_this_server_is_type_and_id(reference: str):
    found = observation(subject={"reference": reference})

    assert found.references == [
        ReferenceValue("patient", "Patient", "p1"),
        ReferenceValue("subject", "Patient", "p1"),
    ]
    assert found.patients == ["p1"]


@pytest.mark.parametrize(
    "reference",
    ["https://other.example/fhir/Patient/p1", "urn:uuid:0b1ce1c8-3a5d-4a37-9a5f-6a3b8ef4a8c2"],
)
def test_a_reference_to_elsewhere_is_a_uri(reference: str):
    found = observation(subject={"reference": reference})

    assert UriValue("subject", reference) in found.uris
    assert found.references == []
    assert found.patients == []


def test_a_reference_within_the_resource_is_left_out():
    contained = [{"resourceType": "Patient", "id": "p"}]
    found = observation(contained=contained, subject={"reference": "#p"})

    assert (found.references, found.uris) == ([], [])


def test_a_subject_of_another_type_is_no_patient():
    found = observation(subject={"reference": "Group/g1"})

    assert found.references == [ReferenceValue("subject", "Group", "g1")]
    assert found.patients == []


def test_a_reference_by_identifier_keeps_the_identifier():
    subject = {"type": "Patient", "identifier": {"system": "s", "value": "7"}}
    found = observation(subject=subject)

    assert found.identifiers == [
        TokenValue("patient", "s", "7"),
        TokenValue("subject", "s", "7"),
    ]


def test_a_canonical_is_found_with_and_without_its_version():
    found = values("Patient", meta={"profile": ["http://example.org/p|2.0"]}).uris

    assert found == [
        UriValue("_profile", "http://example.org/p|2.0"),
        UriValue("_profile", "http://example.org/p"),
    ]


def test_each_part_of_a_name_is_a_string():
    name = [{"family": "Müller", "given": ["Ann", "Eva"], "prefix": ["Dr."], "text": "Dr. Ann M."}]
    found = of(values("Patient", name=name).strings, "name")

    assert {row.normalised for row in found} == {"muller", "ann", "eva", "dr", "dr ann m"}
    assert {row.text for row in found} >= {"Müller", "Dr."}


def test_phonetic_is_how_the_name_sounds():
    found = of(values("Patient", name=[{"family": "Robert"}]).strings, "phonetic")

    assert [row.normalised for row in found] == ["r163"]


def test_each_part_of_an_address_is_a_string():
    address = [{"line": ["1 High St"], "city": "Köln", "postalCode": "50667", "country": "DE"}]
    found = of(values("Patient", address=address).strings, "address")

    assert {row.normalised for row in found} == {"1 high st", "koln", "50667", "de"}


def test_a_given_name_that_is_not_known_is_passed_over():
    name = [{"given": [None, "Ann"], "_given": [{"extension": [_absent()]}, None]}]
    found = of(values("Patient", name=name).strings, "given")

    assert [row.text for row in found] == ["Ann"]


def _absent() -> dict[str, str]:
    url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    return {"url": url, "valueCode": "unknown"}


def test_a_long_string_is_found_by_its_beginning_and_counted():
    found = values("Location", name="x" * (MAX_NORMALISED + 1))

    assert {len(row.normalised) for row in found.strings} == {MAX_NORMALISED}
    assert found.shortened == 1


def test_a_partial_date_is_a_range():
    (found,) = of(values("Patient", birthDate="1974-12").dates, "birthdate")

    assert (found.low, found.high) == (date_range("1974-12-01")[0], date_range("1975-01-01")[0])


def test_a_period_without_an_end_goes_on():
    (found,) = observation(effectivePeriod={"start": "2024"}).dates

    assert (found.low, found.high) == (date_range("2024")[0], DATE_MAX)


def test_a_period_without_a_start_was_always():
    (found,) = observation(effectivePeriod={"end": "2024"}).dates

    assert (found.low, found.high) == (DATE_MIN, date_range("2024")[1])


def test_a_timing_reaches_from_its_first_event_to_its_last():
    (found,) = observation(effectiveTiming={"event": ["2024-02", "2023", "2024-01"]}).dates

    assert (found.low, found.high) == (date_range("2023")[0], date_range("2024-02")[1])


def test_a_timing_without_events_has_the_bounds_of_its_repetition():
    repeat = {"boundsPeriod": {"start": "2023", "end": "2024"}}
    (found,) = observation(effectiveTiming={"repeat": repeat}).dates

    assert (found.low, found.high) == (date_range("2023")[0], date_range("2024")[1])


def test_a_quantity_keeps_what_its_digits_leave_open():
    quantity = {"value": 72.5, "unit": "kg", "system": UCUM, "code": "kg"}
    found = of(observation(valueQuantity=quantity).quantities, "value-quantity")

    base = Measure(UCUM, "g", 72450.0, 72550.0)
    assert found == [QuantityValue("value-quantity", UCUM, "kg", "kg", 72.45, 72.55, "72.5", base)]


@pytest.mark.parametrize(
    ("comparator", "low", "high"),
    [
        ("<", -math.inf, 5.0),
        ("<=", -math.inf, math.nextafter(5.0, math.inf)),
        (">=", 5.0, math.inf),
        (">", math.nextafter(5.0, math.inf), math.inf),
    ],
)
def test_a_comparator_opens_one_side(comparator: str, low: float, high: float):
    found = observation(valueQuantity={"value": 5, "comparator": comparator}).quantities

    assert (found[0].low, found[0].high) == (low, high)


def test_a_number_that_is_zero_is_a_value():
    found = of(observation(valueQuantity={"value": 0}).quantities, "value-quantity")

    assert [row.text for row in found] == ["0"]


def test_sampled_data_reaches_from_its_lowest_sample_to_its_highest():
    sampled = {
        "origin": {"value": 100, "unit": "mV"},
        "period": 10,
        "factor": 2,
        "dimensions": 1,
        "data": "1 E -3.5 U 2",
    }
    found = of(observation(valueSampledData=sampled).quantities, "value-quantity")

    assert [(row.low, row.high, row.unit) for row in found] == [
        (93.0, math.nextafter(104.0, math.inf), "mV")
    ]


def test_an_age_range_of_a_condition_includes_both_ends():
    found = values(
        "Condition",
        subject={"reference": "Patient/p1"},
        onsetRange={"low": {"value": 10, "code": "a"}, "high": {"value": 20, "code": "a"}},
    ).quantities

    assert found == [
        QuantityValue("onset-age", None, "a", None, 10.0, math.nextafter(20.0, math.inf), "")
    ]


def test_a_simple_quantity_is_found_though_it_has_no_comparator():
    quantity = {"value": 5.5, "system": UCUM, "code": "mg"}

    found = values("Substance", code={"text": "x"}, instance=[{"quantity": quantity}]).quantities

    base = Measure(UCUM, "g", 0.00545, 0.00555)
    assert found == [QuantityValue("quantity", UCUM, "mg", None, 5.45, 5.55, "5.5", base)]


def test_money_is_a_quantity_of_its_currency():
    found = values(
        "Invoice", status="issued", totalNet={"value": 10.00, "currency": "EUR"}
    ).quantities

    assert [(row.system, row.code) for row in found] == [("urn:iso:std:iso:4217", "EUR")]


def test_a_whole_number_is_a_number():
    found = values(
        "MolecularSequence",
        coordinateSystem=0,
        variant=[{"start": 100, "end": 101}],
    ).numbers

    assert {(row.param, row.text) for row in found} == {
        ("variant-start", "100"),
        ("variant-end", "101"),
    }


def test_a_location_is_somewhere():
    found = values("Location", position={"latitude": 52.5, "longitude": 13.4}).positions

    assert found == [PositionValue("near", 52.5, 13.4)]


def test_only_the_chosen_related_artifacts_are_taken():
    related = [
        {"type": "composed-of", "resource": "http://example.org/a"},
        {"type": "depends-on", "resource": "http://example.org/b"},
    ]
    found = values("Library", status="draft", type={"text": "x"}, relatedArtifact=related).uris

    assert of(found, "composed-of") == [UriValue("composed-of", "http://example.org/a")]
    assert of(found, "depends-on") == [UriValue("depends-on", "http://example.org/b")]


def test_a_document_is_found_by_the_composition_that_begins_it():
    composition = {
        "resourceType": "Composition",
        "id": "c1",
        "status": "final",
        "type": {"text": "Letter"},
        "date": "2024",
        "author": [{"display": "Ann"}],
        "title": "Letter",
    }
    entry = [{"resource": composition}, {"resource": {"resourceType": "Patient", "id": "p"}}]
    found = values("Bundle", type="document", entry=entry).references

    assert of(found, "composition") == [ReferenceValue("composition", "Composition", "c1")]


def test_a_patient_lies_in_its_own_compartment_and_those_of_its_links():
    link = [{"other": {"reference": "Patient/2"}, "type": "seealso"}]

    assert values("Patient", link=link).patients == ["1", "2"]


def test_every_parameter_of_the_compartment_counts():
    found = observation(subject={"reference": "Patient/b"}, performer=[{"reference": "Patient/a"}])

    assert found.patients == ["a", "b"]


def test_what_the_store_has_in_columns_is_not_extracted():
    params = {
        row.param for row in values("Patient", meta={"lastUpdated": "2024-01-01T00:00:00Z"}).dates
    }

    assert params == set()


def test_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(extraction, "MAX_VALUES", 3)

    with pytest.raises(InvalidResource, match="more than 3 searchable values"):
        values("Patient", name=[{"given": ["a", "b", "c", "d"]}])
