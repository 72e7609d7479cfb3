"""The population is a stream: what it holds at once does not grow with its size."""

import tracemalloc
from datetime import date

from polyclinic.modules.population.generate import ndjson, patient

TODAY = date(2026, 3, 11)
SMALL, LARGE = 30, 120


def peak(size):
    """Return the most bytes held at once while a population is written."""
    tracemalloc.start()
    try:
        for line in ndjson(2, size, TODAY):
            assert line
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_four_times_the_people_take_no_more_memory():
    peak(SMALL)  # tables and codes are read once

    small, large = peak(SMALL), peak(LARGE)

    assert large < 1.25 * small


def test_the_hundred_thousandth_patient_is_made_without_the_others():
    record = patient(1, 99_999, TODAY)

    assert record[0]["id"] == "p1-99999"
    assert len(record) > 10
