import os
import subprocess
import sys
from datetime import date
from hashlib import sha256
from itertools import islice

import pytest

from polyclinic.modules.population.generate import ndjson, patient, records

PROGRAM = """
import sys
from datetime import date
from hashlib import sha256
from polyclinic.modules.population.generate import ndjson
digest = sha256()
for line in ndjson(7, 20, date(2026, 3, 11)):
    digest.update(line)
sys.stdout.write(digest.hexdigest())
"""


def digest_of(seed, size, today):
    digest = sha256()
    for line in ndjson(seed, size, today):
        digest.update(line)
    return digest.hexdigest()


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_the_bytes_do_not_depend_on_the_process_or_its_hash_seed(hash_seed, today):
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths}

    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True, text=True
    )

    assert done.stdout == digest_of(7, 20, today)


def test_another_seed_gives_another_population(today):
    assert digest_of(7, 10, today) != digest_of(8, 10, today)


def test_a_patient_does_not_depend_on_the_size_of_the_population(today):
    small, large = (list(islice(records(3, size, today), 10)) for size in (9, 50))

    assert small == large


def test_a_patient_does_not_depend_on_who_was_asked_for_before(today):
    alone = patient(3, 31, today)
    for index in (30, 8, 1200):
        patient(3, index, today)

    assert patient(3, 31, today) == alone


def test_the_stories_do_not_depend_on_the_seed(today):
    assert patient(1, 0, today) == patient(99, 0, today)


def test_the_stories_move_with_the_day():
    earlier, later = (patient(1, 0, date(year, 3, 11)) for year in (2026, 2027))

    assert earlier[0]["birthDate"] != later[0]["birthDate"]
