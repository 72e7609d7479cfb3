"""What a resource says, and the keys of its words."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.errors import InvalidResource
from polyclinic.kernel.search import hashed_words
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.hashed_words import hash_words, narrative_key, word_keys
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.resource_words import as_text, content_words, narrative_words, said
from polyclinic.kernel.types import Resource, from_json

KEY = b"the key of one tenant, 32 bytes."
PARAMS = parameters("Observation")
DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Sore&#160;throat &amp; <b>fever</b></p></div>'


def observation(**content: Any) -> Resource:
    code = {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}]}
    resource = {"resourceType": "Observation", "id": "abc", "status": "final", "code": code}
    return from_json({**resource, **content})


def content_of(resource: Resource) -> set[str]:
    return set(content_words(said(resource.body)))


def keys_of(resource: Resource) -> set[int]:
    return set(hash_words(extract(resource), KEY))


def test_a_bundle_has_the_words_of_what_it_holds_and_no_narrative_of_its_own():
    inner = {"resourceType": "Patient", "text": {"status": "generated", "div": DIV}}
    bundle = from_json(
        {"resourceType": "Bundle", "id": "b", "type": "collection", "entry": [{"resource": inner}]}
    )

    (throat,) = word_keys("Bundle", parameters("Bundle")["_content"], "throat", KEY)
    assert set(content_of(bundle)) >= {"sore", "throat", "fever"}
    assert throat in keys_of(bundle)


def test_a_narrative_has_the_words_between_its_tags():
    found = said(observation(text={"status": "generated", "div": DIV}).body)

    assert narrative_words(found) == ("sore", "throat", "fever")


def test_the_content_has_the_words_of_all_that_is_said():
    found = content_of(
        observation(
            note=[{"text": "Patient was Running."}],
            subject={"reference": "Patient/xyz", "display": "Ann \u00c5ngstr\u00f6m"},
            effectiveDateTime="2024-05-17T14:30:00Z",
        )
    )

    assert found == {"heart", "rate", "patient", "was", "running", "ann", "angstrom"}


def test_what_is_contained_and_extended_says_something_too():
    contained = [{"resourceType": "Patient", "id": "p", "name": [{"given": ["Ann", "Bea"]}]}]
    extension = [{"url": "http://example.org/mood", "valueString": "cheerful"}]

    found = content_of(observation(contained=contained, extension=extension))

    assert found == {"heart", "rate", "ann", "bea", "cheerful"}


def test_a_list_with_gaps_is_read_to_its_end():
    gap = [{"url": "http://example.org/e", "valueBoolean": True}]
    name = {"given": [None, "Bea", None, "Cem"], "_given": [{"extension": gap}, None] * 2}

    found = said(from_json({"resourceType": "Patient", "id": "p", "name": [name]}).body)

    assert set(map(as_text, found.texts)) == {"Bea", "Cem"}


def test_data_is_no_word():
    assert content_of(observation(note=[{"text": "x" * 65}])) == {"heart", "rate"}


@given(st.lists(st.text(min_size=1), max_size=5))
def test_a_text_is_read_as_it_stands_whatever_is_escaped_in_it(texts: list[str]):
    telling: list[Any] = [{"text": text, "authorString": "a\\"} for text in texts]
    body = msgspec.json.encode({"note": telling, "line": texts, "code": ["x", {"code": "div"}]})

    assert set(map(as_text, said(body).texts)) == set(texts) | ({"a\\"} if texts else set())


def test_words_are_found_one_by_one_under_their_parameter():
    found = keys_of(observation(text={"status": "generated", "div": DIV}))

    for code, word in (("code", "heart"), ("combo-code", "rate"), ("_text", "throat")):
        assert found & set(word_keys("Observation", PARAMS[code], word, KEY))
    for code, word in (("code", "throat"), ("_text", "heart"), ("category", "heart")):
        assert found.isdisjoint(word_keys("Observation", PARAMS[code], word, KEY))
    for word in ("heart", "rate", "throat", "fever"):
        assert found & set(word_keys("Observation", PARAMS["_content"], word, KEY))


def test_only_what_has_a_narrative_is_marked_so():
    with_one = observation(text={"status": "generated", "div": DIV})

    assert narrative_key("Observation", KEY) in keys_of(with_one)
    assert narrative_key("Observation", KEY) not in keys_of(observation())


def test_more_words_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hashed_words, "MAX_WORDS", 3)

    with pytest.raises(InvalidResource, match="more than 3 different words"):
        keys_of(observation(note=[{"text": "one two three"}]))
