"""The operating system's account that the server runs under.

PostgreSQL refuses to run as root. Root therefore drops to an account that exists already; none
is ever created, and nothing that root writes lies in a directory that account may write to.
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

_UNPRIVILEGED_ACCOUNTS: Final = ("postgres", "nobody")
_OVERFLOW_ID: Final = 65534  # the kernel's own "nobody", valid without an entry in /etc/passwd
_MINIMAL_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class SpawnAs(TypedDict, total=False):
    """Arguments of ``subprocess`` that drop root's rights; empty when there are none to drop."""

    user: int
    group: int
    extra_groups: Sequence[int]


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server."""

    uid: int
    gid: int
    is_dropped: bool
    """Whether we are root and the server runs under another account."""

    @property
    def spawn_as(self) -> SpawnAs:
        """Return what ``subprocess`` needs to start a program under this account."""
        if not self.is_dropped:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": ()}

    def run(self, *command: object, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program to its end under this account, from ``/``, in a minimal environment.

        Raise ``CalledProcessError`` when it fails.
        """
        return subprocess.run(  # noqa: S603 - PostgreSQL's programs, no shell
            [str(word) for word in command],
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            check=True,
            text=True,
            cwd="/",
            env=_MINIMAL_ENVIRONMENT,
            **self.spawn_as,
        )

    def spawn(self, command: Sequence[object], log: int) -> subprocess.Popen[bytes]:
        """Start a program that outlives us, in a session of its own (no Ctrl-C reaches it)."""
        return subprocess.Popen(  # noqa: S603 - PostgreSQL's programs, no shell
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env=_MINIMAL_ENVIRONMENT,
            **self.spawn_as,
        )

    def can_enter(self, directory: Path) -> bool:
        """Return whether the account may reach what lies in the directory."""
        with suppress(subprocess.CalledProcessError):
            self.run("/bin/sh", "-c", 'test -x "$0"', directory)
            return True
        return False

    def own_directory(self, directory: Path) -> None:
        """Make a directory that only the account may enter.

        Raise ``PermissionError`` when somebody else's directory or a link is in its place.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.is_dropped and directory.lstat().st_uid == 0:
            os.chown(directory, self.uid, self.gid, follow_symlinks=False)
        status = directory.lstat()
        if directory.is_symlink() or status.st_uid != self.uid:
            raise PermissionError(13, "belongs to another account", str(directory))
        directory.chmod(0o700)


def serving_account() -> Account:
    """Return the account to run the server under: our own, or for root an unprivileged one."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), is_dropped=False)
    for name in _UNPRIVILEGED_ACCOUNTS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid, is_dropped=True)
    return Account(_OVERFLOW_ID, _OVERFLOW_ID, is_dropped=True)
