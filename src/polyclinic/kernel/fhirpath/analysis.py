"""What can be said of an expression before it runs: the types that it goes through.

An expression that cannot work on any resource of its context is refused when it is compiled, with
the name at fault, and not when it first meets data.

http://hl7.org/fhirpath/N1/#type-safety-and-strict-evaluation
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from polyclinic.kernel.fhirpath.errors import SemanticError
from polyclinic.kernel.fhirpath.functions import FUNCTIONS
from polyclinic.kernel.fhirpath.functions.function import Function
from polyclinic.kernel.fhirpath.model import (
    BOOLEAN,
    SYSTEM,
    Type,
    fhir_type,
    head_type,
    system_type,
)
from polyclinic.kernel.fhirpath.operators.types import matches
from polyclinic.kernel.fhirpath.syntax import (
    Binary,
    Call,
    Expression,
    Indexer,
    Literal,
    Path,
    Polarity,
    Special,
    TypeTest,
    Union,
    Variable,
)

Types: TypeAlias = frozenset[Type] | None
"""The types that elements may have; None when that is only known when it runs."""

_NUMBERS: Final = frozenset({"Integer", "Decimal", "Quantity"})
_MOMENTS: Final = frozenset({"Date", "DateTime", "Time"})
_SUMS: Final = frozenset(
    {("String", "String")}
    | {(one, other) for one in _NUMBERS for other in _NUMBERS}
    | {(moment, "Quantity") for moment in _MOMENTS}
)
"""The pairs of types that can be added; all but Strings can be subtracted."""
_TRUTHS: Final = frozenset(
    {"=", "!=", "~", "!~", "<", ">", "<=", ">=", "in", "contains", "and", "or", "xor", "implies"}
)
_TAKEN: Final = {"String": frozenset({"String"}), "Number": _NUMBERS}
_REFLECTED: Final = frozenset({"namespace", "name"})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a collection."""

    types: Types
    ordered: bool = True


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression stands on, and whether its order is looked at."""

    this: Known
    check_order: bool


def check(tree: Expression, context: str | None, *, check_order: bool = False) -> None:
    """Raise SemanticError when the expression can work on no element of a type.

    Without a context only what follows the name of a type is looked at. ``check_order`` refuses
    what depends on an order that the specification leaves open: ``children().first()``.
    """
    types = None if context is None else frozenset({fhir_type(context)})
    known(tree, Scope(Known(types), check_order))


def known(tree: Expression, scope: Scope) -> Known:
    """Return what is known of what an expression gives."""
    inquire: Callable[[Any, Scope], Known] = _INQUIRIES[type(tree)]
    return inquire(tree, scope)


def _literal(tree: Literal, _: Scope) -> Known:
    return Known(frozenset(node.type for node in tree.value))


def _special(tree: Special, scope: Scope) -> Known:
    if tree.name == "this":
        return scope.this
    return Known(frozenset({SYSTEM["Integer"]}) if tree.name == "index" else None)


def _unknown(_: Variable, __: Scope) -> Known:
    return Known(None)


def _path(tree: Path, scope: Scope) -> Known:
    names = tree.names
    base = scope.this if tree.base is None else known(tree.base, scope)
    head = head_type(names[0]) if tree.base is None else None
    types = base.types
    if head is not None:
        types, names = _headed(head, types), names[1:]
    for name in names:
        types = _elements(types, name)
    return Known(types, base.ordered)


def _headed(head: Type, types: Types) -> Types:
    if types is None:
        return frozenset({head})
    found = frozenset(
        head if one in head.ancestors else one for one in types if _related(head, one)
    )
    if types and not found:
        message = f"{head.name} cannot stand here, where the expression is about {_list(types)}."
        raise SemanticError(message)
    return found


def _related(one: Type, other: Type) -> bool:
    return one in other.ancestors or other in one.ancestors


def _elements(types: Types, name: str) -> Types:
    """Return the types of the elements of one name."""
    if types is None or any(type_.open for type_ in types):
        return None
    found = [_of(type_, name) for type_ in types]
    if not types:
        return frozenset()
    present = [one for one in found if one is not None]
    if not present:
        message = f"There is no element {name} in {_list(types)}; correct its name."
        raise SemanticError(message)
    return frozenset().union(*present)


def _of(type_: Type, name: str) -> frozenset[Type] | None:
    if type_.system:
        return _of_system(type_, name)
    element = type_.elements.get(name)
    if element is None:
        return None
    return frozenset(fhir_type(one) for one in element.types)


def _of_system(type_: Type, name: str) -> frozenset[Type] | None:
    found = {
        "Quantity": {"value": "Decimal", "unit": "String"},
        "SimpleTypeInfo": dict.fromkeys(_REFLECTED, "String"),
        "ClassInfo": dict.fromkeys(_REFLECTED, "String"),
    }.get(type_.name, {})
    return frozenset({SYSTEM[found[name]]}) if name in found else None


def _list(types: frozenset[Type]) -> str:
    return ", ".join(sorted(type_.name for type_ in types)[:5])


def _call(tree: Call, scope: Scope) -> Known:
    base = scope.this if tree.base is None else known(tree.base, scope)
    function = FUNCTIONS.get(tree.name)
    if function is None:
        message = f"There is no function {tree.name}(); correct its name."
        raise SemanticError(message)
    low, high = function.arguments
    if not low <= len(tree.arguments) <= high:
        message = f"{tree.name}() takes {low if low == high else f'{low} to {high}'} arguments."
        raise SemanticError(message)
    if function.ordered and scope.check_order and not base.ordered:
        message = f"{tree.name}() needs an order, which there is none of here."
        raise SemanticError(message)
    _check_input(tree.name, function, base.types)
    below = Scope(base, scope.check_order) if function.each or tree.name == "iif" else scope
    arguments = [known(argument, below) for argument in tree.arguments]
    if tree.name == "iif":
        _check_criterion(arguments[0].types)
    ordered = tree.name not in {"children", "descendants"} and base.ordered
    return Known(_given(tree, function, base, arguments), ordered)


def _check_input(name: str, function: Function, types: Types) -> None:
    wanted = _TAKEN.get(function.takes)
    if not types or wanted is None:
        return
    if not any(_is_taken(type_, wanted) for type_ in types):
        message = f"{name}() needs a {function.takes}, not {_list(types)}."
        raise SemanticError(message)


def _is_taken(type_: Type, wanted: frozenset[str]) -> bool:
    found = system_type(type_)
    return type_.open or (found is not None and found.name in wanted)


def _check_criterion(types: Types) -> None:
    if types and not any(system_type(type_) is BOOLEAN or type_.open for type_ in types):
        message = f"The criterion of iif() is a Boolean, not {_list(types)}."
        raise SemanticError(message)


def _given(tree: Call, function: Function, base: Known, arguments: list[Known]) -> Types:
    match function.gives:
        case "any":
            return frozenset({SYSTEM["ClassInfo"]}) if tree.name == "type" else _others(tree)
        case "input":
            return base.types
        case "argument":
            return arguments[0].types
        case "both":
            return _united([one.types for one in (base, *arguments)])
        case "results":
            return _united([one.types for one in arguments[1:]])
        case name:
            return frozenset({SYSTEM[name]})


def _others(tree: Call) -> Types:
    return frozenset({fhir_type("Extension")}) if tree.name == "extension" else None


def _united(found: list[Types]) -> Types:
    together: frozenset[Type] = frozenset()
    for types in found:
        if types is None:
            return None
        together |= types
    return together


def _indexer(tree: Indexer, scope: Scope) -> Known:
    base = known(tree.base, scope)
    known(tree.index, scope)
    if scope.check_order and not base.ordered:
        message = "An index needs an order, which there is none of here."
        raise SemanticError(message)
    return base


def _polarity(tree: Polarity, scope: Scope) -> Known:
    return known(tree.operand, scope)


def _binary(tree: Binary, scope: Scope) -> Known:
    left, right = known(tree.left, scope), known(tree.right, scope)
    if tree.operator in _TRUTHS:
        return Known(frozenset({BOOLEAN}))
    if tree.operator in {"+", "-"}:
        _check_sum(tree.operator, left.types, right.types)
    return Known(None)


def _check_sum(operator: str, left: Types, right: Types) -> None:
    if not left or not right:
        return
    pairs = {(_system_name(one), _system_name(other)) for one in left for other in right}
    allowed = _SUMS if operator == "+" else _SUMS - {("String", "String")}
    if not pairs & allowed and not any(None in pair for pair in pairs):
        message = f"'{operator}' does not work on {_list(left)} and {_list(right)}."
        raise SemanticError(message)


def _system_name(type_: Type) -> str | None:
    found = system_type(type_)
    return found.name if found else None


def _union(tree: Union, scope: Scope) -> Known:
    return Known(_united([known(operand, scope).types for operand in tree.operands]))


def _type_test(tree: TypeTest, scope: Scope) -> Known:
    base = scope.this if tree.operand is None else known(tree.operand, scope)
    if tree.operator == "is":
        return Known(frozenset({BOOLEAN}))
    if base.types is None or any(type_.open for type_ in base.types):
        return Known(frozenset(tree.types), base.ordered)
    kept = frozenset(type_ for type_ in base.types if matches(type_, tree.types))
    wanted = frozenset(one for one in tree.types if not one.system) or frozenset(tree.types)
    return Known(kept or wanted, base.ordered)


_INQUIRIES: Final[dict[type, Callable[[Any, Scope], Known]]] = {
    Literal: _literal,
    Variable: _unknown,
    Special: _special,
    Path: _path,
    Call: _call,
    Indexer: _indexer,
    Polarity: _polarity,
    Binary: _binary,
    Union: _union,
    TypeTest: _type_test,
}
