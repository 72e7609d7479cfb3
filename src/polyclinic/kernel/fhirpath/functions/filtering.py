"""Filtering and projection.

http://hl7.org/fhirpath/N1/#filtering-and-projection
"""

from collections.abc import Hashable, Iterator
from typing import Final

from polyclinic.kernel.fhirpath.functions.function import ARGUMENT, INPUT, Function
from polyclinic.kernel.fhirpath.keys import key
from polyclinic.kernel.fhirpath.node import TRUE, Collection, Node
from polyclinic.kernel.fhirpath.run import Evaluator, Run
from polyclinic.kernel.fhirpath.singleton import truth


def each(run: Run, nodes: Collection, expression: Evaluator) -> Iterator[Collection]:
    """Yield what an expression gives for each element, which is ``$this`` with its ``$index``.

    What an expression defines is gone after it.
    """
    this, index, variables = run.this, run.index, run.variables
    for place, node in enumerate(nodes):
        run.spend(1)
        run.this, run.index = [node], place
        found = expression(run)
        run.this, run.index, run.variables = this, index, variables
        yield found


def where(run: Run, nodes: Collection, criteria: Evaluator) -> Collection:
    """Return the elements for which the criteria are true."""
    this, index, variables = run.this, run.index, run.variables
    found: Collection = []
    for place, node in enumerate(nodes):
        run.this, run.index = [node], place
        holds = criteria(run)
        if holds is TRUE or (holds and truth(holds)):
            found.append(node)
        run.variables = variables
    run.this, run.index = this, index
    run.spend(len(nodes))
    return found


def select(run: Run, nodes: Collection, projection: Evaluator) -> Collection:
    """Return what the projection gives for all elements, one after the other."""
    found: Collection = []
    for selected in each(run, nodes, projection):
        found.extend(run.bounded(selected))
    return run.bounded(found)


def repeat(run: Run, nodes: Collection, projection: Evaluator) -> Collection:
    """Return what the projection gives, and what it gives for that, until nothing new comes."""
    seen: dict[Hashable, Node] = {}
    waiting = nodes
    while waiting:
        fresh: Collection = []
        for found in each(run, waiting, projection):
            for node in found:
                name = key(run, node)
                if name not in seen:
                    seen[name] = node
                    fresh.append(node)
        run.bounded(fresh)
        waiting = fresh
    return run.bounded(list(seen.values()))


FUNCTIONS: Final = {
    "where": Function(where, (1, 1), lazy=True, each=True, gives=INPUT),
    "select": Function(select, (1, 1), lazy=True, each=True, gives=ARGUMENT),
    "repeat": Function(repeat, (1, 1), lazy=True, each=True),
}
"""``ofType`` is with the operators of types."""
