"""Existence.

http://hl7.org/fhirpath/N1/#existence
"""

from collections.abc import Callable
from typing import Final

from polyclinic.kernel.fhirpath.errors import EvaluationError
from polyclinic.kernel.fhirpath.functions.filtering import each, where
from polyclinic.kernel.fhirpath.functions.function import INPUT, Function
from polyclinic.kernel.fhirpath.keys import distinct, keys
from polyclinic.kernel.fhirpath.node import (
    FALSE,
    TRUE,
    Collection,
    boolean,
    integer,
    system_value,
    three_valued,
)
from polyclinic.kernel.fhirpath.run import Evaluator, Run
from polyclinic.kernel.fhirpath.singleton import truth


def _empty(_: Run, nodes: Collection) -> Collection:
    return FALSE if nodes else TRUE


def _exists(run: Run, nodes: Collection, criteria: Evaluator | None = None) -> Collection:
    return boolean(where(run, nodes, criteria) if criteria else nodes)


def _not(_: Run, nodes: Collection) -> Collection:
    value = truth(nodes)
    return three_valued(None if value is None else not value)


def _all(run: Run, nodes: Collection, criteria: Evaluator) -> Collection:
    return boolean(all(truth(found) for found in each(run, nodes, criteria)))


def _booleans(nodes: Collection) -> list[bool]:
    values = [system_value(node) for node in nodes]
    if not all(isinstance(value, bool) for value in values):
        message = "Only Booleans can be all or any true or false."
        raise EvaluationError(message)
    return values


def _all_or_any(
    holds: Callable[[list[bool]], bool],
) -> Callable[[Run, Collection], Collection]:
    return lambda _, nodes: boolean(holds(_booleans(nodes)))


def _subset(run: Run, nodes: Collection, other: Collection) -> Collection:
    return boolean(keys(run, nodes) <= keys(run, other))


def _superset(run: Run, nodes: Collection, other: Collection) -> Collection:
    return boolean(keys(run, nodes) >= keys(run, other))


def _count(_: Run, nodes: Collection) -> Collection:
    return integer(len(nodes))


def _is_distinct(run: Run, nodes: Collection) -> Collection:
    return boolean(len(distinct(run, nodes)) == len(nodes)) if nodes else TRUE


FUNCTIONS: Final = {
    "empty": Function(_empty, gives="Boolean"),
    "exists": Function(_exists, (0, 1), lazy=True, each=True, gives="Boolean"),
    "not": Function(_not, gives="Boolean"),
    "all": Function(_all, (1, 1), lazy=True, each=True, gives="Boolean"),
    "allTrue": Function(_all_or_any(all), gives="Boolean"),
    "anyTrue": Function(_all_or_any(any), gives="Boolean"),
    "allFalse": Function(_all_or_any(lambda found: not any(found)), gives="Boolean"),
    "anyFalse": Function(_all_or_any(lambda found: not all(found)), gives="Boolean"),
    "subsetOf": Function(_subset, (1, 1), gives="Boolean"),
    "supersetOf": Function(_superset, (1, 1), gives="Boolean"),
    "count": Function(_count, gives="Integer"),
    "distinct": Function(distinct, gives=INPUT),
    "isDistinct": Function(_is_distinct, gives="Boolean"),
}
