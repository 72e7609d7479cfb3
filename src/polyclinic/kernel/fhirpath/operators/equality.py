"""Equality and equivalence.

http://hl7.org/fhirpath/N1/#equality
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from polyclinic.kernel.fhirpath.decimals import ARITHMETIC, decimals
from polyclinic.kernel.fhirpath.keys import key, structure, unordered
from polyclinic.kernel.fhirpath.moments import Moment, compare_moments
from polyclinic.kernel.fhirpath.node import Collection, Node, boolean, system_value, three_valued
from polyclinic.kernel.fhirpath.quantities import Quantity, compare_quantities, converted
from polyclinic.kernel.fhirpath.run import Run


def equal(run: Run, left: Collection, right: Collection) -> bool | None:
    """Return whether two collections are equal in order; None when it is not known.

    http://hl7.org/fhirpath/N1/#equals
    """
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    if len(left) == 1:
        return equal_nodes(run, left[0], right[0])
    run.spend(len(left))
    found = {equal_nodes(run, one, other) for one, other in zip(left, right, strict=True)}
    if False in found:
        return False
    return None if None in found else True


def equal_nodes(run: Run, left: Node, right: Node) -> bool | None:
    """Return whether two elements are equal; None when it is not known."""
    one, other = system_value(left), system_value(right)
    if one is None or other is None:
        return one is other and key(run, left) == key(run, right)
    one, other = alike(one, other)
    if type(one) is not type(other):
        return False
    if isinstance(one, Moment):
        if (one.kind == "Time") is not (other.kind == "Time"):
            return False
        order = compare_moments(one, other)
        return None if order is None else order == 0
    if isinstance(one, Quantity):
        order = compare_quantities(one, other)
        return None if order is None else order == 0
    return bool(one == other)


def alike(one: Any, other: Any) -> tuple[Any, Any]:
    """Return two values with the conversions that FHIRPath makes by itself.

    Integer to Decimal, and both to Quantity. http://hl7.org/fhirpath/N1/#conversion
    """
    if type(one) is type(other):
        return one, other
    one, other = _widened(one), _widened(other)
    if isinstance(one, Quantity) and isinstance(other, Decimal):
        return one, Quantity(other, "1")
    if isinstance(one, Decimal) and isinstance(other, Quantity):
        return Quantity(one, "1"), other
    return one, other


def _widened(value: Any) -> Any:
    return Decimal(value) if type(value) is int else value


def equivalent(run: Run, left: Collection, right: Collection) -> bool:
    """Return whether two collections hold the same in any order, as people would say.

    http://hl7.org/fhirpath/N1/#equivalent
    """
    if len(left) != len(right):
        return False
    waiting = list(right)
    for node in left:
        run.spend(1 + len(waiting))
        for place, other in enumerate(waiting):
            if equivalent_nodes(run, node, other):
                del waiting[place]
                break
        else:
            return False
    return True


def equivalent_nodes(run: Run, left: Node, right: Node) -> bool:
    """Return whether two elements are equivalent."""
    one, other = system_value(left), system_value(right)
    if one is None or other is None:
        if one is not other:
            return False
        return _loosely(run, left) == _loosely(run, right)
    one, other = alike(one, other)
    if type(one) is not type(other):
        return False
    compare = _EQUIVALENCES.get(type(one))
    return bool(one == other) if compare is None else compare(run, one, other)


def _loosely(run: Run, node: Node) -> tuple[object, object]:
    return (
        structure(run, node.value, unordered, normal_text),
        structure(run, node.element, unordered, normal_text),
    )


def normal_text(text: str) -> str:
    """Return a string without regard to case and to how much white space it has."""
    return " ".join(text.casefold().split())


def _strings(_: Run, one: str, other: str) -> bool:
    return normal_text(one) == normal_text(other)


def _numbers(_: Run, one: Decimal, other: Decimal) -> bool:
    """Compare two numbers with the precision of the less precise."""
    digits = Decimal(1).scaleb(-min(decimals(one), decimals(other)))
    with_digits = ARITHMETIC.quantize
    return with_digits(one, digits) == with_digits(other, digits)


def _moments(_: Run, one: Moment, other: Moment) -> bool:
    if (one.kind == "Time") is not (other.kind == "Time"):
        return False
    return compare_moments(one, other) == 0


def _quantities(run: Run, one: Quantity, other: Quantity) -> bool:
    """Compare two quantities in the unit of the less precise."""
    if decimals(one.value) > decimals(other.value):
        one, other = other, one
    value = converted(other, one)
    return value is not None and _numbers(run, one.value, value)


_EQUIVALENCES: Final[dict[type, Callable[[Run, Any, Any], bool]]] = {
    str: _strings,
    Decimal: _numbers,
    Moment: _moments,
    Quantity: _quantities,
}


def _not_equal(run: Run, left: Collection, right: Collection) -> Collection:
    found = equal(run, left, right)
    return three_valued(None if found is None else not found)


OPERATORS: Final[dict[str, Callable[[Run, Collection, Collection], Collection]]] = {
    "=": lambda run, left, right: three_valued(equal(run, left, right)),
    "!=": _not_equal,
    "~": lambda run, left, right: boolean(equivalent(run, left, right)),
    "!~": lambda run, left, right: boolean(not equivalent(run, left, right)),
}
