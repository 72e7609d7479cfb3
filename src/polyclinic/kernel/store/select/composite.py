"""Composites as conditions: by the parameters over the same elements, by keys, by tied rows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from polyclinic.kernel.search.composites import Tie, ties_of
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import CompositeIs, Leaf, Missing, NumberIs
from polyclinic.kernel.store.number_rows import tied_number
from polyclinic.kernel.store.select.ranges import of_number
from polyclinic.kernel.store.select.statement import Among, Statement

Holds: TypeAlias = Callable[[Leaf, Statement], str]
"""Makes the condition of a leaf."""


def condition(leaf: CompositeIs, statement: Statement, holds: Holds) -> str:
    """Return what holds where a composite has all of some values."""
    arms = [
        (about, _met(tie, leaf.parts, about, holds)) for about, tie in _ties(leaf.param, statement)
    ]
    if len(arms) == 1:
        return arms[0][1]
    return Among.of(" union all ".join(_rids(*arm) for arm in arms))


def untied(leaf: CompositeIs, statement: Statement) -> tuple[list[Leaf], str] | None:
    """Return the parts that a composite comes to, and what else holds for the keys.

    None where it takes more than the parameters over the same elements.
    """
    (about, tie), *more = _ties(leaf.param, statement)
    if more or tie.ordered or tie.stored or None in tie.own:
        return None
    own = [_about(part, param) for part, param in zip(leaf.parts, tie.own, strict=True) if param]
    return own, f"not {_unmet(tie, about)}" if tie.loose else ""


def present(param: SearchParameter, statement: Statement) -> str:
    """Return what holds where a composite has values."""
    arms = (_valued(tie, about) for about, tie in _ties(param, statement))
    return f"({' or '.join(arms)})"


def _ties(param: SearchParameter, statement: Statement) -> list[tuple[Statement, Tie]]:
    """Return the ties of a composite in each type, with the statement about that type."""
    return [
        (statement.about(name), tie) for name in statement.types for tie in ties_of(name, param)
    ]


def _rids(statement: Statement, met: str) -> str:
    if isinstance(met, Among):
        return met.rids
    return (
        "select k.rid from keys k"  # noqa: S608 - conditions
        f" where k.tenant = $1 and {statement.of_types('k')} and {met}"
    )


def _met(tie: Tie, parts: Sequence[Leaf], statement: Statement, holds: Holds) -> str:
    own = [
        holds(_about(part, param), statement)
        for part, param in zip(parts, tie.own, strict=True)
        if param is not None
    ]
    if tie.loose:
        own.append(f"not {_unmet(tie, statement)}")
    if tie.ordered:
        rows = _tied(tie, parts, statement)
        if not own:
            return rows
        own.append(rows)
    elif tie.stored:
        key = statement.keys.tied(tie, parts)
        own.append(f"k.keys @> {statement.argument([key], 'bigint[]')}")
    return f"({' and '.join(own)})"


def _about(part: Leaf, param: SearchParameter) -> Leaf:
    """Return a component's leaf as one of the parameter that has the component's values."""
    moved: Any = part
    found: Leaf = replace(moved, param=param)
    return found


def _unmet(tie: Tie, statement: Statement) -> str:
    return f"k.keys && {statement.argument(statement.keys.unmet(tie), 'bigint[]')}"


def _tied(tie: Tie, parts: Sequence[Leaf], statement: Statement) -> str:
    """Return what holds where the rows of one element have the values of all ordered parts."""
    tied = statement.keys.tied(tie, parts)
    selects = []
    for at in tie.ordered:
        part = parts[at]
        assert isinstance(part, NumberIs)
        unit = statement.keys.unit(part.system, part.code) if part.code else 0
        under = statement.argument(statement.keys.under(tied, unit), "bigint")
        numbers = [tied_number(name, tie, at) for name in statement.types]
        selects.append(
            "select v.rid, v.extreme from number_value v where v.tenant = $1"  # noqa: S608
            f" and {statement.numbered('v', numbers)} and v.unit = {under}"
            f" and {of_number(part, statement)}"
        )
    # The number of an element stands in the place of the extreme.
    return Among.of(f"select e.rid from ({' intersect '.join(selects)}) e")  # noqa: S608


def _valued(tie: Tie, statement: Statement) -> str:
    if not tie.stored:
        own = [
            f"k.keys && {statement.argument(keys, 'bigint[]')}"
            for param in tie.own
            if param and (keys := statement.keys.of(Missing(param, missing=False))) is not None
        ]
        if tie.loose:
            own.append(f"not {_unmet(tie, statement)}")
        return f"({' and '.join(own)})"
    if not tie.ordered:
        return f"k.keys && {statement.argument(statement.keys.tied_present(tie), 'bigint[]')}"
    numbers = [tied_number(name, tie, tie.ordered[0]) for name in statement.types]
    return (
        "k.rid in (select v.rid from number_value v where v.tenant = $1"  # noqa: S608
        f" and {statement.numbered('v', numbers)})"
    )
