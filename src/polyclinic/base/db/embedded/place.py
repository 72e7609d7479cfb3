"""Where the embedded server keeps its files.

``<data>/postgresql`` holds the cluster (``pg``), its socket (``run``), the passwords of the three
roles, the server's configuration and its log. When root runs us and the unprivileged account may
not enter ``<data>`` (a home directory is often closed), the same directory is made under
``/var/lib/polyclinic`` and ``<data>/postgresql`` is a symbolic link to it.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from polyclinic.base.db.embedded.account import Account

SYSTEM_DIRECTORY: Final = Path("/var/lib/polyclinic")
_NAME: Final = "postgresql"
# sun_path holds 104 bytes on macOS and 108 on Linux, the end of the string included.
_LONGEST_SOCKET: Final = 103
_SOCKET_FILE: Final = "/.s.PGSQL.65535.lock"


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one embedded server."""

    root: Path

    @property
    def cluster(self) -> Path:
        """Return PostgreSQL's data directory; it exists once the first start was complete."""
        return self.root / "pg"

    @property
    def secrets(self) -> Path:
        """Return the file with the passwords of the roles, readable by us alone."""
        return self.root / "secrets.json"

    @property
    def configuration(self) -> Path:
        """Return the server's configuration file, written anew at each start."""
        return self.root / "postgresql.conf"

    @property
    def log(self) -> Path:
        """Return the server's log."""
        return self.root / "server.log"

    @property
    def sockets(self) -> Path:
        """Return the socket's directory: beside the cluster, or under /tmp where that is too long.

        The directory under /tmp is named after the cluster and refused when it is not ours.
        """
        beside = self.root / "run"
        if len(os.fsencode(beside)) + len(_SOCKET_FILE) <= _LONGEST_SOCKET:
            return beside
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path("/tmp") / f"polyclinic-{digest}"  # noqa: S108 - owner and mode are checked

    @property
    def is_initialized(self) -> bool:
        """Return whether a first start was completed here."""
        return (self.cluster / "PG_VERSION").exists()


def settle(data: Path, account: Account, system: Path = SYSTEM_DIRECTORY) -> Place:
    """Find the place of the server whose data directory this is, or choose it once and for all."""
    pointer = data / _NAME
    if not pointer.exists() and not account.can_enter(data):
        _point_elsewhere(pointer, system)
    place = Place(pointer.resolve())
    place.root.mkdir(exist_ok=True)
    # The account passes through to its own directories and can neither list nor write here.
    place.root.chmod(0o711 if account.is_dropped else 0o700)
    account.own_directory(place.sockets)
    return place


def _point_elsewhere(pointer: Path, system: Path) -> None:
    """Make a directory that the account can reach and a link to it.

    The name is new each time: a data directory that was deleted must not come back.
    """
    system.mkdir(mode=0o755, parents=True, exist_ok=True)
    target = system / f"{pointer.parent.resolve().name}-{secrets.token_hex(6)}"
    target.mkdir(mode=0o711)
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(target)


def is_started_before(data: Path) -> bool:
    """Return whether an embedded server was started for this data directory before."""
    try:
        return Place((data / _NAME).resolve()).is_initialized
    except PermissionError:  # it is there, and it is another account's
        return True
