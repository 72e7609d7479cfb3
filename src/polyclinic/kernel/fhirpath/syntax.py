"""The tree of an expression.

http://hl7.org/fhirpath/N1/#grammar
"""

from dataclasses import dataclass
from typing import TypeAlias

from polyclinic.kernel.fhirpath.model import Type
from polyclinic.kernel.fhirpath.node import Collection


@dataclass(frozen=True, slots=True)
class Literal:
    """A value, or the empty collection ``{}``."""

    value: Collection


@dataclass(frozen=True, slots=True)
class Variable:
    """``%name``."""

    name: str


@dataclass(frozen=True, slots=True)
class Special:
    """``$this``, ``$index`` or ``$total``, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Path:
    """Elements by name, ``name.given``, of another expression or of what stands at hand."""

    base: "Expression | None"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments, on another expression or on what stands at hand."""

    base: "Expression | None"
    name: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Indexer:
    """``base[index]``."""

    base: "Expression"
    index: "Expression"


@dataclass(frozen=True, slots=True)
class Polarity:
    """``+operand`` or ``-operand``."""

    sign: str
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and the operator's symbol or word."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Union:
    """``a | b | c``."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class TypeTest:
    """``operand is T`` or ``operand as T``, the functions of that name and ``ofType``."""

    operator: str
    operand: "Expression | None"
    types: tuple[Type, ...]
    """What the name may mean: ``Quantity`` is a type of FHIR and one of FHIRPath."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An expression whose result is kept while an evaluation lasts; nobody writes it."""

    operand: "Expression"


Expression: TypeAlias = (
    Literal
    | Variable
    | Special
    | Path
    | Call
    | Indexer
    | Polarity
    | Binary
    | Union
    | TypeTest
    | Kept
)


def inner(tree: Expression) -> tuple[Expression, ...]:
    """Return the expressions that an expression is made of."""
    found: tuple[Expression | None, ...]
    match tree:
        case Literal() | Variable() | Special():
            found = ()
        case Path(base=base):
            found = (base,)
        case Call(base=base, arguments=arguments):
            found = (base, *arguments)
        case Indexer(base=base, index=index):
            found = (base, index)
        case Polarity(operand=operand) | TypeTest(operand=operand) | Kept(operand):
            found = (operand,)
        case Binary(left=left, right=right):
            found = (left, right)
        case Union(operands=operands):
            found = operands
    return tuple(one for one in found if one is not None)


def depth(tree: Expression) -> int:
    """Return how many expressions stand within one another."""
    deepest = 0
    waiting = [(tree, 1)]
    while waiting:
        one, level = waiting.pop()
        deepest = max(deepest, level)
        waiting.extend((below, level + 1) for below in inner(one))
    return deepest
