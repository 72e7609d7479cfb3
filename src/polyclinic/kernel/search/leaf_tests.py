"""Whether one value of a resource is what a leaf of a query asks for, in memory.

``tests_of`` says which kinds of values a leaf looks at, each with a function from one of them. What
a value is compared with was made ready once, for all the resources that follow.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from polyclinic.kernel.search.comparisons import POINTS, RANGES
from polyclinic.kernel.search.distance import metres_between
from polyclinic.kernel.search.facts import KINDS, Kind
from polyclinic.kernel.search.index_values import (
    MAX_NORMALISED,
    CompositeValue,
    DateValue,
    NumberValue,
    PositionValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import (
    CanonicalIs,
    CompositeIs,
    DateIs,
    IdentifierIs,
    Leaf,
    Missing,
    Near,
    NumberIs,
    RefersTo,
    StringIs,
    TokenIs,
    TokenOfType,
    UriBelow,
    UriIs,
)
from polyclinic.kernel.search.quantities import measures
from polyclinic.kernel.search.strings import contact

Test = Callable[[Any], bool]
"""From one value of its kind."""


class Tested(NamedTuple):
    """A kind of values, and which of them are asked for."""

    kind: Kind
    holds: Test


def tests_of(leaf: Leaf) -> tuple[Tested, ...]:
    """Return what a leaf asks of single values; nothing for one that asks something else."""
    found = _TESTS.get(type(leaf))
    return () if found is None else found(leaf)


def _token(leaf: TokenIs) -> tuple[Tested, ...]:
    param, system, code = leaf.param, leaf.system, leaf.code
    if code is not None and any(path.type == "ContactPoint" for path in param.paths):
        code = contact(code)
    return (Tested("tokens", token_test(system, code, param.implicit_system)),)


def token_test(system: str | None, code: str | None, implicit: str | None = None) -> Test:
    """Return whether a token has a system (None: any, empty: none) and a code (None: any).

    ``implicit`` is the system of all values where these are plain codes.
    """
    if implicit:
        if system not in {None, "", implicit}:
            return lambda _: False
        return (lambda _: True) if code is None else (lambda row: row.code == code)
    if code is None:
        return lambda row: row.system == system
    if system is None:
        return lambda row: row.code == code
    wanted = system or None
    return lambda row: row.code == code and row.system == wanted


def _of_type(leaf: TokenOfType) -> tuple[Tested, ...]:
    kind = leaf.system or None, leaf.code
    value = leaf.value
    return (Tested("tokens", lambda row: kind in row.types and (row.code or "") == value),)


def _reference(leaf: RefersTo) -> tuple[Tested, ...]:
    target, id_ = leaf.target, leaf.id
    return (Tested("references", lambda row: row.id == id_ and row.target == target),)


def _identifier(leaf: IdentifierIs) -> tuple[Tested, ...]:
    return (Tested("identifiers", token_test(leaf.system, leaf.code)),)


def _canonical(leaf: CanonicalIs) -> tuple[Tested, ...]:
    names = frozenset(leaf.names)
    return (Tested("canonicals", lambda row: row.uri in names),)


def _uri(leaf: UriIs) -> tuple[Tested, ...]:
    uri = leaf.uri
    return (Tested("uris", lambda row: row.uri == uri),)


def _uri_below(leaf: UriBelow) -> tuple[Tested, ...]:
    uri, further = leaf.uri, f"{leaf.uri}/"
    return (Tested("uris", lambda row: row.uri == uri or row.uri.startswith(further)),)


def _string(leaf: StringIs) -> tuple[Tested, ...]:
    return (Tested("strings", _STRINGS[leaf.how](leaf.text)),)


_STRINGS: Final[Mapping[str, Callable[[str], Test]]] = {
    "starts": lambda text: lambda row: row.normalised.startswith(text[:MAX_NORMALISED]),
    "exact": lambda text: lambda row: row.text == text,
    "contains": lambda text: lambda row: text in row.normalised,
    "ends": lambda text: lambda row: row.normalised.endswith(text),
    "equals": lambda text: lambda row: row.normalised == text[:MAX_NORMALISED],
    "differs": lambda text: lambda row: row.normalised != text[:MAX_NORMALISED],
    "gt": lambda text: lambda row: row.normalised > text[:MAX_NORMALISED],
    "lt": lambda text: lambda row: row.normalised < text[:MAX_NORMALISED],
    "ge": lambda text: lambda row: row.normalised >= text[:MAX_NORMALISED],
    "le": lambda text: lambda row: row.normalised <= text[:MAX_NORMALISED],
}


def _date(leaf: DateIs) -> tuple[Tested, ...]:
    low, high, compare = leaf.low, leaf.high, RANGES[leaf.comparison]
    return (Tested("dates", lambda row: compare(row.low, row.high, low, high)),)


def _number(leaf: NumberIs) -> tuple[Tested, ...]:
    low, high, compare = leaf.low, leaf.high, RANGES[leaf.comparison]
    if leaf.comparison not in POINTS:
        low = high = leaf.exact
    system, code = leaf.system or None, leaf.code or None

    def measured(row: QuantityValue) -> bool:
        return any(
            one.code == code and one.system == system and compare(one.low, one.high, low, high)
            for one in measures(row)
        )

    def holds(row: NumberValue) -> bool:
        return code is None and compare(row.low, row.high, low, high)

    return Tested("numbers", holds), Tested("quantities", measured)


def _near(leaf: Near) -> tuple[Tested, ...]:
    place, metres = (leaf.latitude, leaf.longitude), leaf.metres

    def holds(row: PositionValue) -> bool:
        return metres_between(place, (row.latitude, row.longitude)) <= metres

    return (Tested("positions", holds),)


def _missing(leaf: Missing) -> tuple[Tested, ...]:
    """Look for any value; the caller turns it round."""
    del leaf
    return tuple(Tested(kind, lambda _: True) for kind in KINDS)


def _composite(leaf: CompositeIs) -> tuple[Tested, ...]:
    parts = tuple(_component(part) for part in leaf.parts)

    def holds(row: CompositeValue) -> bool:
        return all(
            any(part(one) for one in rows) for part, rows in zip(parts, row.components, strict=True)
        )

    return (Tested("composites", holds),)


def _component(part: Leaf) -> Test:
    """Return the test of a component's value, which may be of another kind than the part asks."""
    by_type = {_ROWS[one.kind]: one.holds for one in tests_of(part)}

    def holds(row: Any) -> bool:
        test = by_type.get(type(row))
        return test is not None and test(row)

    return holds


_ROWS: Final[Mapping[Kind, type]] = {
    "tokens": TokenValue,
    "references": ReferenceValue,
    "canonicals": UriValue,
    "uris": UriValue,
    "identifiers": TokenValue,
    "strings": StringValue,
    "dates": DateValue,
    "numbers": NumberValue,
    "quantities": QuantityValue,
    "positions": PositionValue,
    "composites": CompositeValue,
}

_TESTS: Final[Mapping[type, Callable[[Any], tuple[Tested, ...]]]] = {
    TokenIs: _token,
    TokenOfType: _of_type,
    RefersTo: _reference,
    IdentifierIs: _identifier,
    CanonicalIs: _canonical,
    UriIs: _uri,
    UriBelow: _uri_below,
    StringIs: _string,
    DateIs: _date,
    NumberIs: _number,
    Near: _near,
    Missing: _missing,
    CompositeIs: _composite,
}


def param_of(leaf: Leaf) -> SearchParameter | None:
    """Return the search parameter that a leaf asks for."""
    return getattr(leaf, "param", None)
