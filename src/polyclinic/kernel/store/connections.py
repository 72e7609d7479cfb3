"""The store's two pools: one for the few statements of the hot path, one for searches."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from polyclinic.base.db.connect import Connection, Record
from polyclinic.base.db.pool import Pool, create_pool
from polyclinic.base.settings import Settings


class Connections:
    """Run single statements on a pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Lend a connection, for a transaction."""
        async with self._pool.acquire() as connection:
            yield connection

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Record]:
        """Return the rows of a statement."""
        async with self._pool.acquire() as connection:
            return await connection.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: object) -> Record | None:
        """Return the first row of a statement."""
        async with self._pool.acquire() as connection:
            return await connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: object) -> Any:
        """Return the first value of a statement."""
        async with self._pool.acquire() as connection:
            return await connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: object) -> None:
        """Run a statement."""
        async with self._pool.acquire() as connection:
            await connection.execute(sql, *arguments)

    async def close(self) -> None:
        """Wait until every connection came back, and close them."""
        await self._pool.close()


async def open_hot(url: str, settings: Settings) -> Connections:
    """Open the pool of the hot path.

    Its statements take arrays of any length; planned for each call they would cost more to plan
    than to run, so their plans are made once.
    """
    return Connections(
        await create_pool(url, settings, "polyclinic", {"plan_cache_mode": "force_generic_plan"})
    )


async def open_searches(url: str, settings: Settings) -> Connections:
    """Open the pool of searches, whose plans depend on their values."""
    return Connections(await create_pool(url, settings, "polyclinic search"))
