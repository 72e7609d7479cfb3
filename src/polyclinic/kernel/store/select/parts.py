"""What a query asks of one type, by how it is found: gathered by an index, or looked up by rid."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Comparison,
    CompositeIs,
    DateIs,
    Has,
    Linked,
    Missing,
    Not,
    NumberIs,
    Predicate,
    Query,
    RefersTo,
    StringIs,
    TokenIs,
    UriIs,
)
from polyclinic.kernel.store.select.composite import untied
from polyclinic.kernel.store.select.conditions import all_of, condition_of, flat, keys_of
from polyclinic.kernel.store.select.statement import Among, Statement


class Parts(NamedTuple):
    """What a query asks, by how it is found."""

    hashed: list[Predicate]
    loose: list[str]
    """What else holds for the keys of what is hashed."""
    driver: Predicate | None
    """What is looked up first where nothing is hashed."""
    probed: list[Predicate]
    """What is looked up for each resource that was gathered."""
    looked_at: list[Predicate]
    """What the gathered rows say themselves."""

    @classmethod
    def of(cls, query: Query, statement: Statement) -> "Parts | None":
        """Return the parts of a query; None where no one index finds what matches."""
        hashed, values, looked_at = list[Predicate](), list[Predicate](), list[Predicate]()
        asked, loose = _untied(flat([query.where], AllOf), statement)
        for part in asked:
            if keys_of(part, statement) is not None:
                hashed.append(part)
            elif _looks_only(part):
                looked_at.append(part)
            elif _is_direct(part, statement):
                values.append(part)
            else:
                return None
        values.sort(key=_rank)
        if not hashed and not values:
            return None
        driver = None if hashed else values.pop(0)
        if not all(isinstance(part, StringIs | DateIs | NumberIs) for part in values):
            return None
        return cls(hashed, loose, driver, values, looked_at)

    @property
    def is_gathered(self) -> bool:
        """Say whether all that is gathered matches."""
        return not self.probed and not self.looked_at

    def found(self, statement: Statement) -> str:
        """Return the select of the rids that are gathered."""
        if self.driver is None:
            return (
                f"select k.rid from keys k where k.tenant = $1 and {statement.of_types('k')}"  # noqa: S608
                f" and {' and '.join([all_of(self.hashed, statement), *self.loose])}"
            )
        condition = condition_of(self.driver, statement)
        if isinstance(condition, Among):
            return condition.rids
        return (
            f"select k.rid from keys k where k.tenant = $1 and {statement.of_types('k')}"  # noqa: S608
            f" and {condition}"
        )

    def of_keys(self, statement: Statement) -> Iterator[str]:
        """Yield what else holds for the keys."""
        if self.looked_at:
            yield all_of(self.looked_at, statement)

    def probes(self, statement: Statement) -> Iterator[str]:
        """Yield what else holds for what was gathered."""
        if isinstance(self.driver, Has | AnyOf):
            # A reference may lead to another type, or to what was never stored.
            yield statement.of_types("r")
        for part in self.probed:
            yield _probe(condition_of(part, statement), "k.rid")

    def walked(self, statement: Statement) -> str:
        """Return what is looked up by rid for each resource that is walked, ``r``."""
        return _probe(Among.of(self.found(statement)), "r.rid")


def _probe(condition: str, rid: str) -> str:
    """Return what holds where a resource is among some."""
    assert isinstance(condition, Among)
    # The offset keeps it a lookup by rid: as a join it might read all that has the value.
    return f"exists (select from ({condition.rids}) x(rid) where x.rid = {rid} offset 0)"


def _untied(parts: Iterable[Predicate], statement: Statement) -> tuple[list[Predicate], list[str]]:
    """Return parts with those of composites among them where one of them is hashed.

    What is hashed is gathered, and the others are looked up until a page is full; a composite by
    itself would look at all that has its quantity, whatever the code.
    """
    found, loose = list[Predicate](), list[str]()
    for part in parts:
        own = untied(part, statement) if isinstance(part, CompositeIs) else None
        if own is not None and any(keys_of(one, statement) is not None for one in own[0]):
            found += own[0]
            loose += [own[1]] if own[1] else []
        else:
            found.append(part)
    return found, loose


def _rank(part: Predicate) -> int:
    """Return a number that is lower for what fewer resources have, as a rule."""
    match part:
        case Linked() | Has() | AnyOf() | CompositeIs():
            return 0
        case StringIs(_, how):
            return 2 if how == "starts" else 1
        case DateIs(_, Comparison.EQUAL):
            return 3
        case _:
            return 4


def _is_direct(part: Predicate, statement: Statement) -> bool:
    """Say whether there is one way to find what matches, however much that is."""
    match part:
        case StringIs(_, how):
            return how in ("starts", "exact", "equals")
        case DateIs() | NumberIs() | CompositeIs():
            return part.param is not None
        case AnyOf(parts):
            return bool(parts) and all(_is_direct(one, statement) for one in parts)
        case Linked(_, target, where):
            return _is_one_way(where, statement.about(target))
        case Has(source, _, where):
            return _is_one_way(where, statement.about(source))
        case _:
            return False


def _is_one_way(part: Predicate, statement: Statement) -> bool:
    """Say whether there is one way to find what is at the other end of a reference."""
    parts = list(flat([part], AllOf))
    if len(parts) == 1 and _is_direct(parts[0], statement):
        return True
    return bool(parts) and all(keys_of(one, statement) is not None for one in parts)


def _looks_only(part: Predicate) -> bool:
    """Say whether a condition is about the row itself and costs next to nothing to check."""
    match part:
        case Missing():
            return part.param.type != "composite"
        case Not(inner):
            return isinstance(inner, TokenIs | RefersTo | UriIs)
        case _:
            return False
