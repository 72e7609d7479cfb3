"""Random trees of what a search asks, whose values are those of some resources, or near them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any, Final, get_args

from polyclinic.kernel.search.canonicals import led_to
from polyclinic.kernel.search.facts import KINDS, Facts, Kind
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
from polyclinic.kernel.search.parameters import SearchParameter, parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    CanonicalIs,
    Comparison,
    CompositeIs,
    DateIs,
    Has,
    HowString,
    IdentifierIs,
    IdIs,
    InCompartment,
    Leaf,
    Linked,
    Missing,
    Near,
    Not,
    NumberIs,
    Predicate,
    RefersTo,
    StringIs,
    TokenIs,
    TokenOfType,
    TokenText,
    UriBelow,
    UriIs,
    Words,
)
from polyclinic.kernel.search.quantities import measures
from polyclinic.kernel.search.strings import normalise, words
from polyclinic.testing.isolation.chance import Chance

Make = Callable[[Chance, SearchParameter, Any], Leaf | None]
"""From a value of a parameter to a leaf that asks for it, or for something near it."""

_COMPARISONS: Final = tuple(Comparison)
_HOW: Final[tuple[HowString, ...]] = get_args(HowString)
_DAY: Final = 86_400_000_000


class Trees:
    """Make trees about the resources that there are."""

    def __init__(self, facts: Sequence[Facts], asked: Collection[type]) -> None:
        """Take what there is, and the classes of predicates that may be asked."""
        self._asked = frozenset(asked)
        self._facts = facts
        self._rows: dict[str, dict[str, list[tuple[Kind, Any]]]] = {}
        for one in facts:
            rows = self._rows.setdefault(one.type, {})
            for kind in KINDS:
                for row in getattr(one.values, kind):
                    rows.setdefault(row.param, []).append((kind, row))
        own = {one.type: one.values.custom.parameters for one in facts if one.values.custom}
        self._known = {name: {**parameters(name), **own.get(name, {})} for name in self._rows}

    def tree(self, chance: Chance, resource_type: str, depth: int = 2) -> AllOf:
        """Return what a query of a type asks: one to three parts."""
        count = chance.choice((1, 1, 2, 3))
        return AllOf(tuple(self._part(chance, resource_type, depth) for _ in range(count)))

    def _part(self, chance: Chance, resource_type: str, depth: int) -> Predicate:
        if depth == 0 or chance.happens(0.6):
            return self.leaf(chance, resource_type)
        match chance.choice(("not", "any", "all", "linked", "has")):
            case "not" if Not in self._asked:
                return Not(self._part(chance, resource_type, depth - 1))
            case "all":
                return self.tree(chance, resource_type, depth - 1)
            case "linked" if Linked in self._asked:
                return self._linked(chance, resource_type, depth)
            case "has" if Has in self._asked:
                return self._has(chance, resource_type, depth)
            case _:
                count = chance.choice((1, 2, 3))
                return AnyOf(
                    tuple(self._part(chance, resource_type, depth - 1) for _ in range(count))
                )

    def _linked(self, chance: Chance, resource_type: str, depth: int) -> Predicate:
        known = [link for link in self._links(resource_type) if link[1] in self._rows]
        if not known:
            return self.leaf(chance, resource_type)
        param, target = chance.choice(known)
        return Linked(param, target, self._part(chance, target, depth - 1))

    def _has(self, chance: Chance, resource_type: str, depth: int) -> Predicate:
        source = chance.choice(sorted(self._rows))
        refers = [param for param, target in self._links(source) if target == resource_type]
        if not refers:
            return self.leaf(chance, resource_type)
        return Has(source, chance.choice(refers), self._part(chance, source, depth - 1))

    def _links(self, resource_type: str) -> list[tuple[SearchParameter, str]]:
        """Return the references of a type, each with a type that it leads to."""
        known = self._known[resource_type]
        found: list[tuple[SearchParameter, str]] = []
        for code, rows in self._rows[resource_type].items():
            for kind, row in rows:
                if isinstance(row, ReferenceValue):
                    found.append((known[code], row.target))
                elif kind == "canonicals":
                    found += [(known[code], target) for target in led_to(known[code])]
        return found

    def leaf(self, chance: Chance, resource_type: str) -> Leaf:
        """Return one leaf of a type."""
        while True:
            found = self.some_leaf(chance, resource_type)
            if found is not None and type(found) in self._asked:
                return found

    def some_leaf(self, chance: Chance, resource_type: str) -> Leaf | None:
        """Return a leaf of any class, or None where the type lacks what was thought of."""
        known = self._known[resource_type]
        match chance.randint(1, 20):
            case 1:
                ids = [one.id for one in self._facts if one.type == resource_type]
                return IdIs(tuple(chance.sample(ids, min(3, len(ids)))))
            case 2:
                # A parameter over columns has no paths.
                codes = [
                    code for code, one in known.items() if one.paths and one.type != "composite"
                ]
                return Missing(known[chance.choice(codes)], chance.happens(0.5))
            case 3:
                return InCompartment("Patient", f"p-{chance.randint(1, 5)}")
            case 4:
                return self._words(chance, resource_type)
            case _:
                # Each parameter as often as any other, however many values it has.
                code, rows = chance.choice(list(self._rows[resource_type].items()))
                kind, row = chance.choice(rows)
                if isinstance(row, CompositeValue):
                    return self._composite(chance, resource_type, row)
                return _MAKERS[kind](chance, known[code], row)

    def _composite(self, chance: Chance, resource_type: str, row: CompositeValue) -> Leaf | None:
        """Ask for the components of one element, each as if it were asked for alone."""
        known = self._known[resource_type]
        param = known[row.param]
        parts: list[Leaf] = []
        params = param.parts or [known[code] for code, _ in param.components]
        for rows, component in zip(row.components, params, strict=True):
            one = chance.choice(rows)
            part = _MAKERS[_KINDS[type(one)]](chance, component, one)
            if part is None or isinstance(part, TokenText | TokenOfType | UriBelow):
                return None
            parts.append(part)
        return CompositeIs(param, tuple(parts))

    def _words(self, chance: Chance, resource_type: str) -> Leaf | None:
        one = chance.choice([one for one in self._facts if one.type == resource_type])
        code = chance.choice(("_text", "_content"))
        known = sorted(one.narrative if code == "_text" else one.content)
        param = self._known[resource_type].get(code)
        if not known or param is None:
            return None
        return Words(param, tuple(chance.sample(known, min(len(known), chance.randint(1, 3)))))


def _token(chance: Chance, param: SearchParameter, row: TokenValue) -> Leaf | None:
    if row.types and chance.happens(0.4):
        system, code = chance.choice(row.types)
        return TokenOfType(param, system or "", code, row.code or "")
    if row.text and chance.happens(0.3):
        known = words(row.text)
        return TokenText(param, tuple(chance.sample(known, min(len(known), 2)))) if known else None
    forms: tuple[tuple[str | None, str | None], ...] = (
        (None, row.code),
        (row.system or "", row.code),
        (row.system, None),
        ("", row.code),
    )
    form = chance.choice(forms)
    return TokenIs(param, *form) if any(form) else None


def _reference(chance: Chance, param: SearchParameter, row: ReferenceValue) -> Leaf:
    identity = row.id if chance.happens(0.8) else "p-1"
    return RefersTo(param, row.target, identity)


def _identifier(chance: Chance, param: SearchParameter, row: TokenValue) -> Leaf:
    return IdentifierIs(param, chance.choice((None, row.system)), row.code)


def _canonical(chance: Chance, param: SearchParameter, row: UriValue) -> Leaf:
    return CanonicalIs(param, (chance.choice((row.uri, row.uri.partition("|")[0])),))


def _uri(chance: Chance, param: SearchParameter, row: UriValue) -> Leaf:
    if param.type == "uri" and chance.happens(0.4):
        return UriBelow(param, row.uri.rpartition("/")[0] or row.uri)
    return UriIs(param, row.uri)


def _string(chance: Chance, param: SearchParameter, row: StringValue) -> Leaf | None:
    how = chance.choice(_HOW)
    if how == "exact":
        return StringIs(param, how, row.text)
    text = row.normalised
    middle = chance.randint(1, max(1, len(text)))
    text = text[-middle:] if how in ("ends", "contains") else text[:middle]
    text = text if param.code == "phonetic" else normalise(text)
    return StringIs(param, how, text) if text else None


def _date(chance: Chance, param: SearchParameter, row: DateValue) -> Leaf:
    low = row.low if row.low != DATE_MIN else 0
    high = row.high if row.high != DATE_MAX else low + _DAY
    low, high = chance.choice(
        ((low, high), (low - _DAY, high), (low, high + _DAY), (low - _DAY, low), (high, high + 1))
    )
    return DateIs(param, chance.choice(_COMPARISONS), low, high)


def _number(chance: Chance, param: SearchParameter, row: Any) -> Leaf:
    """Ask for a number, or for a quantity by one of its measures."""
    asked = chance.choice(measures(row)) if isinstance(row, QuantityValue) else None
    low, high = (asked.low, asked.high) if asked else (row.low, row.high)
    finite = [bound for bound in (low, high) if isfinite(bound)] or [1.0]
    exact = chance.choice((finite[0], finite[-1], sum(finite) / len(finite)))
    half = chance.choice((0.5, 0.05, 50.0))
    unit = (asked.system, asked.code) if asked else (None, None)
    comparison = chance.choice(_COMPARISONS)
    return NumberIs(param, comparison, exact - half, exact + half, exact, *unit)


def _position(chance: Chance, param: SearchParameter, row: PositionValue) -> Leaf:
    metres = chance.choice((1.0, 10_000.0, 1_000_000.0))
    shift = chance.choice((0.0, 0.05, -3.0))
    north = max(-90.0, min(90.0, row.latitude + shift))
    east = max(-180.0, min(180.0, row.longitude + shift))
    return Near(param, north, east, metres)


_KINDS: Final[Mapping[type, Kind]] = {
    TokenValue: "tokens",
    ReferenceValue: "references",
    UriValue: "uris",
    StringValue: "strings",
    DateValue: "dates",
    NumberValue: "numbers",
    QuantityValue: "quantities",
}
_MAKERS: Final[Mapping[Kind, Make]] = {
    "tokens": _token,
    "references": _reference,
    "canonicals": _canonical,
    "uris": _uri,
    "identifiers": _identifier,
    "strings": _string,
    "dates": _date,
    "numbers": _number,
    "quantities": _number,
    "positions": _position,
}


def described(part: object) -> str:
    """Write a tree on one line, for whoever reads a failure."""
    match part:
        case SearchParameter(code=code):
            return code
        case tuple():
            return f"({', '.join(described(one) for one in part)})"
        case _ if is_dataclass(part):
            inner = (described(getattr(part, one.name)) for one in fields(part))
            return f"{type(part).__name__}({', '.join(inner)})"
        case _:
            return repr(part)
