"""From the tree of an expression to closures.

A closure takes the Run and returns a collection. What stands in front of a dot is compiled first;
a path takes all its names at once.

http://hl7.org/fhirpath/N1/#expressions
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec import UNSET

from polyclinic.kernel.fhirpath.functions import FUNCTIONS
from polyclinic.kernel.fhirpath.functions.subsetting import indexed
from polyclinic.kernel.fhirpath.functions.utility import sort
from polyclinic.kernel.fhirpath.keys import distinct
from polyclinic.kernel.fhirpath.model import TEXTS, Type, head_type
from polyclinic.kernel.fhirpath.node import EMPTY, FALSE, TRUE, Collection, integer
from polyclinic.kernel.fhirpath.operators import OPERATORS
from polyclinic.kernel.fhirpath.operators.arithmetic import polarity
from polyclinic.kernel.fhirpath.operators.boolean import LOGIC
from polyclinic.kernel.fhirpath.operators.types import TYPE_OPERATORS
from polyclinic.kernel.fhirpath.run import Evaluator, Run
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
)
from polyclinic.kernel.fhirpath.walk import follow, text_attribute


def closure(tree: Expression) -> Evaluator:
    """Return the closure of an expression, whose functions and their arguments were checked."""
    make: Callable[[Any], Evaluator] = _CLOSURES[type(tree)]
    return make(tree)


def _this(run: Run) -> Collection:
    return run.this


def _base(tree: Expression | None) -> Evaluator:
    return _this if tree is None else closure(tree)


def _literal(tree: Literal) -> Evaluator:
    value = tree.value
    return lambda _: value


def _variable(tree: Variable) -> Evaluator:
    name = tree.name
    return lambda run: run.variable(name)


def _special(tree: Special) -> Evaluator:
    if tree.name == "index":
        return lambda run: EMPTY if run.index is None else integer(run.index)
    return _this if tree.name == "this" else lambda run: run.total


def _path(tree: Path) -> Evaluator:
    if tree.base is not None:
        return _followed(closure(tree.base), follow(tree.names))
    head = head_type(tree.names[0])
    if head is None:
        walk = follow(tree.names)
        return lambda run: walk(run, run.this)
    root = _of_type(head)
    return _followed(root, follow(tree.names[1:])) if len(tree.names) > 1 else root


def _followed(base: Evaluator, walk: Callable[[Run, Collection], Collection]) -> Evaluator:
    return lambda run: walk(run, base(run))


def _of_type(head: Type) -> Evaluator:
    """Return what is at hand if it is of the type that a path begins with."""

    def evaluate(run: Run) -> Collection:
        this = run.this
        if len(this) == 1 and this[0].type is head:
            return this
        return [node for node in this if head in node.type.ancestors]

    return evaluate


def _call(tree: Call) -> Evaluator:
    function, base = FUNCTIONS[tree.name], _base(tree.base)
    call = function.call
    if call is sort:
        keys = tuple(map(_sort_key, tree.arguments))
        return lambda run: sort(run, base(run), keys)
    arguments = tuple(map(closure, tree.arguments))
    if not arguments:
        return lambda run: call(run, base(run))
    first, *others = arguments
    if function.lazy:
        if others:
            return lambda run: call(run, base(run), *arguments)
        return lambda run: call(run, base(run), first)
    if others:
        return lambda run: call(run, base(run), *[argument(run) for argument in arguments])
    return lambda run: call(run, base(run), first(run))


def _sort_key(tree: Expression) -> tuple[Evaluator, bool]:
    """Return what to sort by, and whether a sign before it asks for descending order."""
    if isinstance(tree, Polarity) and tree.sign == "-":
        return closure(tree.operand), True
    return closure(tree), False


def _indexer(tree: Indexer) -> Evaluator:
    base, index = closure(tree.base), closure(tree.index)
    return lambda run: indexed(base(run), index(run))


def _polarity(tree: Polarity) -> Evaluator:
    sign, operand = tree.sign, closure(tree.operand)
    return lambda run: polarity(sign, operand(run))


def _binary(tree: Binary) -> Evaluator:
    left, right = closure(tree.left), closure(tree.right)
    if tree.operator in LOGIC:
        return LOGIC[tree.operator](left, right)
    operate = OPERATORS[tree.operator]
    if tree.operator == "=" and isinstance(tree.right, Literal) and tree.right.value:
        wanted = tree.right.value[0].value
        if isinstance(wanted, str):
            test = _equals_text(left, tree.right.value, wanted)
            return _element_equals(tree.left, test, wanted)
    return lambda run: operate(run, left(run), right(run))


def _equals_text(left: Evaluator, right: Collection, wanted: str) -> Evaluator:
    """Return ``x = 'text'``, which most criteria are."""
    operate = OPERATORS["="]

    def evaluate(run: Run) -> Collection:
        nodes = left(run)
        if len(nodes) == 1:
            value = nodes[0].value
            if value.__class__ is str and nodes[0].type in TEXTS:
                return TRUE if value == wanted else FALSE
        return operate(run, nodes, right)

    return evaluate


def _element_equals(left: Expression, test: Evaluator, wanted: str) -> Evaluator:
    """Return ``element = 'text'``, read from a Struct without a collection on the way."""
    if not isinstance(left, Path) or left.base is not None or len(left.names) > 1:
        return test
    name = left.names[0]

    def evaluate(run: Run) -> Collection:
        this = run.this
        if len(this) == 1:
            value = this[0].value
            attribute = text_attribute(value.__class__, name)
            if attribute is not None:
                found = getattr(value, attribute)
                return EMPTY if found is UNSET else TRUE if found == wanted else FALSE
        return test(run)

    return evaluate


def _union(tree: Union) -> Evaluator:
    operands = tuple((_head(operand), closure(operand)) for operand in tree.operands)
    chosen: dict[Type, tuple[Evaluator, ...]] = {}

    def choose(type_: Type) -> tuple[Evaluator, ...]:
        chosen[type_] = found = tuple(
            operand for head, operand in operands if head is None or head in type_.ancestors
        )
        return found

    def evaluate(run: Run) -> Collection:
        this = run.this
        if len(this) == 1:
            some = chosen.get(this[0].type)
            if some is None:
                some = choose(this[0].type)
        else:
            some = tuple(operand for _, operand in operands)
        return distinct(run, [node for operand in some for node in operand(run)])

    return evaluate


def _head(tree: Expression) -> Type | None:
    """Return the type without which an expression gives nothing, or None.

    The search parameters of many types are unions of which one operand is about each.
    """
    while True:
        match tree:
            case Path(base=None, names=names):
                return head_type(names[0])
            case Call(base=base, name=name) if base is not None and name in _EMPTY_OF_EMPTY:
                tree = base
            case Path(base=base) | Indexer(base=base) | TypeTest(operand=base) if base:
                tree = base
            case _:
                return None


def _type_test(tree: TypeTest) -> Evaluator:
    operand, test = _base(tree.operand), TYPE_OPERATORS[tree.operator](tree.types)
    return lambda run: test(operand(run))


def _kept(tree: Kept) -> Evaluator:
    evaluate = closure(tree.operand)

    def once(run: Run) -> Collection:
        found = run.kept.get(once)
        if found is None:
            return run.keep(once, evaluate(run))
        run.spend(1)
        return found

    return once


_EMPTY_OF_EMPTY: Final = frozenset({"extension", "first", "resolve", "select", "where"})
"""Functions that give nothing for nothing; there are more, but search parameters use these."""

_CLOSURES: Final[dict[type, Callable[[Any], Evaluator]]] = {
    Literal: _literal,
    Variable: _variable,
    Special: _special,
    Path: _path,
    Call: _call,
    Indexer: _indexer,
    Polarity: _polarity,
    Binary: _binary,
    Union: _union,
    TypeTest: _type_test,
    Kept: _kept,
}
