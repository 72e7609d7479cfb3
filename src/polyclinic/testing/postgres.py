"""PostgreSQL for tests: one scratch server a run, one template, a database for each process.

The server's files lie in memory where that is possible and nothing is synced to disk. The
template holds the migrated tables; a clone of it costs a tenth of a second.
"""

import asyncio
import hashlib
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from polyclinic.base.clock import SystemClock
from polyclinic.base.db.connect import Connection, connected, inspect
from polyclinic.base.db.database import Database
from polyclinic.base.db.embedded.server import EmbeddedServer, Options, remove_abandoned
from polyclinic.base.db.errors import DatabaseError
from polyclinic.base.db.migrate import Migration, migrate
from polyclinic.testing.settings import RunSettings

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a directory with a random name is made in it
_MEMORY_NEEDED: Final = 2 * 1024**3
_ABANDONED_SECONDS: Final = 600.0
_RUN_PREFIX: Final = "polyclinic-test-"
_LOCK: Final = 0x74657374  # "test": one process makes the template


@dataclass(frozen=True, slots=True)
class Run:
    """What the processes of one test run share."""

    name: str
    directory: str
    external_url: str | None

    @classmethod
    def begin(cls, settings: RunSettings) -> "Run":
        """Choose a name and a directory; called once, by the process that leads the run."""
        name = secrets.token_hex(4)
        parent = settings.test_directory or _roomiest()
        if not settings.test_database_url:
            _sweep(parent)
        return cls(name, str(parent / f"{_RUN_PREFIX}{name}"), settings.test_database_url)

    def end(self) -> None:
        """Drop what the run made on an external server, or remove the scratch server's files."""
        if self.external_url:
            asyncio.run(_drop_all(self.external_url, self.name))
        else:
            shutil.rmtree(self.directory, ignore_errors=True)


class Postgres:
    """The run's PostgreSQL, seen from one process."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._embedded: EmbeddedServer | None = None
        self._superuser_url = run.external_url or ""
        # Every process of a run has to know the passwords, and only they have the superuser's URL.
        seed = f"{run.name}:{run.external_url}"
        self._password = hashlib.sha256(seed.encode()).hexdigest()

    def start(self) -> None:
        """Start or join the scratch server, or sign in to the external one."""
        if not self._run.external_url:
            self._embedded = EmbeddedServer(Options(Path(self._run.directory), scratch=True))
            self._embedded.start()
            self._superuser_url = self._embedded.superuser_url

    def stop(self) -> None:
        """Leave the scratch server; the last process to leave stops it."""
        if self._embedded is not None:
            self._embedded.release()

    @property
    def owner(self) -> str:
        """Return the role that owns this run's tables."""
        return f"test_{self._run.name}_owner"

    @property
    def app(self) -> str:
        """Return the role that serves in this run."""
        return f"test_{self._run.name}_app"

    def name_of(self, part: str) -> str:
        """Return the name of a database of this run."""
        return f"test_{self._run.name}_{part}"

    def url(self, database: str, role: str | None = None) -> str:
        """Return the URL of a database, for a role or for the superuser."""
        parts = urlsplit(self._superuser_url)
        netloc = parts.netloc
        if role is not None:
            netloc = f"{role}:{self._password}@{netloc.rpartition('@')[2]}"
        return urlunsplit(parts._replace(netloc=netloc, path=f"/{quote(database)}"))

    async def make_database(self, name: str, template: str = "template0") -> Database:
        """Create a database owned by the owner role; an older one of that name is dropped."""
        async with connected(self._superuser_url) as connection:
            await self._ensure_roles(connection)
            await self._create(connection, name, template)
        return await self._open(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database, ending its sessions."""
        async with connected(self._superuser_url) as connection:
            await connection.execute(f'drop database if exists "{name}" with (force)')

    async def ensure_template(self, migrations: Sequence[Migration]) -> str:
        """Return the name of the migrated template, made by the first process that asks."""
        digest = hashlib.sha256(b"".join(migration.sha256 for migration in migrations))
        name = self.name_of(f"template_{digest.hexdigest()[:12]}")
        async with connected(self._superuser_url) as connection:
            await connection.execute("select pg_advisory_lock($1)", _LOCK)
            found = await connection.fetchval(
                "select datistemplate from pg_database where datname = $1", name
            )
            if not found:
                await self._ensure_roles(connection)
                await self._create(connection, name, "template0")
                await migrate(await self._open(name), migrations, SystemClock())
                await connection.execute(f'alter database "{name}" is_template true')
        return name

    async def _ensure_roles(self, connection: Connection) -> None:
        limits = "login nosuperuser nocreatedb nocreaterole nobypassrls"
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _LOCK + 1)
            for role in (self.owner, self.app):
                if not await connection.fetchval("select 1 from pg_roles where rolname=$1", role):
                    await connection.execute(
                        f"create role {role} {limits} password '{self._password}'"
                    )

    async def _create(self, connection: Connection, name: str, template: str) -> None:
        await connection.execute(f'drop database if exists "{name}" with (force)')
        await connection.execute(
            f'create database "{name}" owner {self.owner} template "{template}"'
            " encoding 'UTF8' strategy wal_log"
        )
        await connection.execute(f'revoke all on database "{name}" from public')
        await connection.execute(f'grant connect on database "{name}" to {self.app}')

    async def _open(self, name: str) -> Database:
        app_url = self.url(name, self.app)
        return Database(app_url, self.url(name, self.owner), await inspect(app_url))


@asynccontextmanager
async def cloned(server: Postgres, name: str, template: str) -> AsyncIterator[Database]:
    """Lend a clone of a template for the length of the block."""
    database = await server.make_database(name, template)
    try:
        yield database
    finally:
        await server.drop_database(name)


def installed_packages() -> list[str]:
    """Return every package that has migrations: the queue's, the store's, then each module's."""
    root = Path(str(files("polyclinic")))
    fixed = ["polyclinic.base.jobs", "polyclinic.kernel.store"]
    modules = sorted(
        f"polyclinic.modules.{folder.parent.name}" for folder in root.glob("modules/*/migrations")
    )
    return fixed + modules


def _roomiest() -> Path:
    """Return the directory in memory where it has room, else the temporary one."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _MEMORY_NEEDED:
        return _MEMORY
    return Path(tempfile.gettempdir())


def _sweep(parent: Path) -> None:
    """Stop and remove scratch servers whose processes were all killed.

    A young directory may belong to a run that has not claimed its server yet.
    """
    for directory in parent.glob(f"{_RUN_PREFIX}*"):
        with suppress(OSError, DatabaseError):
            if time.time() - directory.stat().st_mtime > _ABANDONED_SECONDS:
                remove_abandoned(Options(directory, scratch=True))


async def _drop_all(superuser_url: str, run: str) -> None:
    async with connected(superuser_url) as connection:
        names = await connection.fetch(
            "select datname, datistemplate from pg_database where datname like $1",
            f"test_{run}_%",
        )
        for row in names:
            if row["datistemplate"]:
                await connection.execute(f'alter database "{row["datname"]}" is_template false')
            await connection.execute(f'drop database "{row["datname"]}" with (force)')
        for role in ("app", "owner"):
            await connection.execute(f"drop role if exists test_{run}_{role}")
