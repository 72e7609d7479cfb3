"""Run a command quietly, with a line that shows how far it is.

``progress.py LABEL [--count REQUIREMENTS] -- COMMAND...``: on a terminal a bar or the seconds so
far, elsewhere one line at the end; the command's own output only when it fails.
"""

import argparse
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

_WIDTH: Final = 30
_REQUIREMENT: Final = re.compile(r"^[A-Za-z0-9]")
_COLLECTED: Final = re.compile(r"^(Collecting|Requirement already satisfied:) ")


class Line:
    """The line on the terminal, redrawn twice a second."""

    def __init__(self, label: str, total: int) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._redraw, daemon=True)

    def begin(self) -> None:
        """Draw from now on, if somebody is looking."""
        if sys.stderr.isatty():
            self._thread.start()

    def end(self, *, succeeded: bool) -> None:
        """Leave the final line."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        verdict = "done" if succeeded else "failed"
        start = "\r\x1b[K" if sys.stderr.isatty() else ""
        sys.stderr.write(f"{start}{self.label}: {verdict} ({self._seconds()} s)\n")

    def _seconds(self) -> int:
        return round(time.monotonic() - self._began)

    def _redraw(self) -> None:
        while not self._ended.wait(0.5):
            bar = ""
            if self.total:
                filled = min(_WIDTH, _WIDTH * self.done // self.total)
                bar = f" [{'#' * filled}{'.' * (_WIDTH - filled)}] {self.done}/{self.total}"
            sys.stderr.write(f"\r\x1b[K{self.label}{bar} {self._seconds()} s")
            sys.stderr.flush()


def run(line: Line, command: list[str]) -> int:
    """Run the command, count what it says it has collected, and return its exit code."""
    output = []
    line.begin()
    with subprocess.Popen(  # noqa: S603 - the Makefile's own command
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        for text in process.stdout:
            output.append(text)
            line.done += bool(_COLLECTED.match(text))
    line.end(succeeded=process.returncode == 0)
    if process.returncode:
        sys.stderr.writelines(output[-60:])
    return process.returncode


def main(arguments: list[str]) -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("label")
    parser.add_argument("--count", type=Path, help="a requirements file whose lines are counted")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    lines = options.count.read_text().splitlines() if options.count else []
    total = sum(1 for text in lines if _REQUIREMENT.match(text))
    return run(Line(options.label, total), options.command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
