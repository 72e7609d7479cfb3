"""From the parameters of a search request to a query.

https://hl7.org/fhir/R4/search.html

A parameter that is not understood is reported, or refused under ``Prefer: handling=strict``; it is
never taken for one that is.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search import values
from polyclinic.kernel.search.parameters import SearchParameter, parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Comparison,
    DateIs,
    IdIs,
    InCompartment,
    Missing,
    NumberIs,
    Predicate,
    Query,
    RefersTo,
    Sort,
    StringIs,
    TokenIs,
    UriIs,
)
from polyclinic.kernel.types import is_id

DEFAULT_COUNT: Final = 20
MOST: Final = 1000
"""Matches on a page at most; a larger ``_count`` gets as many, and a ``next`` link."""

_SUPPORTED: Final = frozenset({"token", "reference", "uri", "string", "date", "number", "quantity"})
_SORTED: Final = frozenset({"date", "string", "number", "quantity"})
_MOST_VALUES: Final = 500
_RECORDED: Final = (
    "_id",
    "_lastUpdated",
    "action",
    "agent",
    "date",
    "entity",
    "outcome",
    "patient",
)
"""What AuditEvents are found by: they are audit rows, and have no index of their own."""


def parse_query(
    types: str | tuple[str, ...],
    given: Sequence[tuple[str, str]],
    base: str,
    *,
    strict: bool = False,
    within: InCompartment | None = None,
) -> tuple[Query, tuple[str, ...]]:
    """Return the query, and the names of the parameters that were left out of it.

    A search of several types has the parameters that all of them have; ``within`` limits it to a
    compartment, as its first condition.

    Raise ``BadRequest`` for a value that has not the form of its parameter, and under ``strict``
    for every unknown parameter.
    """
    reader = _Reader((types,) if isinstance(types, str) else types, base)
    if within is not None:
        reader.limit(within)
    for name, value in given:
        reader.take(name, value)
    if reader.ignored and strict:
        message = f"{', '.join(reader.ignored)[:200]}: not a search parameter here."
        raise BadRequest(message)
    return reader.query(), tuple(dict.fromkeys(reader.ignored))


@cache
def supported_parameters(resource_type: str) -> tuple[SearchParameter, ...]:
    """Return the parameters of a type that a search can use, by code."""
    found = _searched(resource_type)
    return tuple(found[code] for code in sorted(found) if _usable(found[code]))


def page_size(text: str | None) -> int:
    """Return the number of entries that a page may have. Raise ``BadRequest`` for no number."""
    if text is None:
        return DEFAULT_COUNT
    if not (text.isascii() and text.isdigit()):
        message = "_count must be a whole number, such as 20."
        raise BadRequest(message)
    return min(int(text[:9]), MOST)


def _searched(resource_type: str) -> Mapping[str, SearchParameter]:
    """Return the parameters of a type; of AuditEvents those that audit rows are found by."""
    found = parameters(resource_type)
    if resource_type != "AuditEvent":
        return found
    return {code: found[code] for code in _RECORDED}


def _usable(param: SearchParameter) -> bool:
    return param.code == "_id" or (param.type in _SUPPORTED and bool(param.paths))


class _Reader:
    """Take the parameters one by one."""

    def __init__(self, types: tuple[str, ...], base: str) -> None:
        self._types = types
        self._base = base
        first, *others = [_searched(name) for name in types]
        self._known = {
            code: param
            for code, param in first.items()
            if all(code in one and one[code].type == param.type for one in others)
        }
        self._parts: list[Predicate] = []
        self._conditions: list[tuple[str, str]] = []
        self._understood: list[tuple[str, str]] = []
        self._sort = Sort(None, descending=True)
        self._count = DEFAULT_COUNT
        self._total = False
        self._after: str | None = None
        self.ignored: list[str] = []

    def limit(self, within: InCompartment) -> None:
        """Limit the search to a compartment, which the links say by their path."""
        self._parts.append(within)
        self._conditions.append((within.owner, within.id))

    def take(self, name: str, value: str) -> None:
        """Use one parameter, or note that it is not understood."""
        control = _CONTROLS.get(name)
        if control is not None:
            control(self, value)
            if name not in ("_after", "_format", "_pretty"):
                self._understood.append((name, value))
            return
        code, _, modifier = name.partition(":")
        param = self._known.get(code)
        if param is None or not _usable(param) or "." in name:
            self.ignored.append(name)
            return
        if value == "":
            return
        self._parts.append(self._part(param, modifier, value))
        self._conditions.append((name, value))
        self._understood.append((name, value))

    def query(self) -> Query:
        """Return the query of all that was taken."""
        return Query(
            types=self._types,
            where=AllOf(tuple(self._parts)),
            conditions=tuple(self._conditions),
            sort=(self._sort,),
            count=self._count,
            total=self._total or self._count == 0,
            after=self._after,
            understood=tuple(self._understood),
        )

    def _part(self, param: SearchParameter, modifier: str, value: str) -> Predicate:
        if modifier == "missing":
            if value not in ("true", "false"):
                message = f"{param.code}:missing must be true or false."
                raise BadRequest(message)
            return Missing(param, value == "true")
        target = modifier if modifier in param.targets else None
        if modifier and target is None:
            # A modifier that is left out would find more than was asked for.
            message = f"{param.code} does not take the modifier :{modifier[:32]} here."
            raise BadRequest(message)
        texts = values.split_or(value)
        if len(texts) > _MOST_VALUES:
            message = f"{param.code} has over {_MOST_VALUES} values; search in parts."
            raise BadRequest(message)
        if param.code == "_id":
            return IdIs(tuple(text for text in texts if is_id(text)))
        parts = tuple(self._leaf(param, target, text) for text in texts)
        return parts[0] if len(parts) == 1 else AnyOf(parts)

    def _leaf(self, param: SearchParameter, target: str | None, text: str) -> Predicate:
        match param.type:
            case "token":
                system, code = values.parse_token(text)
                return TokenIs(param, system, code)
            case "reference":
                return self._reference(param, target, text)
            case "uri":
                return UriIs(param, values.unescape(text))
            case "string":
                return StringIs(param, "starts", values.parse_string(param.code, text))
            case "date":
                prefix, low, high = values.parse_date(text)
                column = None if param.code == "_lastUpdated" else param
                return DateIs(column, Comparison(prefix), low, high)
            case _:
                return _number(param, text)

    def _reference(self, param: SearchParameter, target: str | None, text: str) -> Predicate:
        found = values.parse_reference(text, f"{self._base}/")
        if found.uri is not None:
            return UriIs(param, found.uri)
        kind = found.target or target
        if kind is not None:
            return RefersTo(param, kind, found.id)
        if len(param.targets) == 1:
            return RefersTo(param, param.targets[0], found.id)
        return AnyOf(tuple(RefersTo(param, each, found.id) for each in param.targets))

    def take_sort(self, value: str) -> None:
        """Take the order of the pages."""
        code = value.removeprefix("-")
        descending = value.startswith("-")
        if code == "_lastUpdated":
            self._sort = Sort(None, descending)
            return
        param = self._known.get(code)
        if param is None or param.type not in _SORTED or not param.paths:
            message = (
                "_sort takes one parameter of type date, string, number or quantity here, "
                "or _lastUpdated."
            )
            raise BadRequest(message)
        self._sort = Sort(param, descending)

    def take_count(self, value: str) -> None:
        """Take the size of a page."""
        self._count = page_size(value)

    def take_total(self, value: str) -> None:
        """Take whether to count."""
        if value not in ("none", "estimate", "accurate"):
            message = "_total must be none, estimate or accurate."
            raise BadRequest(message)
        self._total = value != "none"

    def take_summary(self, value: str) -> None:
        """Take whether to count only."""
        if value == "count":
            self._count = 0
        elif value != "false":
            message = "_summary takes count or false here."
            raise BadRequest(message)

    def take_after(self, value: str) -> None:
        """Take where the last page ended."""
        self._after = value

    def take_form(self, value: str) -> None:
        """Take what concerns the answer's form, which is checked elsewhere."""


_CONTROLS: Final[dict[str, Callable[[_Reader, str], None]]] = {
    "_sort": _Reader.take_sort,
    "_count": _Reader.take_count,
    "_total": _Reader.take_total,
    "_summary": _Reader.take_summary,
    "_after": _Reader.take_after,
    "_format": _Reader.take_form,
    "_pretty": _Reader.take_form,
}


def _number(param: SearchParameter, text: str) -> Predicate:
    found = values.parse_quantity(text) if param.type == "quantity" else values.parse_number(text)
    if found.code and not found.system:
        message = f"{param.code} with a unit needs its system: 5.4|http://unitsofmeasure.org|mg."
        raise BadRequest(message)
    return NumberIs(
        param,
        Comparison(found.prefix),
        found.low,
        found.high,
        found.exact,
        found.system,
        found.code,
    )
