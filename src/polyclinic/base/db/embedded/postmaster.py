"""The server process: whether it runs, how it starts, how it stops."""

import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from polyclinic.base.db.embedded.account import Account
from polyclinic.base.db.embedded.place import Place
from polyclinic.base.db.embedded.programs import Programs
from polyclinic.base.db.errors import DatabaseUnavailable

_PROC: Final = Path("/proc")
_POLL_SECONDS: Final = 0.02
# After kill -9 of the server its children let go of the shared memory within a moment.
_RETRY_SECONDS: Final = 10.0
_HELD_BY_CHILDREN: Final = "pre-existing shared memory block"
_TIME_AND_PID: Final = re.compile(r"^[-0-9]+ [0-9:.]+ UTC \[\d+\] ")
_LARGEST_LOG: Final = 10 * 1024 * 1024


class State(Enum):
    """What postmaster.pid and the process table say."""

    ABSENT = "absent"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class PidFile:
    """Lines of postmaster.pid that are used here.

    https://github.com/postgres/postgres/blob/REL_18_STABLE/src/include/utils/pidfile.h
    """

    pid: int
    port: str
    sockets: str
    status: str

    @classmethod
    def read(cls, cluster: Path) -> "PidFile | None":
        """Read the file; None when it is missing or being written."""
        try:
            lines = (cluster / "postmaster.pid").read_text().split("\n")
            pid = int(lines[0])
        except (OSError, ValueError):
            return None
        lines += [""] * 8
        return cls(pid, lines[3].strip(), lines[4].strip(), lines[7].strip())


class Postmaster:
    """One server process on one cluster."""

    def __init__(self, place: Place, programs: Programs, account: Account) -> None:
        self._place = place
        self._programs = programs
        self._account = account
        self._child: subprocess.Popen[bytes] | None = None
        self._log_begin = 0

    def state(self) -> State:
        """Return the server's state now."""
        file = self._running()
        if file is None:
            return State.ABSENT
        match file.status:
            case "ready" | "standby":
                return State.READY
            case "stopping":
                return State.STOPPING
            case _:
                return State.STARTING

    def pid(self) -> int | None:
        """Return the process id of the running server."""
        file = self._running()
        return file.pid if file else None

    def address(self) -> tuple[str, str]:
        """Return the socket's directory and the port of the running server."""
        file = self._running()
        return (file.sockets, file.port) if file else (str(self._place.sockets), "5432")

    def ensure_ready(self, timeout: float) -> None:
        """Start the server unless it runs, and wait until it takes connections.

        Called with the start lock held. A server that recovers from a crash is waited for. Raise
        ``DatabaseUnavailable`` with the log's last lines when it gives up.
        """
        end = time.monotonic() + timeout
        retry_until = time.monotonic() + _RETRY_SECONDS
        while (state := self.state()) is not State.READY:
            if state is State.ABSENT and self._child is None:
                self._spawn()
            elif state is State.ABSENT and self._has_ended():
                if time.monotonic() > retry_until or _HELD_BY_CHILDREN not in self._said():
                    raise self._failure(what="does not start")
                time.sleep(_POLL_SECONDS * 10)
                self._spawn()
            if time.monotonic() > end:
                raise self._failure(what=f"was not ready within {timeout:.0f} s")
            time.sleep(_POLL_SECONDS)

    def stop(self, timeout: float) -> bool:
        """Shut the server down, ending its sessions; return whether it is gone."""
        end = time.monotonic() + timeout
        signalled = False
        while (pid := self.pid()) is not None and time.monotonic() < end:
            if not signalled:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)  # "fast": SIGTERM would wait for every client
                signalled = True
            self._has_ended()
            time.sleep(_POLL_SECONDS)
        self.detach()
        return pid is None

    def detach(self) -> None:
        """Leave the server running without us."""
        if self._child is not None and self._child.poll() is None:
            # Popen warns about a child that nobody waited for; this one is meant to outlive us.
            self._child.returncode = 0
        self._child = None

    def _running(self) -> PidFile | None:
        file = PidFile.read(self._place.cluster)
        return file if file and is_postgres(file.pid, self._place.cluster) else None

    def _has_ended(self) -> bool:
        """Return whether no child of ours is on its way, and reap one that ended."""
        return self._child is None or self._child.poll() is not None

    def _spawn(self) -> None:
        self._disown_stale_locks()
        with suppress(FileNotFoundError):
            if self._place.log.stat().st_size > _LARGEST_LOG:
                self._place.log.rename(self._place.log.with_suffix(".log.1"))
        log = os.open(self._place.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            self._log_begin = os.fstat(log).st_size
            self._child = self._account.spawn(
                [
                    *(self._programs.postgres, "-D", self._place.cluster),
                    *("-c", f"config_file={self._place.configuration}"),
                ],
                log,
            )
        finally:
            os.close(log)

    def _disown_stale_locks(self) -> None:
        """Let a dead server's lock files not stop the next one.

        PostgreSQL refuses to start while the recorded process id exists, but that may be a zombie
        or, after a container's restart, somebody else. It takes its own parent's id for stale and
        goes on to ask whether the old shared memory is in use, so the files are kept and our id is
        put into their first line. (src/backend/utils/init/miscinit.c, CreateLockFile)
        """
        locks = [self._place.cluster / "postmaster.pid"]
        locks += self._place.sockets.glob(".s.PGSQL.*.lock")
        for path in locks:
            with suppress(FileNotFoundError):
                descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
                with os.fdopen(descriptor, "r+") as file:
                    _, _, rest = file.read().partition("\n")
                    file.seek(0)
                    file.write(f"{os.getpid()}\n{rest}")
                    file.truncate()

    def _said(self) -> str:
        """Return what the server has logged since we started it."""
        with suppress(OSError), self._place.log.open(errors="replace") as log:
            log.seek(self._log_begin)
            return log.read()
        return ""

    def _failure(self, *, what: str) -> DatabaseUnavailable:
        lines = [_TIME_AND_PID.sub("", line) for line in self._said().splitlines()]
        said = f": {'; '.join(lines[-3:])}" if lines else ""
        return DatabaseUnavailable(
            what=f"the embedded PostgreSQL in {self._place.root} {what}{said}",
            remedy=f"Read {self._place.log}",
        )


def is_postgres(pid: int, cluster: Path) -> bool:
    """Return whether the process lives, is no zombie, and serves this cluster."""
    if not _PROC.joinpath("self").exists():
        return _is_postgres_by_ps(pid, cluster)
    try:
        status = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
        words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except (OSError, IndexError):
        return False
    return status != "Z" and os.fsencode(cluster) in words


def _is_postgres_by_ps(pid: int, cluster: Path) -> bool:
    """Ask ps where there is no /proc (macOS)."""
    command = ["/bin/ps", "-o", "state=,command=", "-p", str(pid)]
    ps = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603 - numbers
    answer = ps.stdout.strip()
    return bool(answer) and not answer.startswith("Z") and str(cluster) in answer
