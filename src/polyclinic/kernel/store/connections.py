"""The store's two pools: one for the few statements of the hot path, one for searches.

Tables with resources have row-level security: a statement sees the rows of the context of its
connection, and without one no row at all. A connection keeps its context, so that a clinic's
requests, which share one, pay nothing; a change of context costs one round trip.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from polyclinic.base.db.connect import Connection, Record
from polyclinic.base.db.pool import Pool, Session, create_pool, enter_session
from polyclinic.base.settings import Settings

if TYPE_CHECKING:
    from polyclinic.base.db.pool import PoolConnection


class Context(NamedTuple):
    """Whose rows a statement may touch."""

    tenant: int
    audience: frozenset[int] | None = None
    """The rids of the only patients whose resources it may see, besides nobody's; None: all."""


_IN_ORDER: Final = {"max_parallel_workers_per_gather": "0"}
"""What is put behind one another by ``union all`` comes in that order only without workers."""
PLANNING: Final = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    **_IN_ORDER,
}
"""Settings of the hot path's connections."""
_NOBODY: Final[Session] = (("polyclinic.tenant", ""), ("polyclinic.audience", "{}"))


@lru_cache(maxsize=4096)
def _session(context: Context) -> Session:
    audience = context.audience
    text = "*" if audience is None else "{" + ",".join(map(str, sorted(audience))) + "}"
    return ("polyclinic.tenant", str(context.tenant)), ("polyclinic.audience", text)


class Executor:
    """Run single statements, each on a connection that has one context."""

    def __init__(self, pool: Pool, session: Session) -> None:
        self._pool = pool
        self._session = session

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Lend a connection, for a transaction."""
        async with self._pool.acquire() as connection:
            await self._enter(connection)
            yield connection

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Record]:
        """Return the rows of a statement."""
        async with self._pool.acquire() as connection:
            await self._enter(connection)
            return await connection.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: object) -> Record | None:
        """Return the first row of a statement."""
        async with self._pool.acquire() as connection:
            await self._enter(connection)
            return await connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: object) -> Any:
        """Return the first value of a statement."""
        async with self._pool.acquire() as connection:
            await self._enter(connection)
            return await connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: object) -> None:
        """Run a statement."""
        async with self._pool.acquire() as connection:
            await self._enter(connection)
            await connection.execute(sql, *arguments)

    async def _enter(self, connection: "PoolConnection") -> None:
        await enter_session(connection, self._session)


class Connections(Executor):
    """A pool; what runs on it outside ``within`` sees no resource, whoever used it before."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool, _NOBODY)

    def within(self, tenant: int, audience: Collection[int] | None = None) -> Executor:
        """Return what runs statements in the context of a tenant, or of some of its patients."""
        limited = None if audience is None else frozenset(audience)
        return Executor(self._pool, _session(Context(tenant, limited)))

    async def close(self) -> None:
        """Wait until every connection came back, and close them."""
        await self._pool.close()


class Pools(NamedTuple):
    """Both pools, for what chooses between them."""

    hot: Connections
    """Plans are made once."""
    searches: Connections
    """Plans follow values."""


async def open_hot(url: str, settings: Settings) -> Connections:
    """Open the pool of the hot path.

    Its statements take arrays of any length; planned for each call they would cost more to plan
    than to run, so their plans are made once. That may be while the tables are empty, when reading
    one from end to end seems cheapest; so it is no choice.
    """
    return Connections(await create_pool(url, settings, "polyclinic", PLANNING))


async def open_searches(url: str, settings: Settings) -> Connections:
    """Open the pool of searches, whose plans depend on their values."""
    return Connections(await create_pool(url, settings, "polyclinic search", _IN_ORDER))
