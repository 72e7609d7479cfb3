"""Membership.

http://hl7.org/fhirpath/N1/#collections-2
"""

from collections.abc import Callable
from typing import Final

from polyclinic.kernel.fhirpath.keys import key, keys
from polyclinic.kernel.fhirpath.node import EMPTY, FALSE, Collection, boolean
from polyclinic.kernel.fhirpath.run import Run
from polyclinic.kernel.fhirpath.singleton import single


def _in(run: Run, left: Collection, right: Collection) -> Collection:
    node = single(left)
    if node is None:
        return EMPTY
    return boolean(key(run, node) in keys(run, right)) if right else FALSE


OPERATORS: Final[dict[str, Callable[[Run, Collection, Collection], Collection]]] = {
    "in": _in,
    "contains": lambda run, left, right: _in(run, right, left),
}
