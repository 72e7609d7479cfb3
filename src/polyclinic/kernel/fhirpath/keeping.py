"""What an evaluation finds once and keeps: parts of a criterion that are the same for each element.

``contained.where('#' + id in %resource.descendants().reference)`` asks the whole resource for each
of its contained ones; R4's invariant dom-3 does so four times.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from polyclinic.kernel.fhirpath.functions import FUNCTIONS
from polyclinic.kernel.fhirpath.run import RESERVED
from polyclinic.kernel.fhirpath.syntax import (
    Binary,
    Call,
    Expression,
    Indexer,
    Kept,
    Literal,
    Path,
    Polarity,
    Special,
    TypeTest,
    Union,
    Variable,
    inner,
)

_LOOPS: Final = frozenset({"all", "exists", "repeat", "select", "where"})
"""Functions whose arguments have a ``$this`` of their own."""
_EFFECTS: Final = frozenset({"defineVariable", "trace"})


def kept(tree: Expression) -> Expression:
    """Return an expression in which what never changes is marked, where it would be asked again."""
    return _marked(tree, looped=False)


def _marked(tree: Expression, *, looped: bool) -> Expression:
    found = tree
    if looped and _is_costly(tree) and _is_fixed(tree, within=False):
        return Kept(_marked(tree, looped=False))
    match tree:
        case Path(base=base):
            found = replace(tree, base=_below(base, looped=looped))
        case Call(base=base, name=name, arguments=arguments):
            again = looped or FUNCTIONS[name].each
            marked = tuple(_marked(one, looped=again) for one in arguments)
            found = replace(tree, base=_below(base, looped=looped), arguments=marked)
        case Indexer(base, index):
            found = Indexer(_marked(base, looped=looped), _marked(index, looped=looped))
        case Polarity(operand=operand) | TypeTest(operand=operand) if operand is not None:
            found = replace(tree, operand=_marked(operand, looped=looped))
        case Binary(operator, left, right):
            found = Binary(operator, _marked(left, looped=looped), _marked(right, looped=looped))
        case Union(operands):
            found = Union(tuple(_marked(one, looped=looped) for one in operands))
        case _:
            pass
    return found


def _below(tree: Expression | None, *, looped: bool) -> Expression | None:
    return None if tree is None else _marked(tree, looped=looped)


def _is_costly(tree: Expression) -> bool:
    return isinstance(tree, Path | Call) or any(map(_is_costly, inner(tree)))


def _is_fixed(tree: Expression, *, within: bool) -> bool:
    """Say whether an expression gives the same throughout an evaluation.

    ``within``: a loop of its own, whose ``$this`` is not that of the evaluation.
    """
    match tree:
        case Literal():
            return True
        case Variable(name):
            return name in RESERVED
        case Special(name):
            return within and name != "total"
        case Path(base=None) | Call(base=None) | TypeTest(operand=None) if not within:
            return False
        case Call(name=name, base=base, arguments=arguments):
            own = within or name in _LOOPS
            based = () if base is None else (base,)
            return (
                name not in _EFFECTS
                and _are_fixed(based, within=within)
                and _are_fixed(arguments, within=own)
            )
        case _:
            return _are_fixed(inner(tree), within=within)


def _are_fixed(trees: Sequence[Expression], *, within: bool) -> bool:
    return all(_is_fixed(one, within=within) for one in trees)
