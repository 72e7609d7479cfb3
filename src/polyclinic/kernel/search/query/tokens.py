"""Tokens: codings, identifiers, codes, flags. https://hl7.org/fhir/R4/search.html#token."""

from typing import Literal

from polyclinic.kernel.search import values
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import Predicate, TokenIn, TokenIs, TokenOfType, TokenText
from polyclinic.kernel.search.query.limits import refuse, shown
from polyclinic.kernel.search.query.searched import Searched
from polyclinic.kernel.search.query.support import is_flag
from polyclinic.kernel.search.strings import words


def token(_: Searched, param: SearchParameter, modifier: str, text: str) -> Predicate:
    """Return what one value of a token asks."""
    match modifier:
        case "text":
            return _text(param, text)
        case "of-type":
            return TokenOfType(param, *values.parse_of_type(text))
        case "in":
            return _value_set(param, text)
        case "above" | "below":
            return _related(param, modifier, text)
        case _:
            return plain(param, text)


def plain(param: SearchParameter, text: str) -> TokenIs:
    """Return a token without a modifier, as in a composite too."""
    system, code = values.parse_token(text)
    if code is not None and is_flag(param) and code not in ("true", "false"):
        refuse(f"{param.code} is true or false, not {shown(code)!r}.")
    return TokenIs(param, system, code)


def _text(param: SearchParameter, text: str) -> TokenText:
    found = words(values.unescape(text))
    if not found:
        refuse(f"{param.code}:text takes words, such as {param.code}:text=headache.")
    return TokenText(param, found)


def _value_set(param: SearchParameter, text: str) -> TokenIn:
    plain_text = values.unescape(text)
    if not plain_text or any(char.isspace() for char in plain_text):
        refuse(
            f"{param.code}:in takes the URL of a value set, or ValueSet/ and an id, such as "
            f"{param.code}:in=http://hl7.org/fhir/ValueSet/condition-severity."
        )
    return TokenIn(param, "in", None, plain_text)


def _related(param: SearchParameter, how: Literal["above", "below"], text: str) -> TokenIn:
    system, code = values.parse_token(text)
    if code is None:
        refuse(f"{param.code}:{how} needs a code, as in http://snomed.info/sct|73211009.")
    return TokenIn(param, how, system, code)
