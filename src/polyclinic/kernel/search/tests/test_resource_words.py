"""The words of a resource."""

import pytest

from polyclinic.kernel.search import resource_words as words_of
from polyclinic.kernel.search.resource_words import resource_words
from polyclinic.kernel.types import from_json

DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Sore&nbsp;throat &amp; <b>fever</b></p></div>'


def observation(**content):
    code = {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}]}
    resource = {"resourceType": "Observation", "id": "abc", "status": "final", "code": code}
    return from_json({**resource, **content})


def test_a_narrative_has_the_words_between_its_tags():
    narrative = {"status": "generated", "div": DIV.replace("&nbsp;", "&#160;")}
    found = resource_words(observation(text=narrative))

    assert found.text == ("fever", "sore", "throat")


def test_the_content_has_the_words_of_all_that_is_said():
    found = resource_words(
        observation(
            note=[{"text": "Patient was Running."}],
            subject={"reference": "Patient/xyz", "display": "Ann Ångström"},
            effectiveDateTime="2024-05-17T14:30:00Z",
        )
    )

    assert set(found.content) >= {"heart", "rate", "running", "ann", "angstrom", "final"}
    assert set(found.content).isdisjoint({"xyz", "abc", "loinc", "2024", "observation"})


def test_data_is_no_word():
    found = resource_words(observation(note=[{"text": "x" * 65}]))

    assert not any("x" in word for word in found.content)


def test_what_is_left_out_is_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(words_of, "MAX_WORDS", 2)

    found = resource_words(observation(note=[{"text": "one two three"}]))

    assert len(found.content) == 2
    assert found.dropped > 0
