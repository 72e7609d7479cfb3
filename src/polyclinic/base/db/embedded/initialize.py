"""The first start: a cluster made beside its place and renamed into it, whole or not at all."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from polyclinic.base.db.embedded.account import Account
from polyclinic.base.db.embedded.place import Place
from polyclinic.base.db.embedded.programs import Programs
from polyclinic.base.db.errors import DatabaseMisconfigured, DatabaseUnavailable

SUPERUSER: Final = "postgres"
OWNER: Final = "app_owner"
APP: Final = "app"
DATABASE: Final = "polyclinic"

_ROLE_LIMITS: Final = (
    "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS NOREPLICATION"
)
_BUILTIN_LOCALES_SINCE: Final = 17


@dataclass(frozen=True, slots=True)
class FirstStart:
    """What a first start needs."""

    place: Place
    programs: Programs
    account: Account
    scratch: bool

    def make(self) -> None:
        """Make the cluster, its roles and its database.

        A start that is killed on the way leaves a directory ``pg.init.*``, which later ones
        remove. Raise ``DatabaseUnavailable`` when a program fails.
        """
        passwords = {role: secrets.token_urlsafe(32) for role in (SUPERUSER, OWNER, APP)}
        write_durably(self.place.secrets, json.dumps(passwords))
        unfinished = self.place.root / f"pg.init.{secrets.token_hex(4)}"
        self.account.own_directory(unfinished)
        try:
            self._initdb(unfinished, passwords[SUPERUSER])
            self._create_roles(unfinished, passwords)
        except subprocess.CalledProcessError as error:
            raise DatabaseUnavailable(
                what=f"the database in {self.place.root} could not be made: {_last_line(error)}",
                remedy="Free disk space or memory, or set POLYCLINIC_DATA to another directory",
            ) from error
        unfinished.rename(self.place.cluster)
        _sync_directory(self.place.root)

    def _initdb(self, directory: Path, password: str) -> None:
        password_file = self.place.root / ".password"
        password_file.unlink(missing_ok=True)
        write_durably(password_file, password)
        if self.account.is_dropped:
            os.chown(password_file, self.account.uid, self.account.gid)
        has_builtin_locales = self.programs.version.major >= _BUILTIN_LOCALES_SINCE
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"]
        options += ["--locale-provider=builtin"] if has_builtin_locales else []
        options += ["--locale=C.UTF-8" if has_builtin_locales else "--locale=C"]
        options += ["--no-sync"] if self.scratch else []
        self.account.run(
            *(self.programs.initdb, "--pgdata", directory, "--username", SUPERUSER),
            *("--pwfile", password_file, *options),
        )
        password_file.unlink()

    def _create_roles(self, directory: Path, passwords: Mapping[str, str]) -> None:
        """Create what the first connection needs, in single-user mode: no socket exists yet."""
        statements = [
            f"CREATE ROLE {role} {_ROLE_LIMITS} PASSWORD '{passwords[role]}'"
            for role in (OWNER, APP)
        ] + [
            f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
            f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
            f"GRANT CONNECT ON DATABASE {DATABASE} TO {APP}",
        ]
        session = self.account.run(
            *(self.programs.postgres, "--single", "-D", directory, SUPERUSER),
            text="".join(f"{statement};\n" for statement in statements),
        )
        if "ERROR:" in session.stderr:  # a failed statement leaves the exit code at 0
            raise subprocess.CalledProcessError(1, session.args, stderr=session.stderr)


def remove_leftovers(place: Place) -> None:
    """Remove what first starts that were killed have left; an orphaned initdb ends with it."""
    for leftover in place.root.glob("pg.init.*"):
        shutil.rmtree(leftover, ignore_errors=True)


def read_passwords(place: Place) -> dict[str, str]:
    """Return the password of each role.

    Raise ``DatabaseMisconfigured`` when the file is gone: without it nobody can connect.
    """
    try:
        passwords: dict[str, str] = json.loads(place.secrets.read_text())
    except (OSError, ValueError) as error:
        raise DatabaseMisconfigured(
            what=f"{place.secrets} with the database's passwords cannot be read ({error})",
            remedy="Restore it from a backup",
        ) from error
    return passwords


def write_durably(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file in one step that survives a power cut."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    unfinished.chmod(mode)
    unfinished.rename(path)
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _last_line(error: subprocess.CalledProcessError) -> str:
    lines = [line for line in (error.stderr or "").splitlines() if line.strip()]
    return lines[-1] if lines else f"exit code {error.returncode}"
