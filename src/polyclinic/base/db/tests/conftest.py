import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from polyclinic.base.db.embedded.server import EmbeddedServer, Options

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else "/tmp"
USER = Path(__file__).with_name("server_user.py")


@pytest.fixture
def directory():
    """Yield a directory that every account may enter; pytest's own is closed."""
    path = Path(tempfile.mkdtemp(prefix="polyclinic-db-", dir=MEMORY))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def options(directory):
    return Options(directory / "var", scratch=True, system=directory / "system")


@pytest.fixture
def make_server(options):
    """Return a function that makes a claim on the server; claims left open are released."""
    made = []

    def make(of=options):
        made.append(EmbeddedServer(of))
        return made[-1]

    yield make
    for server in made:
        server.release()


@pytest.fixture(scope="session")
def first_started():
    """Return a data directory whose server was started once and stopped."""
    path = Path(tempfile.mkdtemp(prefix="polyclinic-db-", dir=MEMORY))
    path.chmod(0o755)
    server = EmbeddedServer(Options(path / "var", scratch=True))
    server.start()
    server.release()
    yield path / "var"
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(make_server, options, first_started):
    """Return a server that was started, on a copy of a cluster that was started before."""
    subprocess.run(["/bin/cp", "-a", first_started, options.data], check=True)  # noqa: S603 - our paths
    server = make_server()
    server.start()
    return server


@pytest.fixture
def spawn_user(options):
    """Return a function that starts a process which uses the server until its input ends."""
    made = []

    def spawn():
        command = [sys.executable, USER, options.data, options.system]
        made.append(
            subprocess.Popen(  # noqa: S603 - our own script
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )
        return made[-1]

    yield spawn
    for process in made:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe
            pipe.close()


@pytest.fixture
def as_root():
    if os.geteuid() != 0:
        pytest.skip("only root drops to another account")
