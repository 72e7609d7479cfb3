"""Conditions on every search parameter, with every modifier and in every form of a value.

https://hl7.org/fhir/R4/search.html#ptypes
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.testing.isolation.calls import HOST
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.defined import codes, known
from polyclinic.testing.isolation.population import (
    ABSENT,
    ASKER,
    MY_WORD,
    NOBODYS_WORD,
    THEIRS,
    WORDS,
)
from polyclinic.testing.isolation.samples import COMMON, SYSTEM
from polyclinic.testing.isolation.values import values

Pair = tuple[str, str]
"""A name and a value of a query, not encoded yet."""

_PREFIXES: Final = ("", "", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_KIND: Final = "Patient"
_WORDS: Final = (*WORDS.values(), MY_WORD, COMMON, "elder", NOBODYS_WORD)
_PLACES: Final = ("42.25|-83.69", "0|0|1|km", "-90|180|20000|km", "51.5|-0.1|100")


def condition(chance: Chance, resource_type: str, code: str) -> Pair:
    """Return the name and value of one condition on a parameter."""
    param = known(resource_type)[code]
    texts = values(resource_type).get(code, ["b-left"])
    if chance.happens(0.08):
        return f"{code}:missing", chance.choice(("true", "false"))
    if chance.happens(0.2) and param.type in _MODIFIERS:
        modifier, make = chance.choice(_MODIFIERS[param.type])
        return f"{code}:{modifier}", make(chance, chance.choice(texts))
    if param.type == "composite":
        return code, ",".join(_composite(chance, resource_type, param) for _ in _few(chance))
    if param.type == "special":
        return code, chance.choice(_PLACES)
    return code, ",".join(_written(chance, param.type, chance.choice(texts)) for _ in _few(chance))


def whatever(chance: Chance, resource_type: str) -> Pair:
    """Return a condition on any of a type's parameters."""
    return condition(chance, resource_type, chance.choice(codes(chance, resource_type)))


def words(chance: Chance) -> Pair:
    """Return a condition on the words of a narrative or of a whole resource."""
    one, other = chance.choice(_WORDS), chance.choice(_WORDS)
    forms = (one, f"{one} {other}", f"{one} OR {other}", f'NOT {one} AND "{other} string"')
    return chance.choice(("_text", "_content")), chance.choice(forms)


def filtered(chance: Chance, resource_type: str) -> Pair:
    """Return a condition in the language of ``_filter``."""
    one, other = _compared(chance, resource_type), _compared(chance, resource_type)
    forms = (one, f"{one} and {other}", f"{one} or {other}", f"not ({one})", f"({one}) or {other}")
    return "_filter", chance.choice(forms)


def _few(chance: Chance) -> range:
    return range(chance.choice((1, 1, 3)))


def _written(chance: Chance, kind: str, text: str) -> str:
    """Return a value in one of the forms of its type."""
    forms = _FORMS.get(kind)
    return chance.choice(forms)(chance, text) if forms else text


def _composite(chance: Chance, resource_type: str, param: SearchParameter) -> str:
    """Return a value of each component; sometimes of resources that have no such pair."""
    texts = values(resource_type)
    parts = [
        _written(chance, kind, chance.choice(texts.get(code, ["b-left"])))
        for code, kind in param.components
    ]
    return "$".join(parts)


def _compared(chance: Chance, resource_type: str) -> str:
    params = known(resource_type)
    asked = [one for one in codes(chance, resource_type) if params[one].type in _OPERATORS]
    code = chance.choice(asked)
    operator = chance.choice(_OPERATORS[params[code].type])
    if operator == "pr":
        return f"{code} pr {chance.choice(('true', 'false'))}"
    value = chance.choice(values(resource_type).get(code, ["b-left"]))
    return f'{code} {operator} "{value}"'


def _swapped(_: Chance, text: str) -> str:
    return text.swapcase()


def _plain(_: Chance, text: str) -> str:
    return text


def _prefixed(chance: Chance, text: str) -> str:
    return chance.choice(_PREFIXES) + text


def _begun(chance: Chance, text: str) -> str:
    return text[: chance.randint(1, len(text))]


def _inner(chance: Chance, text: str) -> str:
    start = chance.randint(0, len(text) - 1)
    return text[start : start + chance.randint(1, 6)]


def _code_only(_: Chance, text: str) -> str:
    return text.rpartition("|")[2]


def _system_only(_: Chance, text: str) -> str:
    return f"{text.partition('|')[0]}|"


def _somebody(chance: Chance, _: str) -> str:
    return f"{_KIND}/{chance.choice((*THEIRS, ASKER, ABSENT))}"


def _id_only(_: Chance, text: str) -> str:
    return text.rpartition("/")[2]


def _absolute(chance: Chance, text: str) -> str:
    base = chance.choice((f"http://{HOST}/fhir/", f"http://{HOST.upper()}/fhir/", "http://x.test/"))
    return base + (text if "/" in text else f"{_KIND}/{text}")


def _versioned(chance: Chance, text: str) -> str:
    return f"{text}/_history/{chance.choice((1, 2, 9))}"


def _number(chance: Chance, _: str) -> str:
    word = chance.choice(_WORDS)
    return chance.choice((f"{SYSTEM}|number-{word}", f"number-{word}", f"{SYSTEM}|"))


def _typed(chance: Chance, _: str) -> str:
    word, other = chance.choice(_WORDS), chance.choice(_WORDS)
    return f"{SYSTEM}|code-{word}|number-{other}"


def _display(chance: Chance, _: str) -> str:
    word = chance.choice(_WORDS)
    return chance.choice((word, f"{word} display", f"{word[:3]}", f"{word} text"))


def _value_set(chance: Chance, _: str) -> str:
    known = "http://hl7.org/fhir/ValueSet/administrative-gender"
    stored = (
        () if "ValueSet" in chance.avoids else ("ValueSet/b-left", "ValueSet/s-1", "ValueSet/a-1")
    )
    chosen: str = chance.choice((known, f"{known}-1", *stored))
    return chosen


_FORMS: Final[Mapping[str, Sequence[Callable[[Chance, str], str]]]] = {
    "token": (_plain, _plain, _plain, _code_only, _system_only, _swapped),
    "reference": (
        _plain,
        _plain,
        _somebody,
        _somebody,
        _id_only,
        _absolute,
        _versioned,
        _swapped,
        lambda chance, text: _versioned(chance, _absolute(chance, text)),
    ),
    "string": (_plain, _begun, _swapped),
    "date": (_prefixed, lambda chance, text: _prefixed(chance, text[:4])),
    "number": (_prefixed,),
    "quantity": (_prefixed, lambda chance, text: _prefixed(chance, text.partition("|")[0])),
    "uri": (_plain, _begun),
}
_MODIFIERS: Final[Mapping[str, Sequence[tuple[str, Callable[[Chance, str], str]]]]] = {
    "token": (
        ("not", _plain),
        ("not", _code_only),
        ("text", _display),
        ("of-type", _typed),
        ("in", _value_set),
        ("not-in", _value_set),
        ("below", _plain),
        ("above", _plain),
    ),
    "reference": (
        ("Patient", _id_only),
        ("Patient", _somebody),
        ("Encounter", _id_only),
        ("identifier", _number),
        ("identifier", _number),
        ("below", _plain),
        ("not", _plain),
        ("text", _display),
    ),
    "string": (("exact", _plain), ("contains", _inner), ("contains", _plain), ("text", _plain)),
    "uri": (("below", _plain), ("below", _begun), ("above", lambda _, text: f"{text}/more")),
    "date": (("missing", lambda *_: "true"), ("not", _plain)),
}
"""https://hl7.org/fhir/R4/search.html#modifiers; some do not fit, and are refused alike."""
_OPERATORS: Final[Mapping[str, Sequence[str]]] = {
    "string": ("eq", "ne", "co", "sw", "ew", "pr"),
    "number": ("eq", "ne", "gt", "le", "sa", "pr"),
    "date": ("eq", "ne", "lt", "ge", "po", "pr"),
    "quantity": ("eq", "gt", "le", "ap", "pr"),
    "token": ("eq", "ne", "pr"),
    "reference": ("re", "pr"),
    "uri": ("eq", "ne", "pr"),
}
"""https://hl7.org/fhir/R4/search_filter.html#ops"""
