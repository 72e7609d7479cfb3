"""Every feature, one line each: nothing else names a module."""

from typing import Final

from polyclinic.kernel.module import Module
from polyclinic.modules.chart.module import MODULE as CHART
from polyclinic.modules.identity.module import MODULE as IDENTITY
from polyclinic.modules.population.module import MODULE as POPULATION

MODULES: Final[tuple[Module, ...]] = (
    IDENTITY,
    POPULATION,
    CHART,
)
