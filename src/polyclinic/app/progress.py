"""A line that moves, for what takes over a second; plain lines where there is no terminal."""

import sys
import time
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

_AFTER: Final = 1.0
_EVERY: Final = 0.2
_EVERY_PLAIN: Final = 5.0


class Progress:
    """Show how many and how fast, on standard error."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._started = time.monotonic()
        self._shown = self._started + _AFTER
        self._console = Console(stderr=True)
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, count: int, what: str) -> None:
        """Say how far it is, if it is time to."""
        now = time.monotonic()
        if now < self._shown:
            return
        rate = count / max(now - self._started, 0.001)
        line = f"{self._words}: {count:,} ({rate:,.0f}/s) {what}"
        if not self._console.is_terminal:
            sys.stderr.write(f"{line}\n")
            self._shown = now + _EVERY_PLAIN
            return
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(Text(line), refresh=True)
        self._shown = now + _EVERY
