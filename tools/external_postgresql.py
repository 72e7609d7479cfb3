"""Run a command on Debian's PostgreSQL: a private cluster in a temporary directory, over TCP.

``external_postgresql.py COMMAND...``. The programs are installed when they are missing and we may.
The machine's own clusters are not touched, and none is made.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from polyclinic.base.db.embedded.server import EmbeddedServer, Options

_RELEASE: Final = "15"
_PROGRAMS: Final = Path(f"/usr/lib/postgresql/{_RELEASE}/bin")
_CLUSTER_DEFAULTS: Final = Path("/etc/postgresql-common/createcluster.conf")


def install() -> None:
    """Install Debian's package without the cluster that it would make and start."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(f"This needs PostgreSQL {_RELEASE}: apt-get install postgresql-{_RELEASE}")
    if not _CLUSTER_DEFAULTS.exists():
        _CLUSTER_DEFAULTS.parent.mkdir(parents=True, exist_ok=True)
        _CLUSTER_DEFAULTS.write_text("create_main_cluster = false\n")
    sys.stderr.write(f"Installing Debian's postgresql-{_RELEASE}\n")
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    subprocess.run([*quiet, "update"], check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - fixed
    packages = ["install", "-y", "--no-install-recommends", f"postgresql-{_RELEASE}"]
    subprocess.run(  # noqa: S603 - fixed words
        [*quiet, *packages], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(command: list[str], directory: Path) -> int:
    """Start the cluster, run the command with its URL in the environment, and stop it."""
    port = str(free_port())
    listening = {"listen_addresses": "127.0.0.1", "port": port}
    server = EmbeddedServer(
        Options(directory, pg_bin=_PROGRAMS, scratch=True, configuration=listening)
    )
    server.start()
    try:
        secret = urlsplit(server.superuser_url).password
        url = f"postgresql://postgres:{secret}@127.0.0.1:{port}/postgres?sslmode=disable"
        sys.stderr.write(f"PostgreSQL {server.version} on 127.0.0.1:{port}\n")
        setting = f"POLYCLINIC_TEST_DATABASE_URL={url}"
        return subprocess.run(["env", setting, *command], check=False).returncode  # noqa: S603, S607 - the Makefile's command
    finally:
        server.release()


def main(command: list[str]) -> int:
    """Install if need be, and run in a directory that every account may enter."""
    if not (_PROGRAMS / "postgres").exists():
        install()
    directory = Path(tempfile.mkdtemp(prefix="polyclinic-external-"))
    directory.chmod(0o755)
    try:
        return run(command, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
