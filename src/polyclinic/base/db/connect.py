"""Reach PostgreSQL once, and say in one line why it cannot be reached."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from polyclinic.base.db.errors import (
    DatabaseError,
    DatabaseMisconfigured,
    DatabaseTooOld,
    DatabaseUnavailable,
)
from polyclinic.base.db.version import OLDEST_MAJOR, ServerVersion

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    """A connection, from a pool or not."""
else:
    Connection = asyncpg.Connection | PoolConnectionProxy  # not generic while the program runs

Record = asyncpg.Record

_CONNECT_SECONDS: Final = 10.0
_INSPECTION: Final = """
    select current_setting('server_version_num')::int as version,
           current_setting('server_encoding') as encoding,
           r.rolsuper as is_superuser, r.rolbypassrls as bypasses_policies,
           current_user::text as role, clock_timestamp() as clock
    from pg_roles r where r.rolname = current_user
"""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server says about itself and about the role that asked."""

    version: ServerVersion
    encoding: str
    role: str
    is_superuser: bool
    bypasses_policies: bool
    clock: datetime
    """The server's time when it answered."""


@asynccontextmanager
async def connected(url: str, application: str = "polyclinic") -> AsyncIterator[Connection]:
    """Open one connection without a statement timeout, for migrations and inspections.

    Raise a ``DatabaseError`` when the server cannot be reached.
    """
    with reporting(url):
        connection = await asyncpg.connect(
            url,
            timeout=_CONNECT_SECONDS,
            server_settings={"application_name": application, "statement_timeout": "0"},
        )
    try:
        yield connection
    finally:
        await connection.close()


async def inspect(url: str) -> ServerInfo:
    """Ask the server for its version, encoding and clock, and the role for its rights."""
    async with connected(url, "polyclinic doctor") as connection:
        row = await connection.fetchrow(_INSPECTION)
    assert row is not None
    return ServerInfo(
        version=ServerVersion.of_number(row["version"]),
        encoding=row["encoding"],
        role=row["role"],
        is_superuser=row["is_superuser"],
        bypasses_policies=row["bypasses_policies"],
        clock=row["clock"],
    )


async def require_usable(url: str) -> ServerInfo:
    """Inspect the server for the role that serves; raise the ``DatabaseError`` that fits."""
    info = await inspect(url)
    where = f"PostgreSQL at {address(url)}"
    if not info.version.is_supported:
        raise DatabaseTooOld(
            what=f"{where} is version {info.version}",
            remedy=f"Upgrade it to version {OLDEST_MAJOR} or later",
        )
    if info.encoding != "UTF8":
        raise DatabaseMisconfigured(
            what=f"{where} keeps its text in {info.encoding}",
            remedy="Create the database with ENCODING 'UTF8'",
        )
    if info.is_superuser or info.bypasses_policies:
        raise DatabaseMisconfigured(
            what=f"{where} lets the role {info.role} pass by row-level security",
            remedy="Serve with a role that is NOSUPERUSER NOBYPASSRLS",
        )
    return info


def address(url: str) -> str:
    """Return host, port, database and role of a URL, and nothing of its password.

    A URL that is malformed is not shown at all: its password may stand anywhere in it.
    """
    parts = urlsplit(url)
    is_whole = url.startswith(("postgresql://", "postgres://"))
    if not is_whole or "@" in parts.path + parts.query + parts.fragment:
        return "the configured URL"
    query = parse_qs(parts.query)
    host = parts.hostname or query.get("host", ["localhost"])[0]
    port = f":{parts.port}" if parts.port else ""
    return f"{host}{port}{parts.path or '/'} as {parts.username or query.get('user', ['?'])[0]}"


def role_of(url: str) -> str:
    """Return the role that a URL signs in as; raise ``DatabaseMisconfigured`` without one."""
    parts = urlsplit(url)
    role = parts.username or parse_qs(parts.query).get("user", [""])[0]
    if not role:
        raise DatabaseMisconfigured(
            what=f"the URL of PostgreSQL at {address(url)} names no role",
            remedy="Write postgresql://role:password@host:5432/database",
        )
    return unquote(role)


@contextmanager
def reporting(url: str) -> Iterator[None]:
    """Turn a driver's error while connecting into a ``DatabaseError``."""
    try:
        yield
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise _explained(error, url) from error


def _explained(error: Exception, url: str) -> DatabaseError:
    try:
        address(url)
    except ValueError as unreadable:
        error = unreadable
    match error:
        case asyncpg.ClientConfigurationError() | ValueError():
            return DatabaseMisconfigured(
                what="POLYCLINIC_DATABASE_URL or POLYCLINIC_MIGRATE_URL is not a PostgreSQL URL",
                remedy="Write postgresql://role:password@host:5432/database",
            )
        case asyncpg.InvalidAuthorizationSpecificationError():
            return DatabaseUnavailable(
                what=f"PostgreSQL at {address(url)} refuses the role or its password",
                remedy="Correct the URL, or pg_hba.conf on the server",
            )
        case asyncpg.InvalidCatalogNameError():
            return DatabaseUnavailable(
                what=f"PostgreSQL at {address(url)} has no such database",
                remedy="Create the database, or correct the URL",
            )
        case asyncpg.PostgresError():
            return DatabaseUnavailable(
                what=f"PostgreSQL at {address(url)} answers {type(error).__name__}",
                remedy="Wait until it has started or has a connection free, and try again",
            )
        case _:
            return DatabaseUnavailable(
                what=f"PostgreSQL at {address(url)} cannot be reached ({_reason(error)})",
                remedy="Start it, or correct POLYCLINIC_DATABASE_URL",
            )


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_CONNECT_SECONDS:.0f} s"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
