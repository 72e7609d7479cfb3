from datetime import date

import pytest

from polyclinic.modules.population.generate import generate

TODAY = date(2026, 3, 11)


@pytest.fixture(scope="session")
def today():
    return TODAY


@pytest.fixture(scope="session")
def population():
    return list(generate(seed=1, size=100, today=TODAY))
