"""What can be told of an expression without a resource: the types that it gives, what it calls."""

from polyclinic.kernel.fhirpath.analysis import Known, Scope, known
from polyclinic.kernel.fhirpath.errors import SemanticError
from polyclinic.kernel.fhirpath.model import Type, fhir_type
from polyclinic.kernel.fhirpath.parser import parse
from polyclinic.kernel.fhirpath.syntax import Call, Expression, Union, inner


def result_types(expression: str, contexts: tuple[str, ...]) -> frozenset[Type] | None:
    """Return the types that an expression gives for resources of some types.

    None when that is known only when it runs. Each operand of a union has to work on one of the
    types at least: what is written for several names them in turn. Raise ``FhirPathError``.
    """
    tree = parse(expression, as_filters=True)
    operands = tree.operands if isinstance(tree, Union) else (tree,)
    found = [_of_operand(operand, contexts) for operand in operands]
    together: frozenset[Type] = frozenset()
    for types in found:
        if types is None:
            return None
        together |= types
    return together


def _of_operand(tree: Expression, contexts: tuple[str, ...]) -> frozenset[Type] | None:
    found: frozenset[Type] = frozenset()
    faults: list[SemanticError] = []
    for context in contexts:
        try:
            types = known(tree, Scope(Known(frozenset({fhir_type(context)})), check_order=False))
        except SemanticError as error:
            faults.append(error)
            continue
        if types.types is None:
            return None
        found |= types.types
    if faults and len(faults) == len(contexts):
        raise faults[0]
    return found


def calls(expression: str) -> frozenset[str]:
    """Return the names of the functions that an expression calls. Raise ``FhirPathError``."""
    found: set[str] = set()
    waiting: list[Expression] = [parse(expression, as_filters=True)]
    while waiting:
        tree = waiting.pop()
        if isinstance(tree, Call):
            found.add(tree.name)
        waiting.extend(inner(tree))
    return frozenset(found)
