"""The plain searches that a chart needs, over HTTP, on the real store."""

import asyncio
from itertools import pairwise

import pytest

from polyclinic.testing.clinic import Clinic

LOINC = "http://loinc.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def patient(identity, **more):
    return {"resourceType": "Patient", "id": identity} | more


def observation(identity, subject, **more):
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "8302-2"}]},
        "subject": {"reference": f"Patient/{subject}"},
    } | more


async def ids(fhir, address):
    """Return the ids of all pages, in order."""
    found = []
    while address:
        answer = await fhir.get(address)
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        found += [
            entry["resource"]["id"]
            for entry in bundle.get("entry", [])
            if entry["search"]["mode"] == "match"
        ]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        address = links.get("next")
    return found


async def test_by_patient_finds_only_that_patients(fhir, clinic: Clinic):
    await clinic.put(observation("mine", "a"))
    await clinic.put(observation("other", "b"))

    assert await ids(fhir, "Observation?patient=a") == ["mine"]
    assert await ids(fhir, "Observation?patient=Patient/a") == ["mine"]
    assert await ids(fhir, "Observation?subject=Patient/a") == ["mine"]
    assert await ids(fhir, "Observation?subject:Patient=a") == ["mine"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (f"{LOINC}|8302-2", True),
        ("8302-2", True),
        (f"{LOINC}|", True),
        ("|8302-2", False),
        (f"{LOINC}|8302-3", False),
        (f"{LOINC}|x,{LOINC}|8302-2", True),
    ],
)
async def test_by_code_with_and_without_its_system(fhir, clinic: Clinic, code, found):
    await clinic.put(observation("height", "a"))

    assert (await ids(fhir, f"Observation?code={code}") == ["height"]) is found


async def test_by_category_and_patient_sorted_by_date_with_missing_dates_last(fhir, clinic: Clinic):
    vital = [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}]
    dates = {"old": "2019", "new": "2024-05-01T10:00:00Z", "middle": "2021-03", "none": None}
    for name, date in dates.items():
        more = {"effectiveDateTime": date} if date else {}
        await clinic.put(observation(name, "a", category=vital, **more))
    await clinic.put(observation("lab", "a", effectiveDateTime="2022"))

    address = "Observation?patient=a&category=vital-signs&_count=2&_sort="

    assert await ids(fhir, address + "-date") == ["new", "middle", "old", "none"]
    assert await ids(fhir, address + "date") == ["old", "middle", "new", "none"]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2021", ["x"]),
        ("2021-03-04", ["x"]),
        ("2021-03-05", []),
        ("gt2021-03-04", []),
        ("ge2021-03-04", ["x"]),
        ("lt2022", ["x"]),
        ("lt2021-03-04", []),
        ("sa2021-03-03", ["x"]),
        ("eb2021-03-05", ["x"]),
        ("ne2021-03-04", []),
        ("ne2020", ["x"]),
    ],
)
async def test_by_date_with_prefixes_and_partial_dates(fhir, clinic: Clinic, value, found):
    await clinic.put(observation("x", "a", effectiveDateTime="2021-03-04T12:00:00Z"))

    assert await ids(fhir, f"Observation?date={value}") == found


@pytest.mark.parametrize(
    "address",
    [
        "Patient?name=garcia",
        "Patient?name=GARCÍA",
        "Patient?name=jose",
        "Patient?family=gar",
        "Patient?given=José",
        "Patient?identifier=urn:mrn|77",
        "Patient?identifier=77",
        "Patient?birthdate=1980-02-03",
        "Patient?birthdate=ge1980&birthdate=lt1981",
        "Patient?_id=p,q",
        "Patient?gender=male",
        "Patient?gender:missing=false",
        "Patient?death-date:missing=true&active:missing=true",
    ],
)
async def test_a_patient_is_found_by_what_people_know(fhir, clinic: Clinic, address):
    await clinic.put(
        patient(
            "p",
            name=[{"family": "García Márquez", "given": ["José"]}],
            identifier=[{"system": "urn:mrn", "value": "77"}],
            birthDate="1980-02-03",
            gender="male",
        )
    )
    await clinic.put(patient("other", active=True))

    found = await ids(fhir, address)

    assert "p" in found
    assert "other" not in found


async def test_sort_by_name_and_by_last_update(fhir, clinic: Clinic):
    for identity, family in (("1", "Clark"), ("2", "adams"), ("3", "Baker")):
        await clinic.put(patient(identity, name=[{"family": family}]))
        await asyncio.sleep(0.002)

    assert await ids(fhir, "Patient?_sort=family&_count=1") == ["2", "3", "1"]
    assert await ids(fhir, "Patient?_sort=-family&_count=2") == ["1", "3", "2"]
    assert await ids(fhir, "Patient?_sort=_lastUpdated&_count=2") == ["1", "2", "3"]
    assert await ids(fhir, "Patient?_sort=-_lastUpdated") == ["3", "2", "1"]


async def test_pages_meet_every_match_once_and_the_total_counts_them(fhir, clinic: Clinic):
    for number in range(25):
        await clinic.put(
            observation(f"o{number}", "a", effectiveDateTime=f"2020-01-{number + 1:02}")
        )

    found = await ids(fhir, "Observation?patient=a&_sort=-date&_count=7")
    bundle = (await fhir.get("Observation?patient=a&_count=7&_total=accurate")).json()

    assert found == [f"o{number}" for number in reversed(range(25))]
    assert bundle["total"] == 25
    assert len(bundle["entry"]) == 7


async def test_a_page_link_of_another_search_is_refused(fhir, clinic: Clinic):
    for number in range(3):
        await clinic.put(patient(f"p{number}"))
    bundle = (await fhir.get("Patient?_count=1")).json()
    token = next(link["url"] for link in bundle["link"] if link["relation"] == "next")

    stolen = await fhir.get(token.replace("Patient?", "Patient?active=true&"))

    assert stolen.status_code == 400


async def test_an_unknown_parameter_is_reported_and_refused_when_strict(fhir, clinic: Clinic):
    await clinic.put(patient("p"))

    lenient = (await fhir.get("Patient?shoe-size=44")).json()
    strict = await fhir.get("Patient?shoe-size=44", headers={"prefer": "handling=strict"})

    assert [entry["search"]["mode"] for entry in lenient["entry"]] == ["match", "outcome"]
    assert "shoe-size" not in next(link["url"] for link in lenient["link"])
    assert strict.status_code == 400


@pytest.mark.parametrize(
    "address",
    [
        "Patient?birthdate=yesterday",
        "Patient?_count=-1",
        "Patient?_sort=nothing",
        "Patient?_after=xyz",
        "Patient?name=%ff",
        "Patient?gender:missing=perhaps",
        "Observation?value-quantity=5.4.4",
        "Patient?birthdate:contains=2000",
        "Patient?name:nonsense=x",
        "Observation?subject:Medication=x",
    ],
)
async def test_a_value_of_the_wrong_form_is_400(fhir, address):
    assert (await fhir.get(address)).status_code == 400


async def test_search_by_post_is_the_same(fhir, clinic: Clinic):
    await clinic.put(patient("p", gender="male"))

    answer = await fhir.post(
        "Patient/_search",
        content="gender=male",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == ["p"]


async def test_what_is_deleted_or_only_referred_to_is_not_found(fhir, clinic: Clinic):
    await clinic.put(patient("gone"))
    await fhir.delete("Patient/gone")
    await clinic.put(observation("o", "never-stored"))

    assert await ids(fhir, "Patient") == []
    assert (await fhir.get("Patient?_summary=count")).json()["total"] == 0
    assert (await fhir.get("Patient/never-stored")).status_code == 404


async def test_an_update_moves_what_it_is_found_by(fhir, clinic: Clinic):
    await clinic.put(observation("o", "a", effectiveDateTime="2020"))
    await clinic.put(observation("o", "b", effectiveDateTime="2021"))

    assert await ids(fhir, "Observation?patient=a") == []
    assert await ids(fhir, "Observation?patient=b&date=2021") == ["o"]
    assert await ids(fhir, "Observation?date=2020") == []


async def test_consecutive_pages_do_not_overlap_when_dates_are_equal(fhir, clinic: Clinic):
    for number in range(9):
        await clinic.put(observation(f"o{number}", "a", effectiveDateTime="2020-01-01"))

    found = await ids(fhir, "Observation?patient=a&_sort=date&_count=2")

    assert len(set(found)) == 9
    assert all(one != other for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("eq", ["p"]),
        ("ne", []),
        ("gt", []),
        ("lt", []),
        ("ge", ["p"]),
        ("le", ["p"]),
        ("sa", []),
        ("eb", []),
        ("ap", ["p"]),
    ],
)
async def test_by_last_update_with_every_prefix(fhir, clinic: Clinic, prefix, found):
    await clinic.put(patient("p"))
    updated = (await fhir.get("Patient/p")).json()["meta"]["lastUpdated"]

    assert await ids(fhir, f"Patient?_lastUpdated={prefix}{updated}") == found
    assert await ids(fhir, "Patient?_lastUpdated=gt2001") == ["p"]
    assert await ids(fhir, "Patient?_lastUpdated=lt2001") == []


@pytest.mark.parametrize("prefix", ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
@pytest.mark.parametrize(
    "value",
    ["date={}2020", "value-quantity={}5|http://unitsofmeasure.org|kg", "value-quantity={}5"],
)
async def test_every_prefix_is_a_statement_that_runs(fhir, clinic: Clinic, prefix, value):
    await clinic.put(observation("o", "a", effectiveDateTime="2020-05"))

    assert (await fhir.get(f"Observation?{value.format(prefix)}")).status_code == 200


UCUM = "http://unitsofmeasure.org"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("70.5", ["o"]),
        ("70", []),
        ("ne70.5", []),
        (f"70.5|{UCUM}|kg", ["o"]),
        (f"70500|{UCUM}|g", []),
        (f"0.0705|{UCUM}|t", ["o"]),
        (f"155|{UCUM}|[lb_av]", []),
        (f"gt155|{UCUM}|[lb_av]", ["o"]),
        (f"lt156|{UCUM}|[lb_av]", ["o"]),
        (f"ap155.4|{UCUM}|[lb_av]", ["o"]),
        (f"gt70|{UCUM}|g", ["o"]),
        (f"gt1|{UCUM}|m", []),
        (f"gt1|{UCUM}|%", []),
        ("70.5|urn:units|kg", []),
        ("70.5||kg", ["o"]),
        ("70.5||kilograms", ["o"]),
        ("70500||g", []),
    ],
)
async def test_a_quantity_is_found_in_every_unit_of_its_kind(fhir, clinic: Clinic, value, found):
    weight = {"value": 70.5, "unit": "kilograms", "system": UCUM, "code": "kg"}
    await clinic.put(observation("o", "a", valueQuantity=weight))

    answer = await fhir.get("Observation", params={"value-quantity": value})

    assert [entry["resource"]["id"] for entry in answer.json().get("entry", [])] == found


@pytest.mark.parametrize(
    ("fields", "value", "found"),
    [
        ({"system": "urn:units", "code": "puff"}, "2|urn:units|puff", ["o"]),
        ({"system": "urn:units", "code": "puff"}, "2||puff", ["o"]),
        ({"system": "urn:units", "code": "puff"}, "2|urn:others|puff", []),
        ({"system": UCUM, "code": "TAB"}, f"2|{UCUM}|TAB", ["o"]),
        ({"code": "mg"}, f"2|{UCUM}|mg", []),
        ({"unit": "puffs"}, "2||puffs", ["o"]),
        ({}, "2", ["o"]),
        ({}, "2||mg", []),
    ],
)
async def test_a_quantity_in_another_unit_is_found_by_it(fhir, clinic, fields, value, found):
    await clinic.put(observation("o", "a", valueQuantity={"value": 2, **fields}))

    answer = await fhir.get("Observation", params={"value-quantity": value})

    assert [entry["resource"]["id"] for entry in answer.json().get("entry", [])] == found


async def test_quantities_are_sorted_by_what_they_are_worth(fhir, clinic: Clinic):
    doses = {"b": (5, "mg"), "a": (400, "ug"), "c": (1, "g"), "d": (5, None)}
    for name, (value, code) in doses.items():
        quantity = {"value": value, **({"system": UCUM, "code": code} if code else {})}
        await clinic.put(observation(name, "p", valueQuantity=quantity))
    await clinic.put(observation("e", "p"))

    assert await ids(fhir, "Observation?_sort=value-quantity") == ["a", "b", "c", "d", "e"]
    assert await ids(fhir, "Observation?_sort=-value-quantity") == ["d", "c", "b", "a", "e"]


async def test_acidity_is_sorted_and_compared_as_ph(fhir, clinic: Clinic):
    for name, value in {"acid": 6.9, "base": 7.6}.items():
        quantity = {"value": value, "system": UCUM, "code": "[pH]"}
        await clinic.put(observation(name, "p", valueQuantity=quantity))

    assert await ids(fhir, "Observation?_sort=value-quantity") == ["acid", "base"]
    assert await ids(fhir, f"Observation?value-quantity=gt7.4|{UCUM}|[pH]") == ["base"]
    assert await ids(fhir, f"Observation?value-quantity=le7|{UCUM}|[pH]") == ["acid"]
    assert await ids(fhir, f"Observation?value-quantity=gt40|{UCUM}|nmol/L") == ["acid"]
