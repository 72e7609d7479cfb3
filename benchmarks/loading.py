"""The row ``load``: ``polyclinic load`` of NDJSON, in resources per second of CPU."""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.accounting import tree_seconds
from polyclinic.testing.installation import Installation

_REPORT: Final = re.compile(rb"(\d+) created, (\d+) updated, (\d+) unchanged, (\d+) refused\s*\Z")


class LoadFailed(Exception):
    """The command failed, or did something else than the row expects."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One run of the command."""

    created: int
    unchanged: int
    seconds: float
    loader: float
    """CPU seconds of the command's process, its start included."""
    database: float
    """CPU seconds of the database meanwhile."""


def load(installation: Installation, postmaster: int, file: Path) -> Loaded:
    """Load a file. Raise ``LoadFailed`` when anything was refused or updated."""
    before, began = tree_seconds(postmaster), time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own program, no shell
        installation.command(["load", file]),
        env=installation.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    database = tree_seconds(postmaster) - before
    found = _REPORT.search(output)
    if process.returncode or found is None:
        message = f"load ended with {process.returncode}: {output[-1000:].decode()}"
        raise LoadFailed(message)
    created, updated, unchanged, refused = map(int, found.groups())
    if updated or refused:
        message = f"load updated {updated} and refused {refused} resources"
        raise LoadFailed(message)
    return Loaded(created, unchanged, seconds, usage.ru_utime + usage.ru_stime, database)
