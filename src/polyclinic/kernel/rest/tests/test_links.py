"""Links of a transaction: what the definitions call a link is rewritten, and nothing else."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.rest import links as module
from polyclinic.kernel.rest.links import Links, Target, conditional_references, place_of, server_of
from polyclinic.kernel.types import RESOURCE_TYPES, type_definition
from polyclinic.kernel.types.definitions import TABLES
from polyclinic.testing.isolation.samples import sample

URN = f"urn:uuid:{UUID(int=7)}"
URL = "http://elsewhere.example/fhir/Patient/1"
LINK_TYPES = {"uri", "url", "oid", "uuid"}
TEXTS = LINK_TYPES | {"string", "code", "id", "markdown", "canonical"}
HERE = "Patient/here"


def rewritten(resource, *urls, base=None):
    links = Links({url.encode(): Target(HERE.encode(), 3) for url in urls})
    data, lost = links.rewritten(json.dumps(resource).encode(), resource["resourceType"], base)
    return json.loads(data), lost


def members(value, type_name):
    """Yield every member that holds text: its object, its key, and the type of the text."""
    definition = definition_of(type_name)
    if not isinstance(value, dict) or definition is None:
        return
    for name, inner in value.items():
        known = definition.properties.get(name)
        if known is None or name in ("id", "div"):
            continue
        holders: list[tuple[Any, Any]] = []
        if isinstance(inner, list):
            holders = [(inner, at) for at in range(len(inner))]
        for holder, key in holders or [(value, name)]:
            one = holder[key]
            if isinstance(one, str) and known.type in TEXTS:
                yield holder, key, type_name, name, known.type
            elif isinstance(one, dict):
                resource = one.get("resourceType")
                yield from members(one, resource or known.type)


def definition_of(name):
    try:
        return type_definition(name)
    except (FileNotFoundError, KeyError):
        return None


def is_link(type_name, name, kind):
    return (type_name, name) == ("Reference", "reference") or (
        kind in LINK_TYPES and name != "fullUrl"
    )


@given(
    st.sampled_from(RESOURCE_TYPES),
    st.integers(0, 50),
    st.randoms(use_true_random=False),
    st.sampled_from([URN, URL]),
)
def test_exactly_what_the_definitions_call_a_link_is_rewritten(kind, word, chance, url):
    resource = sample(kind, "one", f"word {word}", lambda *_: {"reference": "Patient/other"})
    expected = json.loads(json.dumps(resource))
    pairs = zip(members(resource, kind), members(expected, kind), strict=True)
    for (holder, key, *_), (twin, twin_key, type_name, name, text_type) in list(pairs):
        if chance.random() < 0.5:
            holder[key] = url
            twin[twin_key] = HERE if is_link(type_name, name, text_type) else url

    found, lost = rewritten(resource, url)

    assert found == expected
    assert lost == []


def test_the_names_of_links_are_those_of_the_definitions():
    kinds: dict[bytes, set[str]] = {}
    for file in TABLES.glob("*.json"):
        table = json.loads(file.read_bytes())
        for group in table.get("elements", ()) if "kind" in table else ():
            for name, found in type_definition(group).properties.items():
                kinds.setdefault(name.encode(), set()).add(found.type)
    linked = {name for name, types in kinds.items() if types & LINK_TYPES}
    linked -= {b"reference", b"fullUrl"}

    assert linked == module._LINK_NAMES | module._UNCLEAR_NAMES
    assert all(not kinds[name] & (TEXTS - LINK_TYPES) for name in module._LINK_NAMES)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (URL, HERE),
        (f"{URL}/_history/9", f"{HERE}/_history/3"),
        ("Patient/1", HERE),
        ("Patient/1/_history/2", f"{HERE}/_history/3"),
        ("Patient/12", "Patient/12"),
        (f"{URL}2", f"{URL}2"),
        ("#contained", "#contained"),
        ("Patient/1?x=y", "Patient/1?x=y"),
    ],
)
def test_a_reference_leads_to_where_the_entry_is_stored(reference, expected):
    resource = {"resourceType": "Condition", "subject": {"reference": reference}}

    found, _ = rewritten(resource, URL, base=b"http://elsewhere.example/fhir/")

    assert found["subject"]["reference"] == expected


def test_numbers_keep_their_digits_where_the_definitions_have_to_be_asked():
    text = '{"resourceType":"DocumentReference","content":[{"attachment":{"url":"%s","size":3}}],'
    text += '"extension":[{"url":"http://x.example","valueDecimal":1.500}]}'
    links = Links({URN.encode(): Target(HERE.encode())})

    data, _ = links.rewritten((text % URN).encode(), "DocumentReference", None)

    assert b'"url":"Patient/here"' in data
    assert b"1.500" in data


@pytest.mark.parametrize("quote", ['"', "'"])
def test_links_in_the_narrative_are_rewritten_and_its_text_is_not(quote):
    div = f"<div><a href={quote}{URN}{quote}>{URN}</a><img src = {quote}{URN}{quote}/></div>"
    resource = {"resourceType": "Basic", "text": {"div": div}, "language": "href"}

    found, _ = rewritten(resource, URN)

    assert found["text"]["div"] == div.replace(f"{quote}{URN}", f"{quote}{HERE}")


def test_a_urn_without_an_entry_is_told_and_other_texts_are_not():
    resource = {
        "resourceType": "Condition",
        "identifier": [{"system": "urn:oid:1.2.3", "value": URN}],
        "subject": {"reference": URN},
    }

    _, lost = rewritten(resource)

    assert lost == [URN]


@given(st.binary(max_size=200))
def test_what_is_no_json_is_left_for_others_to_refuse(data):
    links = Links({URN.encode(): Target(HERE.encode())})

    found, _ = links.rewritten(data, "Patient", None)

    assert found == data
    assert isinstance(place_of(data, URN), str)
    assert isinstance(conditional_references(data), list)


def test_the_server_of_a_full_url_is_what_stands_before_its_type():
    assert server_of(URL.encode(), "Patient") == b"http://elsewhere.example/fhir/"
    assert server_of(URL.encode(), "Condition") is None
    assert server_of(URN.encode(), "Patient") is None


def test_the_place_of_a_reference_is_its_fhirpath():
    resource = {"performer": [{"x": 1}, {"reference": URN}], "subject": {"reference": "a"}}

    assert place_of(json.dumps(resource).encode(), URN) == ".performer[1]"
