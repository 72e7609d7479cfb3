"""The settings of a test run."""

from dataclasses import dataclass
from pathlib import Path

from polyclinic.base.config import setting


@dataclass(frozen=True)
class RunSettings:
    """Where the tests find PostgreSQL."""

    test_database_url: str | None = setting(
        None,
        "PostgreSQL URL of a superuser for the tests, instead of a scratch server of their own.",
        secret=True,
    )
    test_directory: Path | None = setting(
        None, "Directory for the tests' scratch server, instead of /dev/shm or the temporary one."
    )
