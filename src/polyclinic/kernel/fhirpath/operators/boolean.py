"""Logic in three values; the right side is looked at only when it matters.

http://hl7.org/fhirpath/N1/#boolean-logic
"""

from collections.abc import Callable
from typing import Final

from polyclinic.kernel.fhirpath.node import EMPTY, FALSE, TRUE, Collection, boolean
from polyclinic.kernel.fhirpath.run import Evaluator, Run
from polyclinic.kernel.fhirpath.singleton import truth


def conjunction(left: Evaluator, right: Evaluator) -> Evaluator:
    """Return ``and``."""

    def evaluate(run: Run) -> Collection:
        one = truth(left(run))
        if one is False:
            return FALSE
        other = truth(right(run))
        if other is False:
            return FALSE
        return TRUE if one and other else EMPTY

    return evaluate


def disjunction(left: Evaluator, right: Evaluator) -> Evaluator:
    """Return ``or``."""

    def evaluate(run: Run) -> Collection:
        one = truth(left(run))
        if one:
            return TRUE
        other = truth(right(run))
        if other:
            return TRUE
        return EMPTY if one is None or other is None else FALSE

    return evaluate


def exclusive(left: Evaluator, right: Evaluator) -> Evaluator:
    """Return ``xor``."""

    def evaluate(run: Run) -> Collection:
        one, other = truth(left(run)), truth(right(run))
        return EMPTY if one is None or other is None else boolean(one is not other)

    return evaluate


def implication(left: Evaluator, right: Evaluator) -> Evaluator:
    """Return ``implies``."""

    def evaluate(run: Run) -> Collection:
        one = truth(left(run))
        if one is False:
            return TRUE
        other = truth(right(run))
        if other:
            return TRUE
        return EMPTY if one is None or other is None else FALSE

    return evaluate


LOGIC: Final[dict[str, Callable[[Evaluator, Evaluator], Evaluator]]] = {
    "and": conjunction,
    "or": disjunction,
    "xor": exclusive,
    "implies": implication,
}
"""The operators of logic, by their word."""
