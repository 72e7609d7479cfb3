"""Which database to use: the one that the settings name, or an embedded one."""

import asyncio
import atexit
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from polyclinic.base.db.connect import ServerInfo, require_usable
from polyclinic.base.db.embedded.server import EmbeddedServer, Options
from polyclinic.base.db.errors import DatabaseMisconfigured
from polyclinic.base.settings import Settings


@dataclass(frozen=True, slots=True)
class Database:
    """A database that was reached and is fit for use, until ``close``."""

    app_dsn: str
    """The URL of the role that serves; it cannot pass by row-level security."""
    owner_dsn: str | None
    """The URL of the role that migrates; None where only serving is configured."""
    info: ServerInfo
    embedded: EmbeddedServer | None = None
    """The server that this process holds a claim on."""

    @property
    def is_embedded(self) -> bool:
        """Return whether the server is ours: for one machine, and not the newest patch level."""
        return self.embedded is not None

    def require_owner(self) -> str:
        """Return the URL of the role that migrates; raise ``DatabaseMisconfigured`` without one."""
        if self.owner_dsn is None:
            raise DatabaseMisconfigured(
                what="there is no role that may migrate the database",
                remedy="Set POLYCLINIC_MIGRATE_URL to the URL of the role that owns it",
            )
        return self.owner_dsn

    def close(self) -> None:
        """Give up the claim on an embedded server; the last one to do so stops it."""
        if self.embedded is not None:
            atexit.unregister(self.embedded.release)
            self.embedded.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_database(settings: Settings) -> Database:
    """Reach the external database, or start or join the embedded one.

    Blocks until the server takes connections: milliseconds as a rule, a second on the first
    start, longer when it recovers from a crash. Raise the ``DatabaseError`` that says what is
    missing, too old, unreachable or misconfigured.
    """
    if settings.database_url:
        info = _wait_for(settings.database_url)
        return Database(settings.database_url, settings.migrate_url, info)
    server = EmbeddedServer(Options(data=settings.data, pg_bin=settings.pg_bin))
    server.start()
    atexit.register(server.release)
    try:
        info = _wait_for(server.app_url)
    except BaseException:
        atexit.unregister(server.release)
        server.release()
        raise
    return Database(server.app_url, server.owner_url, info, server)


def _wait_for(url: str) -> ServerInfo:
    """Inspect the server on a loop of its own, whether or not the caller runs one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, require_usable(url)).result()
