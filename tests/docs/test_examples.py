"""The commands of the tutorial and of the how-tos on files are run, and print what is written."""

import re
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from polyclinic.testing.installation import HOST, Installation, ServerProcess

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRITTEN_ADDRESS = "http://127.0.0.1:8080"
MARK = "--- the next example ---"
PATIENTS = 6
PAGES = [
    "tutorial/first-ten-minutes.md",
    "howto/load.md",
    "howto/export.md",
    "howto/transactions.md",
    "howto/search-parameters.md",
]


@dataclass(frozen=True)
class Example:
    """Commands, and what they print where the page says so."""

    commands: str
    printed: str | None


def examples(page):
    """Return a page's ``sh`` blocks; a ``text`` or ``json`` block after one is what it prints."""
    found = []
    for kind, body in FENCE.findall(page):
        if kind == "sh":
            found.append(Example(body, None))
        elif kind in {"text", "json"} and found and found[-1].printed is None:
            found[-1] = Example(found[-1].commands, body)
    return found


def matches(written, printed):
    """Say whether a text is the written one, in which an ellipsis stands for anything."""
    parts = [re.escape(part.strip()) for part in written.replace("\r", "").split("…")]
    return re.fullmatch(".*?".join(parts), printed.replace("\r", "").strip(), re.DOTALL)


class Demonstration:
    """A demo that runs, and a shell beside it as its reader has one."""

    def __init__(self, installation, address):
        self._installation = installation
        self._address = address

    def differences(self, page):
        """Run a page's examples in one shell; return those that print something else."""
        told = examples(page)
        printed = self._printed(told)
        return [
            (example.commands, example.printed, output)
            for example, output in zip(told, printed, strict=True)
            if example.printed is not None and not matches(example.printed, output)
        ]

    def _printed(self, told):
        folder = Path(tempfile.mkdtemp(dir=self._installation.data.parent))
        (folder / ".venv").symlink_to(sys.prefix)
        script = "".join(f"{example.commands}\necho; echo '{MARK}'\n" for example in told)
        environment = self._installation.environment()
        environment["PATH"] = f"{sys.prefix}/bin:{environment['PATH']}"
        answer = subprocess.run(
            ["/usr/bin/env", "bash"],
            input=script.replace(WRITTEN_ADDRESS, self._address),
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
        )
        return answer.stdout.split(MARK)[:-1]


@pytest.fixture(scope="module")
def demonstration():
    """Yield a demo on a free port, with a data directory that every account may enter."""
    directory = Path(tempfile.mkdtemp(prefix="polyclinic-docs-", dir="/tmp"))
    directory.chmod(0o755)
    installation = Installation(directory)
    port = free_port()
    process = installation.start("demo", "--size", PATIENTS, "--port", port)
    server = ServerProcess(process, port, installation.log)
    try:
        server.wait_ready()
        yield Demonstration(installation, f"http://{HOST}:{port}")
    finally:
        server.stop()
        installation.end()
        shutil.rmtree(directory, ignore_errors=True)


def free_port():
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", PAGES)
def test_the_examples_print_what_the_page_says(demonstration, page):
    if not (shutil.which("bash") and shutil.which("curl")):
        pytest.skip("running the examples takes bash and curl")

    differences = demonstration.differences((DOCS / page).read_text())

    assert differences == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_examples_that_say_what_they_print(page):
    told = [example for example in examples((DOCS / page).read_text()) if example.printed]

    assert len(told) >= 2


def test_an_ellipsis_stands_for_anything_and_nothing_else_does():
    assert matches('{"id":"a"…}', '{"id":"a","version":1}\n')
    assert not matches('{"id":"a"…}', '{"id":"b","version":1}\n')
