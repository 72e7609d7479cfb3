"""One parameter with its modifier and values as a condition.

https://hl7.org/fhir/R4/search.html#modifiers, https://hl7.org/fhir/R4/search.html#combining
"""

from collections.abc import Callable, Iterable
from typing import Final

from polyclinic.kernel.search import values
from polyclinic.kernel.search.parameters import WORD_PARAMETERS, SearchParameter
from polyclinic.kernel.search.predicate import AllOf, AnyOf, IdIs, InList, Missing, Not, Predicate
from polyclinic.kernel.search.query import ordered
from polyclinic.kernel.search.query.composites import composite
from polyclinic.kernel.search.query.limits import MOST_VALUES, refuse, shown
from polyclinic.kernel.search.query.positions import near
from polyclinic.kernel.search.query.references import reference
from polyclinic.kernel.search.query.searched import LIST, Searched
from polyclinic.kernel.search.query.strings import string
from polyclinic.kernel.search.query.support import TYPE_MODIFIER, modifiers
from polyclinic.kernel.search.query.tokens import token
from polyclinic.kernel.search.query.uris import uri
from polyclinic.kernel.search.query.words import words
from polyclinic.kernel.types import is_id

NOTHING: Final = IdIs(())
EVERYTHING: Final = AllOf(())

_ALWAYS: Final = frozenset({"_id", "_lastUpdated"})
_NEGATED: Final = {"not": "", "not-in": "in"}
"""The modifiers that turn another around."""

Reader = Callable[[Searched, SearchParameter, str, str], Predicate]
_READERS: Final[dict[str, Reader]] = {
    "token": token,
    "reference": reference,
    "string": string,
    "uri": uri,
    "date": ordered.date,
    "number": ordered.number,
    "quantity": ordered.quantity,
    "composite": composite,
    "special": near,
}


def condition(searched: Searched, param: SearchParameter, modifier: str, value: str) -> Predicate:
    """Return what a parameter asks. Raise ``BadRequest`` for what it does not take."""
    if modifier:
        check_modifier(param, modifier)
    if modifier == "missing":
        return missing(param, value)
    texts = values.split_or(value)
    if len(texts) > MOST_VALUES:
        refuse(f"There are over {MOST_VALUES} values; search in parts.")
    if modifier in _NEGATED:
        return Not(any_of(_each(searched, param, _NEGATED[modifier], texts)))
    return any_of(_each(searched, param, modifier, texts))


def check_modifier(param: SearchParameter, modifier: str) -> None:
    """Raise ``BadRequest`` for a modifier that a parameter does not take."""
    allowed = modifiers(param)
    if modifier in allowed and modifier != TYPE_MODIFIER:
        return
    if TYPE_MODIFIER in allowed and modifier in param.targets:
        return
    known = [f":{name}" for name in allowed]
    taken = f"it takes {', '.join(known)}" if known else "it takes none"
    types = f"; the types are {', '.join(param.targets[:12])}" if TYPE_MODIFIER in allowed else ""
    refuse(f"{param.code} does not take the modifier :{shown(modifier)}; {taken}{types}.")


def missing(param: SearchParameter, value: str) -> Predicate:
    """Return whether a parameter has no value."""
    if value not in ("true", "false"):
        refuse(f"{param.code}:missing is true or false.")
    if param.code in _ALWAYS:
        return NOTHING if value == "true" else EVERYTHING
    return Missing(param, value == "true")


def any_of(found: Iterable[Predicate]) -> Predicate:
    """Return that one of some holds; alternatives within alternatives are put side by side."""
    parts: list[Predicate] = []
    for part in found:
        parts.extend(part.parts if isinstance(part, AnyOf) else (part,))
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _each(
    searched: Searched, param: SearchParameter, modifier: str, texts: list[str]
) -> Iterable[Predicate]:
    if param.code == "_id":
        return (_ids(texts),)
    searched.budget.take(len(texts))
    read = _READERS[param.type]
    if param.code in WORD_PARAMETERS:
        read = words
    elif param.code == LIST.code:
        read = _in_list
    return [read(searched, param, modifier, text) for text in texts]


def _ids(texts: list[str]) -> IdIs:
    wrong = [text for text in texts if not is_id(text)]
    if wrong:
        refuse(
            f"{shown(wrong[0])!r} is no id: 1 to 64 letters, digits, hyphens and points, without "
            "the type."
        )
    return IdIs(tuple(dict.fromkeys(texts)))


def _in_list(_: Searched, param: SearchParameter, __: str, text: str) -> InList:
    """Return the entries of a stored List, https://hl7.org/fhir/R4/search.html#list."""
    identity = text.removeprefix("List/")
    if text.startswith("$"):
        refuse(f"{shown(text)} is computed by rules that this server does not have; name a List.")
    if not is_id(identity):
        refuse(f"{param.code} takes the id of a List, such as {param.code}=42.")
    return InList(identity)
