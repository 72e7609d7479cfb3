"""What this module adds."""

from polyclinic.kernel.module import Module
from polyclinic.modules.population.generate import generate

MODULE = Module(
    name="population",
    summary="Makes a synthetic population for demonstrations and tests.",
    population=generate,
)
