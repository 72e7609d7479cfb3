"""What time it is: an argument of everything that dates a record."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tell the time, in UTC, to the microsecond.

    ``meta.lastUpdated`` and every other stored moment comes from here, never from SQL, so that
    a test can hold time still.
    """

    def now(self) -> datetime:
        """Return the present moment as an aware datetime in UTC."""
        ...


class SystemClock:
    """The operating system's clock."""

    def now(self) -> datetime:
        """Return the present moment as an aware datetime in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that reads the system's clock
