"""Where a process spends its time, sampled by py-spy while a row is measured."""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final, Self

_RATE: Final = 250
_TOP: Final = 40


class Profile:
    """A py-spy that watches one process for some seconds.

    Raise ``FileNotFoundError`` when py-spy is not installed.
    """

    def __init__(self, pid: int, seconds: float, stacks: Path) -> None:
        program = shutil.which("py-spy", path=str(Path(sys.executable).parent))
        if program is None:
            message = "py-spy is not installed"
            raise FileNotFoundError(message)
        self._stacks = stacks
        self._command = [
            *(program, "record", "--pid", str(pid), "--rate", str(_RATE), "--function"),
            *("--duration", str(max(round(seconds), 1)), "--format", "raw"),
            *("--output", str(stacks)),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - found beside our own Python
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.wait()

    def report(self) -> str:
        """Return where most samples were taken, with and without what a function calls."""
        own: Counter[str] = Counter()
        inclusive: Counter[str] = Counter()
        total = 0
        for line in self._stacks.read_text().splitlines():
            frames, _, number = line.rpartition(" ")
            stack, samples = frames.split(";"), int(number)
            total += samples
            own[stack[-1]] += samples
            for frame in set(stack):
                inclusive[frame] += samples
        lines = [f"{total} samples; share with what it calls, share alone, function"]
        for frame, count in inclusive.most_common(_TOP):
            lines.append(f"{count / total:6.1%} {own[frame] / total:6.1%}  {frame}")
        lines.append("alone:")
        for frame, count in own.most_common(_TOP):
            lines.append(f"{inclusive[frame] / total:6.1%} {count / total:6.1%}  {frame}")
        return "\n".join(lines) + "\n"
