"""What a function is: how it is called, what it takes and what it gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from polyclinic.kernel.fhirpath.node import Collection

INPUT: Final = "input"
"""A function gives elements of the types of its input."""
ARGUMENT: Final = "argument"
"""A function gives elements of the types of its first argument."""
BOTH: Final = "both"
"""A function gives elements of the types of its input and of its arguments."""
RESULTS: Final = "results"
"""A function gives what one of its arguments after the first gives."""
ANY: Final = "any"
"""What a function gives is known only when it runs."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function by the specification.

    ``call`` takes the Run, the input, and for each argument a collection, or for a lazy function
    the compiled expression.
    """

    call: Callable[..., Collection]
    arguments: tuple[int, int] = (0, 0)
    """How many at least and at most."""
    lazy: bool = False
    takes: str = ANY
    """``String`` or ``Number``, when elements of any other type are a mistake."""
    gives: str = ANY
    """A type of FHIRPath, or INPUT, ARGUMENT, BOTH, RESULTS or ANY."""
    each: bool = False
    """Whether arguments are looked at for each element, which is then ``$this``."""
    ordered: bool = False
    """Whether it means something only for a collection in order."""
