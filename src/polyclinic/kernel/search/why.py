"""Why a resource matches: which of its values satisfies each condition of a search."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from polyclinic.kernel.search.facts import Facts
from polyclinic.kernel.search.index_values import (
    DATE_MAX,
    DATE_MIN,
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
from polyclinic.kernel.search.leaf_tests import param_of, tests_of
from polyclinic.kernel.search.matcher import Links, compile_matcher
from polyclinic.kernel.search.parameters import SearchParameter
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

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Reason(NamedTuple):
    """A value that satisfies a condition."""

    param: str
    """The search parameter."""
    element: str
    """Where its values are, as a FHIRPath expression."""
    value: str
    """The value; empty where the condition is that there is none."""


def why(part: Predicate, facts: Facts, links: Links) -> tuple[Reason, ...]:
    """Return what of a version satisfies a part of a query; empty where it does not hold."""
    if not compile_matcher(part, links)(facts):
        return ()
    return tuple(dict.fromkeys(_reasons(part, facts, links)))


def _reasons(part: Predicate, facts: Facts, links: Links) -> Iterator[Reason]:
    match part:
        case AllOf(parts) | AnyOf(parts):
            for one in parts:
                yield from why(one, facts, links)
        case Not(inner):
            yield from (_of(param, "") for param in _params(inner))
        case Linked() | Has() | InList():
            yield from _elsewhere(part, facts, links)
        case _:
            yield from _leaf(part, facts)


def _elsewhere(part: Linked | Has | InList, facts: Facts, links: Links) -> Iterator[Reason]:
    match part:
        case Linked(param, target):
            places = links.places(part)
            for row in facts.rows("references", param.code):
                if row.target == target and (target, row.id) in places:
                    yield _of(param, _text(row))
            names = links.canonicals(part)
            for row in facts.rows("canonicals", param.code):
                if row.uri in names:
                    yield _of(param, row.uri)
        case Has(source, param):
            yield _of(param, f"a {source} refers to {facts.type}/{facts.id}")
        case InList(identity):
            yield Reason("_list", "List.entry.item", f"List/{identity}")


def _params(part: Predicate) -> Iterator[SearchParameter]:
    match part:
        case AllOf(parts) | AnyOf(parts):
            for one in parts:
                yield from _params(one)
        case Not(inner):
            yield from _params(inner)
        case Linked() | Has():
            yield part.param
        case InList():
            return
        case _:
            param = param_of(part)
            if param is not None:
                yield param


def _leaf(leaf: Leaf, facts: Facts) -> Iterator[Reason]:
    match leaf:
        case IdIs():
            yield Reason("_id", "Resource.id", facts.id)
        case DateIs(None):
            moment = facts.last_updated.isoformat()
            yield Reason("_lastUpdated", "Resource.meta.lastUpdated", moment)
        case InCompartment(owner, identity):
            yield Reason("compartment", f"CompartmentDefinition/{owner.lower()}", identity)
        case Contains(contained):
            yield Reason("_contained", "DomainResource.contained", contained)
        case TokenText(param, words) | Words(param, words):
            yield _of(param, " ".join(words))
        case Missing(param, missing=True):
            yield _of(param, "")
        case _:
            param_ = param_of(leaf)
            assert param_ is not None
            for kind, test in tests_of(leaf):
                rows = facts.rows(kind, param_.code)
                yield from (_of(param_, _text(row)) for row in rows if test(row))


def _of(param: SearchParameter, value: str) -> Reason:
    return Reason(param.code, param.expression, value)


def _text(row: Any) -> str:
    match row:
        case TokenValue(_, system, code, text):
            coded = f"{system or ''}|{code or ''}"
            return coded if coded != "|" else text or ""
        case ReferenceValue(_, target, identity):
            return f"{target}/{identity}"
        case UriValue(_, uri):
            return uri
        case StringValue(_, text):
            return text
        case CompositeValue(_, components):
            return " $ ".join(_either(values) for values in components)
        case _:
            return _ordered(row)


def _ordered(row: Any) -> str:
    match row:
        case DateValue(_, low, high):
            return f"{_moment(low)} to {_moment(high)}"
        case QuantityValue(_, _, code, unit, low, high, text):
            return f"{text or f'{low} to {high}'} {code or unit or ''}".strip()
        case NumberValue(_, low, high, text):
            return text or f"{low} to {high}"
        case PositionValue(_, latitude, longitude):
            return f"{latitude}, {longitude}"
        case _:
            raise TypeError(type(row).__name__)


def _either(values: Iterable[Any]) -> str:
    return " or ".join(dict.fromkeys(map(_text, values)))


def _moment(micros: int) -> str:
    if micros in (DATE_MIN, DATE_MAX):
        return "open"
    try:
        return (_EPOCH + timedelta(microseconds=micros)).isoformat()
    except OverflowError:
        return "far"
