"""The functions, one file for each chapter of the specification.

http://hl7.org/fhirpath/N1/#functions, https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from typing import Final

from polyclinic.kernel.fhirpath.functions import (
    additional,
    boundaries,
    combining,
    conversion,
    existence,
    filtering,
    math,
    strings,
    subsetting,
    tree_navigation,
    utility,
)
from polyclinic.kernel.fhirpath.functions.function import Function

CHAPTERS: Final[dict[str, dict[str, Function]]] = {
    "Existence": existence.FUNCTIONS,
    "Filtering and projection": filtering.FUNCTIONS,
    "Subsetting": subsetting.FUNCTIONS,
    "Combining": combining.FUNCTIONS,
    "Conversion": conversion.FUNCTIONS,
    "String manipulation": strings.FUNCTIONS,
    "Math": math.FUNCTIONS,
    "Tree navigation": tree_navigation.FUNCTIONS,
    "Utility": utility.FUNCTIONS,
    "Boundaries and precision": boundaries.FUNCTIONS,
    "Additional functions of FHIR": additional.FUNCTIONS,
}
FUNCTIONS: Final = {name: one for chapter in CHAPTERS.values() for name, one in chapter.items()}
"""Every function by its name."""
