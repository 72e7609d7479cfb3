"""The Unified Code for Units of Measure: which codes are units, and what they are worth.

https://ucum.org/ucum, version 2.2, case-sensitive codes. Numbers are fractions inside, so that 5 mg
are 0.005 g and a pound is 453.59237 g; only what has no end in decimals is rounded.
"""

from polyclinic.kernel.ucum.conversion import Canonical, canonical, commensurable, convert
from polyclinic.kernel.ucum.grammar import MAX_LENGTH, UnknownUnit, known, parse
from polyclinic.kernel.ucum.unit import Unit

SYSTEM = "http://unitsofmeasure.org"
"""The system of UCUM in FHIR, https://hl7.org/fhir/R4/terminologies-systems.html."""

__all__ = [
    "MAX_LENGTH",
    "SYSTEM",
    "Canonical",
    "Unit",
    "UnknownUnit",
    "canonical",
    "commensurable",
    "convert",
    "known",
    "parse",
]
