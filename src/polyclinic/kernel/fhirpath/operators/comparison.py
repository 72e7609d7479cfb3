"""Which of two values is greater.

http://hl7.org/fhirpath/N1/#comparison
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from polyclinic.kernel.fhirpath.errors import EvaluationError
from polyclinic.kernel.fhirpath.moments import Moment, compare_moments
from polyclinic.kernel.fhirpath.node import Collection, has_system_value, three_valued
from polyclinic.kernel.fhirpath.operators.equality import alike
from polyclinic.kernel.fhirpath.quantities import Quantity, compare_quantities
from polyclinic.kernel.fhirpath.run import Run
from polyclinic.kernel.fhirpath.singleton import single_value

_SIMPLE: Final = (int, Decimal, str)


def order(left: Collection, right: Collection) -> int | None:
    """Return -1, 0 or 1 as left is less than, equal to or greater than right; None: not known.

    Raise EvaluationError for several elements, and for types that have no order together.
    """
    if not left or not right:
        return None
    one, other = single_value(left), single_value(right)
    if one is None or other is None:
        if has_system_value(left[0]) and has_system_value(right[0]):
            return None  # a primitive or a quantity without value
        raise _unordered()
    return order_of(one, other)


def order_of(one: Any, other: Any) -> int | None:
    """Return the order of two values."""
    one, other = alike(one, other)
    if type(one) is not type(other) or isinstance(one, bool):
        raise _unordered()
    if isinstance(one, _SIMPLE):
        return int(one > other) - int(one < other)
    if isinstance(one, Quantity):
        return compare_quantities(one, other)
    assert isinstance(one, Moment)  # the last type there is
    if (one.kind == "Time") is not (other.kind == "Time"):
        raise _unordered()
    return compare_moments(one, other)


def _unordered() -> EvaluationError:
    return EvaluationError("Two values of these types have no order; compare others.")


def _less(_: Run, left: Collection, right: Collection) -> Collection:
    found = order(left, right)
    return three_valued(None if found is None else found < 0)


def _greater(_: Run, left: Collection, right: Collection) -> Collection:
    found = order(left, right)
    return three_valued(None if found is None else found > 0)


def _at_most(_: Run, left: Collection, right: Collection) -> Collection:
    found = order(left, right)
    return three_valued(None if found is None else found <= 0)


def _at_least(_: Run, left: Collection, right: Collection) -> Collection:
    found = order(left, right)
    return three_valued(None if found is None else found >= 0)


OPERATORS: Final[dict[str, Callable[[Run, Collection, Collection], Collection]]] = {
    "<": _less,
    ">": _greater,
    "<=": _at_most,
    ">=": _at_least,
}
