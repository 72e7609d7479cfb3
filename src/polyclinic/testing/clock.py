"""A clock that a test sets."""

from datetime import UTC, datetime, timedelta
from typing import Final

MORNING: Final = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
"""A Monday morning, where the fixed clock stands at first."""


class FixedClock:
    """Stands still until it is moved."""

    def __init__(self, moment: datetime = MORNING) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """Return the moment at which the clock stands."""
        return self._moment

    def advance(self, **duration: float) -> datetime:
        """Move the clock, for example ``advance(minutes=5)``, and return the new moment."""
        self._moment += timedelta(**duration)
        return self._moment

    def set(self, moment: datetime) -> None:
        """Put the clock to a moment."""
        self._moment = moment
