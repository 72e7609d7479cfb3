"""CPU time and memory of processes, from the operating system's own accounting.

``/proc/PID/stat`` says how long a process has run in user and in system mode (fields 14 and 15),
and the same of its children that have ended and been waited for (fields 16 and 17). PostgreSQL
starts a process per connection and per task, so the database's time is that of the postmaster, of
all its living descendants, and of all that it has waited for: a process that ends between two
readings moves from one part of the sum to the other and is counted once. The clock's step is 10 ms.
https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_PROC: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM = 1, 11, 12, 13, 14
"""Places of the fields behind the process's name, which may hold spaces and brackets."""
_REFERENCE_STEPS: Final = 300_000
_MEGABYTE: Final = 1024 * 1024


class Memory(NamedTuple):
    """Memory of one process, in MB of 2**20 bytes."""

    rss: float
    """All pages that it has in memory, those it shares with others included."""
    pss: float
    """The same with each shared page divided by the number of its users."""


def reference_ms() -> float:
    """Return the CPU milliseconds that a fixed piece of Python takes just now.

    CPU time is no constant of a program: it grows while others use the same caches and the other
    half of the same core. Rows are comparable where this figure is the same.
    """
    began = time.process_time()
    total = 0
    for number in range(_REFERENCE_STEPS):
        total += number * number % 7
    return (time.process_time() - began) * 1000


def own_seconds(pid: int) -> float:
    """Return the CPU seconds of one process with all its threads, without its children.

    Raise ``ProcessLookupError`` when it has ended.
    """
    fields = _fields(pid)
    if fields is None:
        raise ProcessLookupError(pid)
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS


def tree_seconds(pid: int) -> float:
    """Return the CPU seconds of a process, of its descendants, and of those that have ended.

    Raise ``ProcessLookupError`` when the process itself has ended.
    """
    processes = dict(_processes())
    if pid not in processes:
        raise ProcessLookupError(pid)
    family = {pid}
    while grown := {
        child
        for child, fields in processes.items()
        if int(fields[_PARENT]) in family and child not in family
    }:
        family |= grown
    times = (_USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM)
    return sum(int(processes[member][at]) for member in family for at in times) / _TICKS


def memory(pid: int) -> Memory:
    """Return how much memory a process holds."""
    sizes = {"Rss": 0, "Pss": 0}
    for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in sizes:
            sizes[name] = int(rest.split()[0]) * 1024
    return Memory(sizes["Rss"] / _MEGABYTE, sizes["Pss"] / _MEGABYTE)


def _processes() -> Iterator[tuple[int, list[str]]]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))) is not None:
            yield int(entry.name), fields


def _fields(pid: int) -> list[str] | None:
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
