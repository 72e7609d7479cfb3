"""Tests that end processes with SIGKILL while data is written, and look for what is missing.

``make soak`` runs the long ones, which are marked ``soak``; every run of the suite has short ones.
"""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from polyclinic.base.db.connect import connected
from polyclinic.base.db.embedded.initialize import APP
from polyclinic.testing.installation import Installation

PROC = Path("/proc")


class Victims:
    """The processes of one installation, found anew at each call, ended with SIGKILL."""

    def __init__(self, installation):
        self._installation = installation

    def backend(self, choice):
        """End one session of the role that serves."""
        sessions = self.sessions()
        os.kill(sessions[choice % len(sessions)], signal.SIGKILL)

    def postmaster(self):
        """End the postmaster; its children notice and leave on their own."""
        os.kill(self._installation.postmaster(), signal.SIGKILL)

    def cluster(self):
        """End every process of the database at once."""
        postmaster = self._installation.postmaster()
        for pid in [postmaster, *children(postmaster)]:
            os.kill(pid, signal.SIGKILL)

    def sessions(self):
        """Return the process ids of the sessions of the role that serves."""
        title = f"postgres: {APP} ".encode()
        return [
            pid
            for pid in children(self._installation.postmaster())
            if command_line(pid).startswith(title)
        ]


def children(parent):
    """Return the process ids of a process's children."""
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if fields(pid)[1:2] == [str(parent)]]


def fields(pid):
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def command_line(pid):
    try:
        return (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""


class Rows:
    """The database as its superuser sees it, whom no policy of rows binds."""

    def __init__(self, installation):
        self._installation = installation

    def ask(self, sql, *arguments):
        """Return the rows of a query."""
        return asyncio.run(self._ask(sql, arguments))

    async def _ask(self, sql, arguments):
        server = await asyncio.to_thread(self._installation.database)
        try:
            name = urlsplit(server.owner_url).path
            url = urlsplit(server.superuser_url)._replace(path=name).geturl()
            async with connected(url) as connection:
                return [tuple(row) for row in await connection.fetch(sql, *arguments)]
        finally:
            await asyncio.to_thread(server.release)

    def stored(self) -> Mapping[str, int]:
        """Return how many resources there are, by type number."""
        return dict(
            self.ask(
                "select type, count(*) from resource"
                " where version > 0 and not deleted group by type"
            )
        )

    def counted(self) -> Mapping[str, int]:
        """Return how many there are by the counts that are kept."""
        return dict(
            self.ask(
                "select type, sum(delta)::int from type_count group by 1 having sum(delta) <> 0"
            )
        )


@pytest.fixture
def installation():
    """Yield an installation of its own that every account may enter; it is ended afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="polyclinic-soak-", dir="/tmp"))
    directory.chmod(0o755)
    made = Installation(directory)
    yield made
    made.end()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def victims(installation):
    return Victims(installation)


@pytest.fixture
def rows(installation):
    return Rows(installation)
