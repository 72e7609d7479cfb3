"""Forward-only migrations: numbered SQL files, each run once, in order, by the role that owns.

A package's migrations are the files ``migrations/NNNN_words.sql`` beside its modules. What ran is
recorded in the table ``migration`` with the file's SHA-256. ``${app}`` in a file stands for the
name of the role that serves, quoted as an identifier.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import asyncpg
from typing_extensions import override

from polyclinic.base.clock import Clock
from polyclinic.base.db.connect import Connection, connected, role_of
from polyclinic.base.db.database import Database
from polyclinic.base.db.errors import DatabaseTooNew, MigrationError

_FILE_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_LOCK: Final = 0x706F6C79  # "poly": concurrent starts of one database wait for each other
_TABLE: Final = """
    create table if not exists migration (
      package text not null,
      name text not null,
      sha256 bytea not null,
      applied_at timestamptz not null,
      primary key (package, name)
    )
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    package: str
    name: str
    sql: str

    @property
    def sha256(self) -> bytes:
        """Return the digest of the file's text."""
        return hashlib.sha256(self.sql.encode()).digest()

    @override
    def __str__(self) -> str:
        return f"{self.package}/{self.name}"


def find_migrations(packages: Iterable[str]) -> list[Migration]:
    """Return the migrations of the packages, in the order in which they run.

    Raise ``MigrationError`` for a file that is misnamed and for numbers with a gap or a repeat.
    """
    return [migration for package in packages for migration in _of_package(package)]


async def migrate(database: Database, migrations: Sequence[Migration], clock: Clock) -> list[str]:
    """Run what has not run yet and return the names of what was run.

    Each file is one transaction. Safe to call from several processes at once. Raise
    ``DatabaseTooNew`` for a database that a later version migrated, ``MigrationError`` for a file
    that fails or was changed after it ran, ``DatabaseMisconfigured`` without an owner's URL.
    """
    app = _quoted(role_of(database.app_dsn))
    async with (
        connected(database.require_owner(), "polyclinic migrate") as connection,
        _alone(connection),
    ):
        await connection.execute(_TABLE)
        await connection.execute(f"grant select on migration to {app}")
        waiting = _compare(migrations, await _recorded(connection))
        for migration in waiting:
            await _run(connection, migration, app, clock)
    return [str(migration) for migration in waiting]


async def pending(connection: Connection, migrations: Sequence[Migration]) -> list[str]:
    """Return the names of what has not run yet; the role that serves may ask.

    Raise ``DatabaseTooNew`` and ``MigrationError`` as ``migrate`` does.
    """
    exists = await connection.fetchval("select to_regclass('migration') is not null")
    recorded = await _recorded(connection) if exists else {}
    return [str(migration) for migration in _compare(migrations, recorded)]


def _of_package(package: str) -> list[Migration]:
    folder = files(package) / "migrations"
    if not folder.is_dir():
        return []
    found = []
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    for expected, name in enumerate(names, start=1):
        matched = _FILE_NAME.fullmatch(name)
        if not matched or int(matched[1]) != expected:
            raise MigrationError(
                what=f"the migration {package}/{name} is not number {expected:04} of its package",
                remedy=f"Name it {expected:04}_words.sql",
            )
        found.append(Migration(package, name, (folder / name).read_text()))
    return found


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    """Hold the lock under which one process at a time migrates."""
    await connection.execute("select pg_advisory_lock($1)", _LOCK)
    try:
        yield
    finally:
        await connection.execute("select pg_advisory_unlock($1)", _LOCK)


async def _recorded(connection: Connection) -> dict[tuple[str, str], bytes]:
    rows = await connection.fetch("select package, name, sha256 from migration")
    return {(row["package"], row["name"]): row["sha256"] for row in rows}


def _compare(
    migrations: Sequence[Migration], recorded: dict[tuple[str, str], bytes]
) -> list[Migration]:
    """Return what has not run; a package that is not installed here may have run its own."""
    known = {(migration.package, migration.name): migration for migration in migrations}
    installed = {migration.package for migration in migrations}
    for (package, name), sha256 in recorded.items():
        if package in installed and (package, name) not in known:
            raise DatabaseTooNew(
                what=f"the database was migrated by a later Polyclinic ({package}/{name})",
                remedy="Install that version, or restore the backup from before its migration",
            )
        if (package, name) in known and known[package, name].sha256 != sha256:
            raise MigrationError(
                what=f"the migration {package}/{name} was changed after it ran here",
                remedy="Restore the file and put the change into a new migration",
            )
    return [migration for key, migration in known.items() if key not in recorded]


async def _run(connection: Connection, migration: Migration, app: str, clock: Clock) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql.replace("${app}", app))
            await connection.execute(
                "insert into migration (package, name, sha256, applied_at) values ($1, $2, $3, $4)",
                migration.package,
                migration.name,
                migration.sha256,
                clock.now(),
            )
    except asyncpg.PostgresError as error:
        raise MigrationError(
            what=f"the migration {migration} failed: {error}",
            remedy="Nothing of it was kept; put right what it names and migrate again",
        ) from error


def _quoted(identifier: str) -> str:
    escaped = identifier.replace('"', '""')
    return f'"{escaped}"'
