"""Strings without regard to case, accents and punctuation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.search.strings import contact, normalise, phonetic, words


@given(st.text())
def test_normalising_twice_changes_nothing(text: str):
    once = normalise(text)

    assert normalise(once) == once


@given(st.text(), st.text())
def test_spaces_around_and_between_do_not_count(first: str, second: str):
    assert normalise(f"  {first} \t {second} ") == normalise(f"{first} {second}")


@given(st.text(st.characters(max_codepoint=127)))
def test_the_way_for_ascii_gives_what_the_way_for_all_gives(text: str):
    assert normalise(text) == normalise(f"{text} \u00b7")


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("Smith", "smith"),
        ("Müller-Lüdenscheidt", "muller ludenscheidt"),
        ("O'Brien", "obrien"),
        ("O\u2019Brien", "obrien"),
        ("Straße", "strasse"),
        ("  St.   John's,  N.L. ", "st johns n l"),
        ("\ufb01ne", "fine"),
        ("İstanbul", "istanbul"),
        ("Ångström", "angstrom"),
        ("Łódź", "łodz"),
        ("Ωμέγα", "ωμεγα"),
        ("...", ""),
    ],
)
def test_text_as_it_is_compared(text: str, normalised: str):
    assert normalise(text) == normalised


def test_words_come_once_each():
    assert words("Body weight, body height") == ("body", "weight", "height")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        # The examples of the US National Archives.
        ("Washington", "w252"),
        ("Lee", "l000"),
        ("Gutierrez", "g362"),
        ("Pfister", "p236"),
        ("Jackson", "j250"),
        ("Tymczak", "t522"),
        ("VanDeusen", "v532"),
        ("Ashcraft", "a261"),
    ],
)
def test_soundex(name: str, code: str):
    assert phonetic(name) == code


def test_a_name_in_another_script_sounds_like_itself_only():
    assert phonetic("山田 Taro") == "山田 t600"


@given(st.text())
def test_any_text_has_a_sound(text: str):
    assert phonetic(text) == phonetic(normalise(text))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("+1 (555) 123-4567", "15551234567"),
        ("tel:555.123", "555123"),
        ("Ann@Example.ORG", "ann@example.org"),
        ("https://example.org/1", "https://example.org/1"),
    ],
)
def test_contact_points_are_compared_without_punctuation_or_case(value: str, found: str):
    assert contact(value) == found


@given(st.text())
def test_a_contact_point_is_found_by_what_is_stored(value: str):
    assert contact(contact(value)) == contact(value)
