"""PostgreSQL's version numbers, and the newest patch level that is known of each release.

https://www.postgresql.org/support/versioning/
"""

import re
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

OLDEST_MAJOR: Final = 15
"""The oldest release whose SQL every statement keeps to."""

NEWEST_KNOWN_MINOR: Final = {15: 20, 16: 16, 17: 12, 18: 6}
"""The minor releases of November 2026; each release fixes the security holes before it."""

_VERSION: Final = re.compile(r"(\d+)(?:\.(\d+))?")


@dataclass(frozen=True, slots=True, order=True)
class ServerVersion:
    """A version such as 18.4: release 18, patch level 4."""

    major: int
    minor: int

    @override
    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @classmethod
    def parse(cls, text: str) -> "ServerVersion":
        """Read ``18.4``, ``postgres (PostgreSQL) 18.4`` or ``15.20 (Debian ...)``.

        A pre-release such as ``19beta2`` counts as its patch level 0. Raise ``ValueError`` when
        there is no number.
        """
        found = _VERSION.search(text)
        if not found:
            message = f"no PostgreSQL version in {text!r}"
            raise ValueError(message)
        return cls(int(found[1]), int(found[2] or 0))

    @classmethod
    def of_number(cls, number: int) -> "ServerVersion":
        """Read ``server_version_num``, for example 180004."""
        return cls(*divmod(number, 10_000))

    @property
    def is_supported(self) -> bool:
        """Return whether Polyclinic runs on this release."""
        return self.major >= OLDEST_MAJOR

    @property
    def patches_behind(self) -> int | None:
        """Return how many patch levels are missing; None for a release that is not listed."""
        newest = NEWEST_KNOWN_MINOR.get(self.major)
        return None if newest is None else max(0, newest - self.minor)
