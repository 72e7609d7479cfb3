"""The reference page of search; what is supported is found by asking the parser of queries."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from markdown import HEAD, code, codes, table

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.parameters import SearchParameter, parameters
from polyclinic.kernel.search.query import DEFAULT_COUNT, MOST, parse_query, supported_parameters
from polyclinic.kernel.search.values import PREFIXES
from polyclinic.kernel.types import RESOURCE_TYPES

_HEAD: Final = """# Search

`GET /fhir/Type?parameter=value`, or `POST /fhir/Type/_search` with a form. Values with commas
between them are alternatives; a parameter that is given twice has to hold twice; a backslash stands
before a comma, dollar sign, bar or backslash that is meant as such. A parameter that is not
understood is left out of the search and named in a warning; with `Prefer: handling=strict` it is an
error.

"""
_SAMPLES: Final[Mapping[str, tuple[tuple[str, str], str, str]]] = {
    "token": (("Patient", "gender"), "female", "`code`, `system|code`, `|code`, `system|`"),
    "reference": (("Condition", "subject"), "p1", "`id`, `Type/id`, a URL"),
    "string": (
        ("Patient", "family"),
        "hop",
        "the beginning, without case, accents and punctuation",
    ),
    "date": (("Patient", "birthdate"), "1906", "a year, month, day, minute, second or fraction"),
    "number": (("RiskAssessment", "probability"), "0.5", "a number; its digits say how exact"),
    "quantity": (
        ("Observation", "value-quantity"),
        "5.4",
        "`number`, `number|system|code`, `number||code`",
    ),
    "uri": (("ValueSet", "url"), "http://example.org/v", "the whole URI"),
}
_MODIFIERS: Final = {
    "missing": "true",
    "exact": None,
    "contains": None,
    "text": None,
    "not": None,
    "above": None,
    "below": None,
    "in": None,
    "not-in": None,
    "of-type": "a|b|c",
    "identifier": "a|b",
    "Patient": "p1",
}
"""https://hl7.org/fhir/R4/search.html#modifiers, and a value where it is not the parameter's."""
_RESULTS: Final = {
    "_sort": "family",
    "_count": "5",
    "_total": "accurate",
    "_summary": "count",
    "_elements": "id",
    "_include": "Patient:organization",
    "_revinclude": "Observation:patient",
    "_contained": "true",
    "_containedType": "container",
}
"""https://hl7.org/fhir/R4/search.html#return, and a value each."""
_OTHERS: Final = {
    "_text": "pain",
    "_content": "pain",
    "_list": "l1",
    "_has:Observation:patient:code": "4548-4",
    "_filter": "name eq hop",
    "_query": "named",
    "general-practitioner.name": "hughes",
}
_MEANING: Final = {
    "_sort": "one parameter of kind date, string, number or quantity, or `_lastUpdated`; "
    "descending with `-` before it",
    "_count": f"matches on a page: {DEFAULT_COUNT} unless told, {MOST} at most",
    "_total": "`none`, `estimate` or `accurate`; the number is exact in either case",
    "_summary": "`count` or `false`",
}


def search_page() -> str:
    """Return the page of search."""
    return HEAD + _HEAD + _values() + _control() + _types()


def understood(resource_type: str, name: str, value: str) -> bool:
    """Say whether a search uses a parameter."""
    try:
        _, ignored = parse_query(resource_type, [(name, value)], "http://example.org/fhir")
    except BadRequest:
        return False
    return not ignored


def _values() -> str:
    counted = Counter(param.type for name in RESOURCE_TYPES for param in _usable(name))
    rows = [
        (kind, f"{counted[kind]:,}", form, codes(f":{name}" for name in _modifiers(kind)))
        for kind, (_, _, form) in _SAMPLES.items()
    ]
    prefixes = f"Prefixes of dates, numbers and quantities: {codes(sorted(PREFIXES))}.\n\n"
    return (
        "## Kinds of value\n\n"
        + table(("Kind", "Parameters", "A value", "Modifiers"), rows)
        + f"\n`:Type` stands for the name of a resource type, as in `subject:Patient`. {prefixes}"
        + _missing()
    )


def _modifiers(kind: str) -> Iterator[str]:
    (resource_type, name), sample, _ = _SAMPLES[kind]
    for modifier, value in _MODIFIERS.items():
        if understood(resource_type, f"{name}:{modifier}", value or sample):
            yield "Type" if modifier == "Patient" else modifier


def _missing() -> str:
    left_out = Counter(
        param.type
        for name in RESOURCE_TYPES
        for code_, param in parameters(name).items()
        if code_ not in {usable.code for usable in _usable(name)} and code_ not in _OTHERS
    )
    found = ", ".join(f"{count} of kind {kind}" for kind, count in sorted(left_out.items()))
    return f"R4 defines more that are not supported yet: {found}.\n\n"


def _control() -> str:
    asked = _RESULTS | _OTHERS
    able = [name for name, value in asked.items() if understood("Patient", name, value)]
    rows = ((code(name), _MEANING[name]) for name in able)
    unable = dict.fromkeys(name.partition(":")[0] for name in asked if name not in able)
    return (
        "## Results\n\n"
        + table(("Parameter", "Values"), rows)
        + f"\nNot supported yet: {codes(unable)} and every other chain.\n\n"
    )


def _types() -> str:
    shared = set.intersection(*({p.code for p in _usable(name)} for name in RESOURCE_TYPES))
    rows = (
        (name, codes(param.code for param in _usable(name) if param.code not in shared))
        for name in RESOURCE_TYPES
    )
    return (
        f"## Parameters\n\nOf every type: {codes(sorted(shared))}.\n\n"
        + table(("Type", "Parameters"), rows)
        + "\n`GET /fhir/metadata` has them with the kind of each.\n"
    )


def _usable(resource_type: str) -> tuple[SearchParameter, ...]:
    return supported_parameters(resource_type)
