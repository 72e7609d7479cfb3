"""What this module adds."""

from polyclinic.kernel.module import Module
from polyclinic.modules.population.generate import records

MODULE = Module(
    name="population",
    summary="Makes a synthetic population for demonstrations and tests.",
    population=records,
)
