"""Train the dictionary that the store compresses with.

``python tools/zstd_dictionary.py NUMBER`` writes src/polyclinic/kernel/store/dictionaries/
NUMBER.zstd-dict from generated patients: no real row may come into it. A number in use is never
trained again, since rows name it.
"""

import argparse
from datetime import date
from pathlib import Path
from typing import Final

import zstandard

from polyclinic.kernel.types import parse
from polyclinic.modules.population.generate import ndjson

FOLDER: Final = Path(__file__).parent.parent / "src/polyclinic/kernel/store/dictionaries"
SIZE: Final = 64 * 1024
SEED: Final = 7
PATIENTS: Final = 200


def main() -> None:
    """Train and write one dictionary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int)
    path = FOLDER / f"{parser.parse_args().number}.zstd-dict"
    if path.exists():
        parser.error(f"{path.name} is in use; take the next number")
    samples: list[bytes | bytearray | memoryview] = [
        parse(line).body for line in ndjson(SEED, PATIENTS, date(2026, 1, 1))
    ]
    dictionary = zstandard.train_dictionary(SIZE, samples, level=3, k=1024, d=8)
    path.write_bytes(dictionary.as_bytes())


if __name__ == "__main__":
    main()
