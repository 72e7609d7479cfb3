"""The operators, by the chapters of the specification.

http://hl7.org/fhirpath/N1/#operations
"""

from collections.abc import Callable
from typing import Final

from polyclinic.kernel.fhirpath.node import Collection
from polyclinic.kernel.fhirpath.operators import (
    arithmetic,
    collections,
    comparison,
    equality,
)
from polyclinic.kernel.fhirpath.run import Run

OPERATORS: Final[dict[str, Callable[[Run, Collection, Collection], Collection]]] = {
    **arithmetic.OPERATORS,
    **collections.OPERATORS,
    **comparison.OPERATORS,
    **equality.OPERATORS,
}
"""The binary operators that look at both operands, by their symbol or word."""
