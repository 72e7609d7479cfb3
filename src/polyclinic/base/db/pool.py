"""Pools of connections: bounded in number, in waiting and in the time of a statement."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import asyncpg

from polyclinic.base.db.connect import Connection, reporting
from polyclinic.base.db.errors import DatabaseBusy, DatabaseUnavailable
from polyclinic.base.settings import Settings

if TYPE_CHECKING:
    _AsyncpgPool = asyncpg.Pool[asyncpg.Record]

_CACHED_STATEMENTS: Final = 512
_CACHED_STATEMENT_BYTES: Final = 64 * 1024
_CONNECT_SECONDS: Final = 10.0


class Pool:
    """Connections of one role to one database."""

    def __init__(self, pool: "_AsyncpgPool", acquire_seconds: float) -> None:
        self._pool = pool
        self._acquire_seconds = acquire_seconds

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Lend a connection for the length of the block.

        Raise ``DatabaseBusy`` when none came free in time and ``DatabaseUnavailable`` when a new
        one cannot be opened.
        """
        try:
            connection = await self._pool.acquire(timeout=self._acquire_seconds)
        except TimeoutError as error:
            raise DatabaseBusy(
                what=f"no database connection came free in {self._acquire_seconds:g} s",
                remedy="Try again, or raise POLYCLINIC_POOL_MAX",
            ) from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DatabaseUnavailable(
                what=f"no connection to the database can be opened ({type(error).__name__})",
                remedy="Look whether PostgreSQL runs",
            ) from error
        try:
            yield connection
        finally:
            await self._pool.release(connection)

    @property
    def size(self) -> int:
        """Return how many connections are open."""
        return self._pool.get_size()

    @property
    def idle(self) -> int:
        """Return how many open connections nobody uses."""
        return self._pool.get_idle_size()

    async def close(self) -> None:
        """Wait until every connection came back, and close them."""
        await self._pool.close()

    def terminate(self) -> None:
        """Close every connection at once, whatever it does."""
        self._pool.terminate()


async def create_pool(
    url: str,
    settings: Settings,
    application: str = "polyclinic",
    parameters: Mapping[str, str] | None = None,
) -> Pool:
    """Open a pool for a role.

    ``json`` and ``jsonb`` come and go as text, ``bytea`` as bytes: nothing is parsed on the way.
    ``parameters`` are set for every session. A connection keeps its prepared statements for its
    life, so a pooler between us and the server has to work by session. Raise a
    ``DatabaseError`` when the server cannot be reached.
    """
    with reporting(url):
        pool = await asyncpg.create_pool(
            url,
            min_size=settings.pool_min,
            max_size=max(settings.pool_min, settings.pool_max),
            max_queries=2**31,
            reset=_keep,
            timeout=_CONNECT_SECONDS,
            statement_cache_size=_CACHED_STATEMENTS,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=_CACHED_STATEMENT_BYTES,
            server_settings={
                "application_name": application,
                "statement_timeout": f"{settings.statement_timeout * 1000:.0f}",
                "timezone": "UTC",
                "jit": "off",
                **(parameters or {}),
            },
        )
    return Pool(pool, settings.acquire_timeout)


async def _keep(_connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Leave a returned connection as it is.

    asyncpg still rolls back a transaction that was left open; its default would also send a
    statement that resets the session, which doubles the cost of a read. Session state is
    therefore never set: a row-level security context is set with ``set_config(..., true)``.
    """
