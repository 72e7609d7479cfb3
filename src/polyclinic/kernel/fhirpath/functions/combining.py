"""Combining.

http://hl7.org/fhirpath/N1/#combining
"""

from typing import Final

from polyclinic.kernel.fhirpath.functions.function import BOTH, Function
from polyclinic.kernel.fhirpath.keys import distinct
from polyclinic.kernel.fhirpath.node import Collection
from polyclinic.kernel.fhirpath.run import Run


def union(run: Run, nodes: Collection, other: Collection) -> Collection:
    """Return the elements of both without repetitions."""
    return distinct(run, [*nodes, *other])


def _combine(run: Run, nodes: Collection, other: Collection) -> Collection:
    return run.bounded([*nodes, *other])


FUNCTIONS: Final = {
    "union": Function(union, (1, 1), gives=BOTH),
    "combine": Function(_combine, (1, 1), gives=BOTH),
}
