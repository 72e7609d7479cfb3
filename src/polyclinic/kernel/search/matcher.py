"""A query in memory: the same tree that the store compiles to SQL, and the same answer.

A query is compiled once, to a function that is called for each version. What a query asks of other
resources (chains, ``_has``, ``_list``) it does not find out itself: ``Links`` says it.
A test holds both meanings equal. https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, Protocol

from polyclinic.kernel.search.comparisons import MOMENTS
from polyclinic.kernel.search.facts import Facts
from polyclinic.kernel.search.leaf_tests import Tested, param_of, tests_of
from polyclinic.kernel.search.parameters import COLUMN_PARAMETERS, compartment_parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Contains,
    DateIs,
    Has,
    IdIs,
    InCompartment,
    InList,
    Leaf,
    Linked,
    Missing,
    Not,
    Predicate,
    TokenText,
    Words,
)
from polyclinic.kernel.search.resource_words import text_words

Match = Callable[[Facts], bool]
"""Whether a version is what a query asks for."""
Place = tuple[str, str]
"""Type and id of a resource."""


class Links(Protocol):
    """What a query asks of other resources than the one that is looked at."""

    def places(self, part: Linked | Has | InList) -> Collection[Place]:
        """Return resources by which a part is decided.

        Of ``Linked`` those that match and may be referred to, of ``Has`` those that something
        that matches refers to, of ``InList`` the entries of the List.
        """
        ...

    def canonicals(self, part: Linked) -> Collection[str]:
        """Return the canonicals that name what matches and may be referred to."""
        ...


class NoLinks:
    """Other resources are not looked at: no chain, no ``_has`` and no ``_list`` holds."""

    def places(self, part: Linked | Has | InList) -> Collection[Place]:
        """Return nothing."""
        del part
        return ()

    def canonicals(self, part: Linked) -> Collection[str]:
        """Return nothing."""
        del part
        return ()


def matches(predicate: Predicate, facts: Facts, links: Links | None = None) -> bool:
    """Say whether a version is what a predicate asks for."""
    return compile_matcher(predicate, links)(facts)


def compile_matcher(predicate: Predicate, links: Links | None = None) -> Match:
    """Return the function that says of each version whether a predicate holds.

    ``TokenIn`` has to be replaced by codes before: whoever knows the terminology does so. Raise
    ``NotImplementedError`` for it.
    """
    return _compiled(predicate, links or NoLinks())


def _compiled(part: Predicate, links: Links) -> Match:
    match part:
        case AllOf(parts):
            return _all([_compiled(one, links) for one in parts])
        case AnyOf(parts):
            return _any([_compiled(one, links) for one in parts])
        case Not(inner):
            holds = _compiled(inner, links)
            return lambda facts: not holds(facts)
        case Linked() | Has() | InList():
            return _linked(part, links)
        case _:
            return leaf_matcher(part)


def _all(parts: Sequence[Match]) -> Match:
    if len(parts) == 1:
        return parts[0]
    return lambda facts: all(part(facts) for part in parts)


def _any(parts: Sequence[Match]) -> Match:
    if len(parts) == 1:
        return parts[0]
    return lambda facts: any(part(facts) for part in parts)


def _linked(part: Linked | Has | InList, links: Links) -> Match:
    places = links.places(part)
    if not isinstance(part, Linked):
        return lambda facts: (facts.type, facts.id) in places
    code, target = part.param.code, part.target
    names = links.canonicals(part)

    def holds(facts: Facts) -> bool:
        rows = facts.rows("references", code)
        if any(row.target == target and (target, row.id) in places for row in rows):
            return True
        return any(row.uri in names for row in facts.rows("canonicals", code))

    return holds


def leaf_matcher(leaf: Leaf) -> Match:
    """Return the function that says of each version whether a leaf holds."""
    other = _OTHERS.get(type(leaf))
    if other is not None:
        return other(leaf)
    if isinstance(leaf, DateIs) and leaf.param is None:
        return _updated(leaf)
    param, tests = param_of(leaf), tests_of(leaf)
    if param is None or not tests:
        raise NotImplementedError(type(leaf).__name__)
    found = _has_value(param.code, tests)
    if isinstance(leaf, Missing):
        return _missing(leaf, found)
    return found


def _missing(leaf: Missing, found: Match) -> Match:
    """Look for a value, of words among what the resource says; id and moment are always there."""
    match leaf.param.code:
        case code if code in COLUMN_PARAMETERS:
            return lambda _: not leaf.missing
        case "_text":
            return lambda facts: bool(facts.values.said.narrative) != leaf.missing
        case "_content":
            return lambda facts: bool(facts.content) != leaf.missing
        case _:
            return lambda facts: found(facts) != leaf.missing


def _has_value(code: str, tests: Sequence[Tested]) -> Match:
    if len(tests) == 1:
        kind, test = tests[0]
        return lambda facts: any(test(row) for row in facts.rows(kind, code))
    return lambda facts: any(one(row) for kind, one in tests for row in facts.rows(kind, code))


def _updated(leaf: DateIs) -> Match:
    low, high, compare = leaf.low, leaf.high, MOMENTS[leaf.comparison]
    return lambda facts: compare(facts.updated_micros, low, high)


def _ids(leaf: IdIs) -> Match:
    ids = frozenset(leaf.ids)
    return lambda facts: facts.id in ids


def _token_text(leaf: TokenText) -> Match:
    """Look for the words among those of all texts of the parameter, as the index has them."""
    wanted, code = frozenset(leaf.words), leaf.param.code

    def holds(facts: Facts) -> bool:
        texts = [row.text for row in facts.rows("tokens", code) if row.text]
        return wanted <= {word for text in texts for word in text_words(text)}

    return holds


def _words(leaf: Words) -> Match:
    wanted, narrative = frozenset(leaf.words), leaf.param.code == "_text"

    def holds(facts: Facts) -> bool:
        return wanted <= (facts.narrative if narrative else facts.content)

    return holds


def _compartment(leaf: InCompartment) -> Match:
    owner, id_ = leaf.owner, leaf.id
    if owner == "Patient":
        return lambda facts: id_ in facts.values.patients

    def holds(facts: Facts) -> bool:
        if facts.type == owner and facts.id == id_:
            return True
        return any(
            row.target == owner and row.id == id_
            for code in compartment_parameters(facts.type)
            for row in facts.rows("references", code)
        )

    return holds


_OTHERS: Final[Mapping[type, Callable[[Any], Match]]] = {
    IdIs: _ids,
    TokenText: _token_text,
    Words: _words,
    InCompartment: _compartment,
    Contains: lambda leaf: lambda facts: leaf.type in facts.values.contained,
}
