"""``_filter``: the same conditions in a language of their own.

https://hl7.org/fhir/R4/search_filter.html
"""

import re
from dataclasses import replace
from functools import partial
from typing import Final

from polyclinic.kernel.search.parameters import WORD_PARAMETERS, SearchParameter
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Comparison,
    DateIs,
    HowString,
    Missing,
    Not,
    NumberIs,
    Predicate,
    StringIs,
)
from polyclinic.kernel.search.query.chains import Step, follow
from polyclinic.kernel.search.query.conditions import condition, missing
from polyclinic.kernel.search.query.filter_syntax import (
    Compared,
    Filter,
    Joined,
    Negated,
    Segment,
    parse_filter,
)
from polyclinic.kernel.search.query.limits import LONGEST_EXPRESSION, refuse, shown
from polyclinic.kernel.search.query.searched import LIST, Searched
from polyclinic.kernel.search.query.support import operators
from polyclinic.kernel.search.values import parse_string

SYSTEMS: Final = {
    "loinc": "http://loinc.org",
    "snomed": "http://snomed.info/sct",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ucum": "http://unitsofmeasure.org",
}
"""Short names of code systems, https://hl7.org/fhir/R4/search_filter.html#ops."""

GROUPS: Final = {
    ("Group", "characteristic"): (
        "characteristic-value",
        {"code": "characteristic", "value": "value"},
    ),
    ("DocumentReference", "relatesTo"): (
        "relationship",
        {"code": "relation", "target": "relatesto"},
    ),
}
"""Elements that a filter goes through by name, with the composite of their children.

https://hl7.org/fhir/R4/search_filter.html#params; R4 names others whose parameters it dropped.
"""

_STRINGS: Final[dict[str, HowString]] = {
    "eq": "equals",
    "ne": "differs",
    "co": "contains",
    "sw": "starts",
    "ew": "ends",
    "gt": "gt",
    "lt": "lt",
    "ge": "ge",
    "le": "le",
}
_TERMINOLOGY: Final = {"ss": "below", "sb": "above", "in": "in", "ni": "not-in"}
"""A value subsumes (``ss``) the concepts below it."""
_AS_PREFIX: Final = {"po": "ap", "co": "eq"}
"""What overlaps is about the same; what includes something is read as if it were that."""
_ORDERED: Final = frozenset({"date", "number", "quantity"})
_MEMBERS: Final = 2
_COMMA: Final = re.compile(r"\\.|,", re.DOTALL)


def filtered(searched: Searched, text: str) -> Predicate:
    """Return what a filter asks. Raise ``BadRequest`` for what it cannot."""
    if len(text) > LONGEST_EXPRESSION:
        refuse(f"A filter has at most {LONGEST_EXPRESSION} characters; search in parts.")
    return _predicate(parse_filter(text), searched)


def _predicate(found: Filter, searched: Searched) -> Predicate:
    match found:
        case Negated(part):
            return Not(_predicate(part, searched))
        case Joined(word, parts):
            each = tuple(_predicate(part, searched) for part in parts)
            return AllOf(each) if word == "and" else AnyOf(each)
        case Compared():
            return _test(found, searched)


def _test(test: Compared, searched: Searched) -> Predicate:
    searched.budget.take(1)
    first = test.path[0]
    group = GROUPS.get((searched.types[0], first.name)) if len(searched.types) == 1 else None
    if group is not None and first.where is not None:
        return _grouped(test, group, searched)
    return follow(searched, [_step(one) for one in test.path], partial(_asked, test))


def _step(segment: Segment) -> Step:
    where = segment.where
    return Step(segment.name, None if where is None else partial(_predicate, where))


def _asked(test: Compared, searched: Searched, param: SearchParameter, modifier: str) -> Predicate:
    """Return what an operator asks of the parameter at the end of the path."""
    if modifier:
        refuse(f"A filter has operators in the place of modifiers such as :{shown(modifier)}.")
    known = operators(param)
    if test.operator not in known:
        refuse(f"{param.code} is not compared with {test.operator}; it takes {', '.join(known)}.")
    if test.operator == "pr":
        return missing(param, {"true": "false", "false": "true"}.get(test.value, test.value))
    if param.type in _ORDERED:
        return _ordered(test, searched, param)
    if test.operator in _TERMINOLOGY:
        value = test.value if test.operator in ("in", "ni") else _system(test.value)
        return condition(searched, param, _TERMINOLOGY[test.operator], _one(value))
    if param.type == "string" and param.code not in WORD_PARAMETERS:
        how = _STRINGS[test.operator]
        return StringIs(param, how, parse_string(param.code, _literal(test.value)))
    if test.operator == "ne":
        return _present_and_not(param, _equal(test.value, searched, param))
    return _equal(test.value, searched, param)


def _ordered(test: Compared, searched: Searched, param: SearchParameter) -> Predicate:
    operator = _AS_PREFIX.get(test.operator, test.operator)
    found = condition(searched, param, "", f"{operator}{_one(_unit(param, test.value))}")
    if test.operator == "co" and isinstance(found, DateIs | NumberIs):
        return replace(found, comparison=Comparison.INCLUDES)
    return found


def _equal(value: str, searched: Searched, param: SearchParameter) -> Predicate:
    text = _system(value) if param.type == "token" else value
    return condition(searched, param, "", text if param.code in WORD_PARAMETERS else _one(text))


def _present_and_not(param: SearchParameter, equal: Predicate) -> Predicate:
    """Return that the one value that there may be is another."""
    if param.code in ("_id", LIST.code):
        return Not(equal)
    return AllOf((Missing(param, missing=False), Not(equal)))


def _grouped(test: Compared, group: tuple[str, dict[str, str]], searched: Searched) -> Predicate:
    """Return the composite that ``characteristic[code eq x].value eq y`` stands for."""
    composite, children = group
    given = {}
    for part in (test.path[0].where, Compared(test.path[1:], test.operator, test.value)):
        if (
            not isinstance(part, Compared)
            or len(part.path) != 1
            or part.path[0].name not in children
        ):
            refuse(
                f"{test.path[0].name}[…] takes one comparison of {' or '.join(children)} in the "
                "brackets and the other behind them."
            )
        if part.operator not in ("eq", "re"):
            refuse(f"Within {test.path[0].name}[…] values are compared with eq or re.")
        given[children[part.path[0].name]] = _system(part.value)
    if len(given) != _MEMBERS:
        refuse(f"{test.path[0].name}[…] takes {' and '.join(children)}, each once.")
    param = searched.find(composite)
    if param is None:
        refuse(f"{searched.title} has no search parameter {composite}.")
    return condition(searched, param, "", "$".join(_one(given[name]) for name in children.values()))


def _system(text: str) -> str:
    """Return a token with the URL of a system that has a short name."""
    system, bar, code = text.partition("|")
    return f"{SYSTEMS[system]}|{code}" if bar and system in SYSTEMS else text


def _unit(param: SearchParameter, text: str) -> str:
    if param.type != "quantity":
        return text
    number, bar, unit = text.partition("|")
    return f"{number}{bar}{_system(unit)}"


def _one(text: str) -> str:
    """Return a value whose commas are no alternatives: a filter has ``or``."""
    return _COMMA.sub(lambda found: "\\," if found[0] == "," else found[0], text)


def _literal(text: str) -> str:
    r"""Return a text that is taken as it stands, with a backslash before ``, | $ \``."""
    for sign in "\\,|$":
        text = text.replace(sign, f"\\{sign}")
    return text
