"""The embedded server as a whole: start or join it, its URLs, leave or stop it."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from polyclinic.base.db.embedded import configuration, lease
from polyclinic.base.db.embedded.account import Account, serving_account
from polyclinic.base.db.embedded.initialize import (
    APP,
    DATABASE,
    OWNER,
    SUPERUSER,
    FirstStart,
    read_passwords,
    remove_leftovers,
    write_durably,
)
from polyclinic.base.db.embedded.place import SYSTEM_DIRECTORY, Place, settle
from polyclinic.base.db.embedded.postmaster import Postmaster
from polyclinic.base.db.embedded.programs import Programs, find_programs
from polyclinic.base.db.errors import DatabaseMisconfigured, DatabaseUnavailable
from polyclinic.base.db.version import ServerVersion

_START_LOCK: Final = "postgresql.start.lock"
_USERS_LOCK: Final = "postgresql.users.lock"
_STOP_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """How to run an embedded server."""

    data: Path
    """The directory that its place is settled for."""
    pg_bin: Path | None = None
    """PostgreSQL's programs, instead of the wheel's."""
    scratch: bool = False
    """Whether the cluster is thrown away: no fsync, nothing survives a crash."""
    configuration: Mapping[str, str] = field(default_factory=dict)
    start_seconds: float = 600.0
    """How long a start may take; recovery after a crash is part of it."""
    system: Path = SYSTEM_DIRECTORY
    """Where root's server lies when its account may not enter ``data``."""


class EmbeddedServer:
    """A claim on the one server of a data directory.

    The first process starts it, later ones join it, the last one out stops it. A process that is
    killed loses its claim with its life; a server left without any claim is joined by the next
    process. ``start`` and ``release`` block and may be called from any thread, once each.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._pid = os.getpid()
        self._lease: lease.Lease | None = None
        self._place: Place | None = None
        self._postmaster: Postmaster | None = None
        self._passwords: Mapping[str, str] = {}
        self.version = ServerVersion(0, 0)
        """The version of the programs, known after ``start``."""

    def start(self) -> None:
        """Start the server or join it, and return when it takes connections.

        Raise a ``DatabaseError`` when the directory, the programs or the server do not allow it.
        """
        data = self._options.data
        try:
            data.mkdir(parents=True, exist_ok=True)
            with lease.exclusively(data / _START_LOCK, self._options.start_seconds):
                self._start_alone()
        except OSError as error:
            raise DatabaseMisconfigured(
                what=f"{error.filename or data} cannot be used for the database: {error.strerror}",
                remedy="Set POLYCLINIC_DATA to a directory of your own",
            ) from error

    def release(self) -> bool:
        """Give the claim up, stop the server if it was the last, and return whether it was."""
        if self._lease is None or self._postmaster is None:
            return False
        if os.getpid() != self._pid:  # a forked child: the claim is its parent's
            self._lease = None
            return False
        with lease.exclusively(self._options.data / _START_LOCK, self._options.start_seconds):
            was_last = self._lease.give_up()
            if was_last:
                self._postmaster.stop(_STOP_SECONDS)
            else:
                self._postmaster.detach()
        self._lease = None
        return was_last

    def url(self, role: str = APP, database: str = DATABASE) -> str:
        """Return the URL of a role on a database of the running server."""
        if self._postmaster is None:
            raise DatabaseUnavailable(what="the embedded server is not started", remedy="Start it")
        sockets, port = self._postmaster.address()
        query = urlencode({"host": sockets, "port": port, "sslmode": "disable"})
        password = quote(self._passwords[role], safe="")
        return f"postgresql://{role}:{password}@/{database}?{query}"

    @property
    def app_url(self) -> str:
        """Return the URL of the role that serves."""
        return self.url(APP)

    @property
    def owner_url(self) -> str:
        """Return the URL of the role that migrates."""
        return self.url(OWNER)

    @property
    def superuser_url(self) -> str:
        """Return the URL of the superuser, for tests and repairs."""
        return self.url(SUPERUSER, "postgres")

    @property
    def place(self) -> Place | None:
        """Return where the server's files lie, known after ``start``."""
        return self._place

    @property
    def pid(self) -> int | None:
        """Return the server's process id while it runs."""
        return self._postmaster.pid() if self._postmaster else None

    def _start_alone(self) -> None:
        options = self._options
        account = serving_account()
        place = settle(options.data.resolve(), account, options.system)
        programs = find_programs(account, options.pg_bin, options.system)
        remove_leftovers(place)
        if not place.is_initialized:
            FirstStart(place, programs, account, options.scratch).make()
        _check_release(place, programs)
        self._passwords = read_passwords(place)
        self._configure(place, programs, account)
        claim = lease.Lease(options.data / _USERS_LOCK)
        claim.take()
        postmaster = Postmaster(place, programs, account)
        try:
            postmaster.ensure_ready(options.start_seconds)
        except BaseException:
            claim.give_up()
            postmaster.detach()
            raise
        self._place, self._postmaster, self._lease = place, postmaster, claim
        self.version = programs.version

    def _configure(self, place: Place, programs: Programs, account: Account) -> None:
        options = self._options
        text = configuration.render(
            place, programs.version.major, options.configuration, scratch=options.scratch
        )
        if not place.configuration.exists() or place.configuration.read_text() != text:
            write_durably(place.configuration, text, 0o644 if account.is_dropped else 0o600)


def remove_abandoned(options: Options) -> bool:
    """Stop and remove the server of a directory that no process has a claim on.

    Return whether there was such a server; raise a ``DatabaseError`` when another process is
    about to use it. For scratch servers: nothing of the directory is left.
    """
    with lease.exclusively(options.data / _START_LOCK, timeout=0):
        if lease.is_claimed(options.data / _USERS_LOCK):
            return False
        account = serving_account()
        place = settle(options.data.resolve(), account, options.system)
        Postmaster(place, find_programs(account, options.pg_bin), account).stop(_STOP_SECONDS)
        shutil.rmtree(place.root, ignore_errors=True)
        shutil.rmtree(options.data, ignore_errors=True)
    return True


def _check_release(place: Place, programs: Programs) -> None:
    made_by = (place.cluster / "PG_VERSION").read_text().strip()
    if made_by != str(programs.version.major):
        raise DatabaseMisconfigured(
            what=f"the database in {place.cluster} was made by PostgreSQL {made_by},"
            f" and the programs are {programs.version}",
            remedy="Point POLYCLINIC_PG_BIN to the old release, or export and load the data",
        )
