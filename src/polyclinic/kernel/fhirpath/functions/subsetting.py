"""Subsetting.

http://hl7.org/fhirpath/N1/#subsetting
"""

from typing import Final

from polyclinic.kernel.fhirpath.functions.function import INPUT, Function
from polyclinic.kernel.fhirpath.keys import distinct, key, keys
from polyclinic.kernel.fhirpath.node import EMPTY, Collection
from polyclinic.kernel.fhirpath.run import Run
from polyclinic.kernel.fhirpath.singleton import single, single_of


def _single(_: Run, nodes: Collection) -> Collection:
    single(nodes)
    return nodes


def _first(_: Run, nodes: Collection) -> Collection:
    return nodes[:1]


def _last(_: Run, nodes: Collection) -> Collection:
    return nodes[-1:]


def _tail(_: Run, nodes: Collection) -> Collection:
    return nodes[1:]


def _skip(_: Run, nodes: Collection, count: Collection) -> Collection:
    left_out = single_of(count, int)
    return EMPTY if left_out is None else nodes[max(left_out, 0) :]


def _take(_: Run, nodes: Collection, count: Collection) -> Collection:
    taken = single_of(count, int)
    return EMPTY if taken is None else nodes[: max(taken, 0)]


def _intersect(run: Run, nodes: Collection, other: Collection) -> Collection:
    wanted = keys(run, other)
    return distinct(run, [node for node in nodes if key(run, node) in wanted])


def _exclude(run: Run, nodes: Collection, other: Collection) -> Collection:
    unwanted = keys(run, other)
    return [node for node in nodes if key(run, node) not in unwanted]


def indexed(nodes: Collection, index: Collection) -> Collection:
    """Return the element at a place, counted from 0; empty when there is none.

    http://hl7.org/fhirpath/N1/#index-integer-collection
    """
    place = single_of(index, int)
    return EMPTY if place is None or place < 0 else nodes[place : place + 1]


FUNCTIONS: Final = {
    "single": Function(_single, gives=INPUT),
    "first": Function(_first, gives=INPUT, ordered=True),
    "last": Function(_last, gives=INPUT, ordered=True),
    "tail": Function(_tail, gives=INPUT, ordered=True),
    "skip": Function(_skip, (1, 1), gives=INPUT, ordered=True),
    "take": Function(_take, (1, 1), gives=INPUT, ordered=True),
    "intersect": Function(_intersect, (1, 1), gives=INPUT),
    "exclude": Function(_exclude, (1, 1), gives=INPUT),
}
