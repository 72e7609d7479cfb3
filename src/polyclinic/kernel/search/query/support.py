"""What each search parameter takes: one place for the parser and for the documentation.

https://hl7.org/fhir/R4/search.html#modifiers, https://hl7.org/fhir/R4/search_filter.html#ops
"""

from dataclasses import dataclass
from typing import Final

from polyclinic.kernel.search.canonicals import by_id, by_url
from polyclinic.kernel.search.parameters import WORD_PARAMETERS, Path, SearchParameter
from polyclinic.kernel.search.predicate import Comparison
from polyclinic.kernel.search.query.searched import LIST
from polyclinic.kernel.search.sorting import IN_ORDER

TYPE_MODIFIER: Final = "[type]"
"""Stands for the name of a type that a reference may point to, as in ``subject:Patient``."""

PREFIXES: Final = tuple(
    comparison.value for comparison in Comparison if comparison is not Comparison.INCLUDES
)

_CODED: Final = frozenset({"Coding", "CodeableConcept", "code"})
_WITH_TEXT: Final = frozenset({"Coding", "CodeableConcept", "Identifier"})
_PREFIXED: Final = frozenset({"date", "number", "quantity"})
_TERMINOLOGY: Final = ("in", "not-in", "above", "below")
_COMPARED: Final = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_WHOLE: Final = frozenset({"token", "uri", "composite"})
"""Kinds whose values are only known as a whole, by hashes."""
_OPERATORS: Final = {
    "string": ("eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "pr"),
    "number": (*_COMPARED, "co", "pr"),
    "date": (*_COMPARED, "co", "po", "pr"),
    "quantity": (*_COMPARED, "pr"),
    "token": ("eq", "ne", "pr"),
    "reference": ("re", "pr"),
    "uri": ("eq", "ne", "pr"),
    "composite": ("eq", "ne", "pr"),
    "special": ("eq", "pr"),
}

UNSUPPORTED: Final = {
    "_query": "names an operation that a server defines; this one defines none",
    "_list=$current-…": "functional lists are computed from rules that R4 leaves to each server; "
    "name a stored List",
    ":above and :below on references": "they follow a hierarchy of resources, which R4 describes "
    "for the element that points to the parent only; chain over that parameter instead",
    "AuditEvents in chains, _has and includes": "they are audit rows without an index of their "
    "own; search them by patient, agent, entity, date, action or outcome",
    "AuditEvents by other parameters, or by modifiers but :not": "an audit row has no more columns "
    "to search",
    ":missing on _text and _content": "they look for words, not for a value that is there or not",
    "_sort by a composite, near, _text or _content": "these have no order; sort by another "
    "parameter, _id or _lastUpdated",
    "co on quantities in _filter": "R4 gives it no meaning there; write ge and le",
    "ne in _filter on tokens, URIs and composites that may come several times": "R4 asks whether "
    "one of them is another, and the index only knows which ones are there; for none of them "
    "write not (… eq …)",
    "_sort=_score": "a match has no score; every match fits as well as another",
}
"""What R4 describes and a search here refuses, and why."""


@dataclass(frozen=True, slots=True)
class Support:
    """How a parameter can be used."""

    modifiers: tuple[str, ...]
    """Without the colon; ``[type]`` stands for the name of a resource type."""
    prefixes: tuple[str, ...]
    operators: tuple[str, ...]
    """Of ``_filter``."""
    sortable: bool
    chainable: bool
    """Chains, ``_has`` and includes can follow it."""


def support(param: SearchParameter) -> Support:
    """Return how a parameter can be used."""
    return Support(
        modifiers(param),
        PREFIXES if param.type in _PREFIXED else (),
        operators(param),
        sortable(param),
        chainable(param),
    )


def modifiers(param: SearchParameter) -> tuple[str, ...]:
    """Return the modifiers that a parameter takes; a reference takes its types' names too."""
    if param.code in WORD_PARAMETERS or param.code == LIST.code:
        return ()
    match param.type:
        case "token":
            return ("missing", "not", *_token(param))
        case "reference":
            by_identifier = ("identifier",) if by_id(param) else ()
            return ("missing", TYPE_MODIFIER, *by_identifier)
        case "string":
            # A sound has no parts in which a text could be looked for.
            return (
                ("missing", "exact")
                if param.code == "phonetic"
                else ("missing", "exact", "contains")
            )
        case "uri":
            return ("missing", "above", "below")
        case _:
            return ("missing",)


def _token(param: SearchParameter) -> tuple[str, ...]:
    if param.code == "_id":
        return ()
    found = types_of(param)
    text = ("text",) if found & _WITH_TEXT else ()
    terminology = _TERMINOLOGY if found & _CODED else ()
    return (*text, *terminology, *(("of-type",) if "Identifier" in found else ()))


def operators(param: SearchParameter) -> tuple[str, ...]:
    """Return the operators of ``_filter`` that a parameter takes."""
    if param.code in WORD_PARAMETERS:
        return ("eq", "co")
    if param.code == LIST.code:
        return ("eq", "re")
    if param.code == "phonetic":
        return ("eq", "ne", "sw", "pr")
    terminology = ("ss", "sb", "in", "ni") if "in" in modifiers(param) else ()
    known = _OPERATORS[param.type]
    if param.type in _WHOLE and may_repeat(param):
        known = tuple(one for one in known if one != "ne")
    return (*known, *terminology)


def may_repeat(param: SearchParameter) -> bool:
    """Say whether a resource may have several elements with values of a parameter."""
    if any(step.many and not step.first for path in param.paths for step in path.steps):
        return True
    return len({_element(path) for path in param.paths}) > 1


def _element(path: Path) -> tuple[str, ...]:
    """Return the names on a path; those of a choice, of which one is there, have the same."""
    names = tuple(step.name for step in path.steps)
    if not names:
        return names
    kind = path.type[0].upper() + path.type[1:]
    return (*names[:-1], names[-1].removesuffix(kind))


def sortable(param: SearchParameter) -> bool:
    """Say whether the values of a parameter have an order."""
    return param.code == "_id" or (param.type in IN_ORDER and bool(param.paths))


def chainable(param: SearchParameter) -> bool:
    """Say whether a parameter refers to resources, by id or by canonical URL."""
    return by_id(param) or by_url(param)


def types_of(param: SearchParameter) -> frozenset[str]:
    """Return the types of the elements that a parameter is drawn from."""
    return frozenset(path.type for path in param.paths)


def is_flag(param: SearchParameter) -> bool:
    """Say whether all values of a token are true or false."""
    return bool(param.paths) and all(path.exists or path.type == "boolean" for path in param.paths)
