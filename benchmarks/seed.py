"""What is stored before the rows: a generated population, as NDJSON, and what the rows ask for."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks.rows import Seed
from benchmarks.searches import Known
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.generate import generate, ndjson
from polyclinic.modules.population.patients import write_patient
from polyclinic.modules.population.people import person_at

SEED: Final = 7
TODAY: Final = date(2026, 1, 15)
"""The day that the population is made for: the same bytes at every run."""
_MOST_PATIENTS: Final = 10_000
_OTHERS: Final = ("Encounter", "Practitioner", "Location", "Organization")


def write(path: Path, resources: int) -> int:
    """Write a population of about so many resources as NDJSON, and return how many it has."""
    count = 0
    with path.open("wb") as file:
        for line in ndjson(SEED, _MOST_PATIENTS, TODAY):
            if count >= resources and b'"resourceType":"Patient"' in line[:40]:
                break
            file.write(line)
            count += 1
    return count


def write_patients(path: Path, count: int) -> None:
    """Write so many further patients, and nothing that belongs to them, as NDJSON."""
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as file:
        for resource in _further(count):
            file.write(encode(resource) + b"\n")


def describe(count: int, patients: int = 0) -> Seed:
    """Return what the rows need to know of the first ``count`` resources and further patients."""
    seed = Seed([], {}, Known())
    for resource in _further(patients):
        seed.known.learn(resource)
    for resource in _first(count):
        resource_type, identity = resource["resourceType"], resource["id"]
        reference = f"{resource_type}/{identity}"
        seed.ids.append(reference)
        if resource_type in _OTHERS:
            seed.others.setdefault(resource_type, reference)
        seed.known.learn(resource)
    missing = set(_OTHERS) - set(seed.others)
    assert not missing, f"the population has no {', '.join(missing)}"
    return seed


def _first(count: int) -> Iterator[dict[str, Any]]:
    for number, resource in enumerate(generate(SEED, _MOST_PATIENTS, TODAY)):
        if number >= count:
            return
        # Dictionaries of the generator share parts; what is kept of them is text.
        yield msgspec.json.decode(msgspec.json.encode(resource))


def _further(count: int) -> Iterator[dict[str, Any]]:
    for index in range(_MOST_PATIENTS, _MOST_PATIENTS + count):
        chart = Chart(person_at(SEED, index, TODAY))
        write_patient(chart)
        yield chart.resources[0]
