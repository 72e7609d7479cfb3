"""Strings as they are compared: without regard to case, accents, punctuation and spacing.

https://hl7.org/fhir/R4/search.html#string
"""

import re
from functools import lru_cache
from typing import Final
from unicodedata import category, normalize

_APOSTROPHES: Final = frozenset("'\u2019\u02bc\u02b9")
_REMOVED: Final = frozenset({"Mn", "Me", "Cf"})
"""Combining marks, and characters without a shape of their own such as the soft hyphen."""
_KEPT: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "Mc"})

_ASCII_FOLD: Final = {
    number: None if chr(number) == "'" else " "
    for number in range(128)
    if not chr(number).isalnum()
}


LONGEST_REMEMBERED: Final = 256
"""Characters of a text that a cache may hold: long ones do not come again and fill the memory."""


def normalise(text: str) -> str:
    """Return the text as it is compared.

    Compatibility decomposition (NFKD), combining marks removed, case folded; apostrophes removed
    (``O'Brien`` is ``obrien``); every other run of spaces, punctuation and symbols becomes one
    space, none at the ends. Applying it twice changes nothing.
    """
    return _normalised(text) if len(text) <= LONGEST_REMEMBERED else _normalised.__wrapped__(text)


@lru_cache(maxsize=8192)
def _normalised(text: str) -> str:
    if text.isascii():
        lower = text.lower()
        if lower.isalnum() or ("  " not in lower and lower.replace(" ", "").isalnum()):
            return lower.strip()
        return " ".join(lower.translate(_ASCII_FOLD).split())
    folded = normalize("NFKD", normalize("NFKD", text).casefold())
    kept = [_folded(char) for char in folded]
    # A mark taken out from between two others may let what remains decompose in another order.
    return " ".join(normalize("NFKD", "".join(kept)).split())


def _folded(char: str) -> str:
    kind = category(char)
    if kind in _KEPT and char not in _APOSTROPHES:
        return char
    return "" if kind in _REMOVED or char in _APOSTROPHES else " "


def words(text: str) -> tuple[str, ...]:
    """Return the distinct words of a text, normalised, for ``:text``."""
    return tuple(dict.fromkeys(normalise(text).split()))


_SOUNDS: Final = {
    letter: digit
    for digit, letters in (
        ("1", "bfpv"),
        ("2", "cgjkqsxz"),
        ("3", "dt"),
        ("4", "l"),
        ("5", "mn"),
        ("6", "r"),
    )
    for letter in letters
}
_SILENT: Final = frozenset("hw")


def phonetic(text: str) -> str:
    """Return the Soundex code of each word, ``robert`` and ``rupert`` are ``r163``.

    The American Soundex of the US National Archives
    (https://www.archives.gov/research/census/soundex). A word without a letter of the English
    alphabet stays as it is.
    """
    return " ".join([_soundex(word) for word in normalise(text).split()])


@lru_cache(maxsize=4096)
def _soundex(word: str) -> str:
    letters = [letter for letter in word if "a" <= letter <= "z"]
    if not letters:
        return word
    code = letters[0]
    last = _SOUNDS.get(code)
    for letter in letters[1:]:
        digit = _SOUNDS.get(letter)
        if digit and digit != last:
            code += digit
        if letter not in _SILENT:
            last = digit
    return (code + "000")[:4]


_TELEPHONE: Final = re.compile(r"(?:tel:)?\+?[0-9(][0-9()\s./\-]{2,}")
_NOT_DIGITS: Final = re.compile(r"\D+")


def contact(value: str) -> str:
    """Return a telephone number as its digits, any other address without regard to case.

    R4 leaves it to the server to ignore punctuation in tokens from a ContactPoint
    (https://hl7.org/fhir/R4/search.html#token).
    """
    stripped = value.strip().lower()
    if _TELEPHONE.fullmatch(stripped):
        return _NOT_DIGITS.sub("", stripped)
    return stripped
