"""A whole Polyclinic in processes of its own: for tests that end them, and for measurements.

The database is the embedded one with its durable settings, in a directory of its own.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from polyclinic.base.db.embedded.postmaster import is_postgres
from polyclinic.base.db.embedded.server import EmbeddedServer, Options

HOST: Final = "127.0.0.1"
_POLL_SECONDS: Final = 0.05
_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 30.0


class NotStarted(Exception):
    """A server process ended, or did not answer in time; the second argument is its last words."""


class ServerProcess:
    """A server that was started here."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self._process = process
        self._log = log
        self.port = port

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Say whether it runs."""
        return self._process.poll() is None

    def wait_ready(self, seconds: float = _START_SECONDS) -> None:
        """Wait until it answers and reaches its database. Raise ``NotStarted``."""
        end = time.monotonic() + seconds
        while not self._is_ready():
            if not self.is_alive:
                what = f"exit code {self._process.returncode}"
                raise NotStarted(what, self._last_words())
            if time.monotonic() > end:
                what = f"not ready within {seconds:.0f} s"
                raise NotStarted(what, self._last_words())
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Ask it to stop, as Ctrl-C does, and wait until it has."""
        if self.is_alive:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it with SIGKILL: nothing in it gets a chance to do anything more."""
        self._process.kill()
        self._process.wait()

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"http://{HOST}:{self.port}/readyz", timeout=5) as answer:
                return int(answer.status) == 200  # noqa: PLR2004 - HTTP
        except (URLError, OSError):
            return False

    def _last_words(self) -> str:
        return last_words(self._log)


class Installation:
    """A data directory, and the commands that are run on it."""

    def __init__(self, directory: Path) -> None:
        """Use a directory that every account may enter, so that root's server lies in it too."""
        self.data = directory / "var"
        self.log = directory / "server.log"

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; its exit code is the caller's to look at."""
        return subprocess.run(  # noqa: S603 - our own program, no shell
            self.command(words),
            env=self.environment(),
            capture_output=True,
            check=False,
            text=True,
        )

    def start(self, *words: object) -> subprocess.Popen[bytes]:
        """Start a command and return its process; its output goes to the log."""
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own program, no shell
                self.command(words),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def serve(self, *words: object) -> ServerProcess:
        """Start ``polyclinic serve`` on a free port and return it when it is ready."""
        return self._served("serve", *words)

    def make_accounts(self, patients: int = 1) -> None:
        """Make the demonstration's accounts, and as many patients, unless there are any."""
        self._served("demo", "--size", patients).stop()

    def token(self, user: str) -> str:
        """Return a new bearer token of an account."""
        answer = self.run("token", "--user", user)
        if answer.returncode:
            raise NotStarted(answer.stderr)
        return answer.stdout.strip()

    def database(self) -> EmbeddedServer:
        """Start or join the installation's database; ``release`` it when done."""
        server = EmbeddedServer(Options(self.data))
        server.start()
        return server

    @property
    def cluster(self) -> Path:
        """Return PostgreSQL's data directory."""
        return (self.data / "postgresql").resolve() / "pg"

    def postmaster(self) -> int | None:
        """Return the process id of the running database server."""
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().partition("\n")[0])
        except (OSError, ValueError):
            return None
        return pid if is_postgres(pid, self.cluster) else None

    def last_words(self) -> str:
        """Return the end of what the started commands have written."""
        return last_words(self.log)

    def end(self) -> None:
        """End a database server that a killed process has left behind."""
        pid = self.postmaster()
        if pid is not None:
            os.kill(pid, signal.SIGQUIT)
            while is_postgres(pid, self.cluster):
                time.sleep(_POLL_SECONDS)

    @staticmethod
    def command(words: Sequence[object]) -> list[str]:
        """Return the command line of a command."""
        return [sys.executable, "-m", "polyclinic.cli", *map(str, words)]

    def environment(self) -> dict[str, str]:
        """Return the whole environment of a command: nothing of ours leaks into it."""
        return {
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "POLYCLINIC_DATA": str(self.data),
            "POLYCLINIC_LOG_LEVEL": "warning",
            # One account makes the requests of many people here; they are counted all the same.
            "POLYCLINIC_RATE_LIMIT": "1000000000",
        }

    def _served(self, *words: object) -> ServerProcess:
        port = _free_port()
        process = self.start(*words, "--port", port)
        server = ServerProcess(process, port, self.log)
        try:
            server.wait_ready()
        except BaseException:
            server.kill()
            raise
        return server


def last_words(log: Path) -> str:
    """Return the end of a log."""
    return log.read_text(errors="replace")[-2000:] if log.exists() else ""


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port
