"""Tree navigation.

http://hl7.org/fhirpath/N1/#tree-navigation
"""

from typing import Final

from polyclinic.kernel.fhirpath.functions.function import Function
from polyclinic.kernel.fhirpath.node import Collection
from polyclinic.kernel.fhirpath.run import Run
from polyclinic.kernel.fhirpath.walk import children


def _children(run: Run, nodes: Collection) -> Collection:
    found: Collection = []
    for node in nodes:
        found.extend(run.bounded(children(node)))
    return run.bounded(found)


def descendants(run: Run, nodes: Collection) -> Collection:
    """Return all elements below some, level by level."""
    found: Collection = []
    level = nodes
    while level := _children(run, level):
        found.extend(level)
        run.bounded(found)
    return found


FUNCTIONS: Final = {
    "children": Function(_children),
    "descendants": Function(descendants),
}
