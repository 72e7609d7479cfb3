"""The demonstration population: what one module makes, with what the others add to it."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from polyclinic.kernel.module import Module


def populate(
    modules: Sequence[Module], seed: int, size: int, today: date
) -> Iterator[dict[str, Any]]:
    """Yield the resources of a population of `size` patients, one record after the other.

    Modules add to each record in the order of the list. The same arguments give the same
    resources, and memory holds one record at a time.
    """
    contributors = [module.contributor for module in modules if module.contributor is not None]
    for module in modules:
        if module.population is None:
            continue
        for record in module.population(seed, size, today):
            yield from record
            for contribute in contributors:
                yield from contribute(record, seed, today)
