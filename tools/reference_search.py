"""The reference page of search; what is supported is found by asking the parser of queries."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from markdown import HEAD, code, codes, table

from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.query import (
    DEFAULT_COUNT,
    MOST,
    UNSUPPORTED,
    support,
    supported_parameters,
)
from polyclinic.kernel.search.values import PREFIXES
from polyclinic.kernel.types import RESOURCE_TYPES

_HEAD: Final = """# Search

`GET /fhir/Type?parameter=value`, or `POST /fhir/Type/_search` with a form, also in both places at
once. `GET /fhir?_type=Type,Type` looks at several types, or at all without `_type`;
`GET /fhir/Patient/ID/Type` and `GET /fhir/Patient/ID/*` at what is in the compartment of a patient,
and likewise of an Encounter, a Practitioner, a RelatedPerson or a Device. [How to
search](../howto/search.md) has examples.

Values with commas between them are alternatives; a parameter that is given twice has to hold twice;
a backslash stands before a comma, dollar sign, bar or backslash that is meant as such. A parameter
that is not understood is left out of the search and named in a warning; with
`Prefer: handling=strict` it is an error.

A tenant may [define parameters of its own](../howto/search-parameters.md), which take what is said
here of their kind; a composite of its own has no dates and strings, and none is of kind special.

"""
_SAMPLES: Final[Mapping[str, str]] = {
    "token": "`code`, `system|code`, `|code`, `system|`",
    "reference": "`id`, `Type/id`, a URL",
    "string": "the beginning, without case, accents and punctuation",
    "date": "a year, month, day, minute, second or fraction",
    "number": "a number; its digits say how exact",
    "quantity": "`number`, `number|system|code`, `number||code`",
    "uri": "the whole URI",
    "composite": "a value for each component, with `$` between them",
    "special": "`latitude|longitude|distance|unit`",
}
_MEANING: Final = {
    "_sort": "parameters with commas between them, `_id` and `_lastUpdated` among them; descending "
    "with `-` before it",
    "_count": f"matches on a page: {DEFAULT_COUNT} unless told, {MOST} at most; 0 counts only",
    "_total": "`none`, `estimate` or `accurate`; the number is exact in either case",
    "_summary": "`true`, `text`, `data`, `count` or `false`",
    "_elements": "names of elements at the top of a resource",
    "_include": "`Type:parameter`, `Type:parameter:Target`, `Type:*` or `*`; with `:iterate` also "
    "of what came along",
    "_revinclude": "the same, for what refers to the matches",
    "_contained": "`false`, `true` or `both`",
    "_containedType": "`container` or `contained`",
    "_type": "types, in a search of the system or a compartment",
    "_explain": "`true`: why each match matched",
    "_asOf": "a moment: what was stored then is searched",
}
"""https://hl7.org/fhir/R4/search.html#return, and three of our own."""
_OTHERS: Final = {
    "name.name": "a chain over references, of any types and length, as `subject:Patient.name`",
    "_has:Type:parameter:name": "what refers here, in one another and in chains",
    "_list": "the entries of a List",
    "_text": "words of the narrative, with AND, OR, NOT, quotes and parentheses",
    "_content": "words of the whole resource, likewise",
    "_filter": "the language of [search_filter](https://hl7.org/fhir/R4/search_filter.html)",
}


_ALONE: Final = "AuditEvent"
"""Audit rows: they have no index of their own, and are found by a few parameters."""
_PARAMETERS: Final = """## Parameters

Dates, numbers and quantities take the prefixes above; chains, `_has` and includes follow
references. `GET /fhir/metadata` has the parameters with the URL of the definition of each.
"""


def search_page() -> str:
    """Return the page of search."""
    return HEAD + _HEAD + _values() + _control() + _types()


def _values() -> str:
    counted = Counter(param.type for param in _all())
    rows = [
        (kind, f"{counted[kind]:,}", form, codes(f":{name}" for name in _modifiers(kind)))
        for kind, form in _SAMPLES.items()
    ]
    prefixes = f"Prefixes of dates, numbers and quantities: {codes(sorted(PREFIXES))}.\n\n"
    return (
        "## Kinds of value\n\n"
        + table(("Kind", "Parameters", "A value", "Modifiers"), rows)
        + f"\n`:[type]` stands for the name of a resource type, as in `subject:Patient`. {prefixes}"
    )


def _modifiers(kind: str) -> Iterator[str]:
    found = (name for param in _all() if param.type == kind for name in support(param).modifiers)
    yield from dict.fromkeys(found)


def _all() -> Iterator[SearchParameter]:
    return (param for name in RESOURCE_TYPES for param in supported_parameters(name))


def _control() -> str:
    head = ("Parameter", "Values")
    return (
        "## Conditions of every type\n\n"
        + table(head, ((code(name), text) for name, text in _OTHERS.items()))
        + "\n## Results\n\n"
        + table(head, ((code(name), text) for name, text in _MEANING.items()))
        + "\n## What is refused\n\n"
        + table(("What", "Why"), UNSUPPORTED.items())
        + "\n"
    )


def _types() -> str:
    """Return every parameter of every type, those of all types once."""
    others = [name for name in RESOURCE_TYPES if name != _ALONE]
    urls = ({param.url for param in supported_parameters(name)} for name in others)
    shared = frozenset.intersection(*map(frozenset, urls))
    first = (param for param in supported_parameters(others[0]) if param.url in shared)
    parts = [
        _PARAMETERS,
        f"### Every type but {_ALONE}\n\n{_parameters(first)}",
        *(f"### {name}\n\n{_own(name, shared)}" for name in RESOURCE_TYPES),
    ]
    return "\n".join(parts)


def _own(resource_type: str, shared: frozenset[str]) -> str:
    found = supported_parameters(resource_type)
    if resource_type != _ALONE:
        found = tuple(param for param in found if param.url not in shared)
    return _parameters(found) if found else "None of its own.\n"


def _parameters(found: Iterable[SearchParameter]) -> str:
    names = "Parameter", "Kind", "Modifiers", "Where the values are"
    return table(names, map(_parameter, found))


def _parameter(param: SearchParameter) -> tuple[str, str, str, str]:
    where = code(" ".join(param.expression.split())) if param.expression else ""
    if param.type == "composite":
        where += f": {' and '.join(code(name) for name, _ in param.components)}"
    modifiers = codes(f":{name}" for name in support(param).modifiers)
    return code(param.code), param.type, modifiers, where
