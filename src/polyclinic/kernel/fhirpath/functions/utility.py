"""Utility functions and aggregates.

http://hl7.org/fhirpath/N1/#utility-functions, http://hl7.org/fhirpath/N1/#aggregates
"""

from functools import cmp_to_key
from typing import Final

from polyclinic.kernel.fhirpath.errors import EvaluationError
from polyclinic.kernel.fhirpath.functions.filtering import each, select
from polyclinic.kernel.fhirpath.functions.function import ANY, INPUT, Function
from polyclinic.kernel.fhirpath.model import SYSTEM
from polyclinic.kernel.fhirpath.moments import from_datetime
from polyclinic.kernel.fhirpath.node import EMPTY, Collection, Node, moment
from polyclinic.kernel.fhirpath.operators.comparison import order
from polyclinic.kernel.fhirpath.run import RESERVED, Evaluator, Run
from polyclinic.kernel.fhirpath.singleton import single_of


def _trace(run: Run, nodes: Collection, name: Evaluator, *projection: Evaluator) -> Collection:
    """Return the input, telling the environment of it or of a projection of it."""
    tell = run.environment.trace
    if tell is not None:
        label = single_of(name(run), str) or ""
        tell(label, select(run, nodes, projection[0]) if projection else nodes)
    return nodes


def _now(run: Run, _: Collection) -> Collection:
    return moment(from_datetime(run.now, "DateTime"))


def _today(run: Run, _: Collection) -> Collection:
    return moment(from_datetime(run.now, "Date"))


def _time_of_day(run: Run, _: Collection) -> Collection:
    return moment(from_datetime(run.now, "Time"))


def _aggregate(
    run: Run, nodes: Collection, aggregator: Evaluator, *initial: Evaluator
) -> Collection:
    """Return the last ``$total``, that the aggregator gives for each element in turn."""
    before = run.total
    run.total = initial[0](run) if initial else EMPTY
    for total in each(run, nodes, aggregator):
        run.total = run.bounded(total)
    found, run.total = run.total, before
    return found


def _type(_: Run, nodes: Collection) -> Collection:
    """Return what type each element is of. http://hl7.org/fhirpath/N1/#reflection."""
    return [Node(node.type, _CLASS if _has_elements(node) else _SIMPLE) for node in nodes]


def _has_elements(node: Node) -> bool:
    return not node.type.system and not node.type.primitive


_CLASS: Final = SYSTEM["ClassInfo"]
_SIMPLE: Final = SYSTEM["SimpleTypeInfo"]


def _define(run: Run, nodes: Collection, name: Evaluator, *value: Evaluator) -> Collection:
    """Define a variable for what follows. http://hl7.org/fhirpath/#defineVariable."""
    label = single_of(name(run), str) or ""
    if label in RESERVED or label in (run.variables or {}):
        message = f"%{label} is defined already; choose another name."
        raise EvaluationError(message)
    this = run.this
    if value:
        run.this = nodes
    run.variables = {**(run.variables or {}), label: value[0](run) if value else nodes}
    run.this = this
    return nodes


def sort(run: Run, nodes: Collection, keys: tuple[tuple[Evaluator, bool], ...] = ()) -> Collection:
    """Return the elements by one key after the other, each with whether it descends.

    An element without a key comes first. http://hl7.org/fhirpath/#sort
    """
    run.bounded(nodes)
    if not keys:
        keys = ((lambda run: run.this, False),)
    columns = [list(each(run, nodes, expression)) for expression, _ in keys]

    def compare(one: int, other: int) -> int:
        run.spend(1)
        for column, (_, descends) in zip(columns, keys, strict=True):
            left, right = column[one], column[other]
            if not left or not right:
                found = bool(left) - bool(right)
            else:
                found = order(left, right) or 0
                found = -found if descends else found
            if found:
                return found
        return 0

    return [nodes[place] for place in sorted(range(len(nodes)), key=cmp_to_key(compare))]


FUNCTIONS: Final = {
    "trace": Function(_trace, (1, 2), lazy=True, each=True, gives=INPUT),
    "now": Function(_now, gives="DateTime"),
    "today": Function(_today, gives="Date"),
    "timeOfDay": Function(_time_of_day, gives="Time"),
    "aggregate": Function(_aggregate, (1, 2), lazy=True, each=True, gives=ANY),
    "sort": Function(sort, (0, 8), lazy=True, each=True, gives=INPUT),
    "defineVariable": Function(_define, (1, 2), lazy=True, each=True, gives=INPUT),
    "type": Function(_type),
}
