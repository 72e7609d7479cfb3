"""Who may start the server, and who is the last to leave.

Both are ``flock`` locks: the kernel drops them when a process ends, however it ends, so there is
no count to go wrong and no stale file to clean up.

* ``exclusively`` lets one process at a time start or stop the server.
* A ``Lease`` is a shared lock that every user of the server holds. Whoever gives one up while
  it holds the first lock, and can then lock the file exclusively, was the last.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from polyclinic.base.db.errors import DatabaseUnavailable

_POLL_SECONDS: Final = 0.02


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _try_exclusive(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


@contextmanager
def exclusively(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock file alone; raise ``DatabaseUnavailable`` when others hold it too long."""
    descriptor = _open(path)
    end = time.monotonic() + timeout
    try:
        while not _try_exclusive(descriptor):
            if time.monotonic() > end:
                raise DatabaseUnavailable(
                    what=f"another process has been starting the database of {path.parent}"
                    f" for {timeout:.0f} s",
                    remedy="Look at its output, or end it",
                )
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


class Lease:
    """One process's claim on the running server."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> None:
        """Claim the server; called while ``exclusively`` is held, so it never waits for long."""
        if self._descriptor is None:
            descriptor = _open(self._path)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            self._descriptor = descriptor

    def give_up(self) -> bool:
        """Drop the claim and return whether nobody else has one.

        The file is closed rather than unlocked: a forked child shares the lock with its parent,
        and unlocking would take it from both.
        """
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        return not is_claimed(self._path)


def is_claimed(path: Path) -> bool:
    """Return whether any process holds a lease on the file."""
    descriptor = _open(path)
    try:
        return not _try_exclusive(descriptor)
    finally:
        os.close(descriptor)
