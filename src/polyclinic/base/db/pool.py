"""Pools of connections: bounded in number, in waiting and in the time of a statement."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

import asyncpg

from polyclinic.base.db.connect import reporting
from polyclinic.base.db.errors import DatabaseBusy, DatabaseError, DatabaseUnavailable
from polyclinic.base.db.shares import Shares
from polyclinic.base.lanes import LANE
from polyclinic.base.settings import Settings

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    _AsyncpgPool = asyncpg.Pool[asyncpg.Record]
    PoolConnection = PoolConnectionProxy[asyncpg.Record]
    _Connection = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection

_CACHED_STATEMENTS: Final = 512
_CACHED_STATEMENT_BYTES: Final = 64 * 1024
_CONNECT_SECONDS: Final = 10.0
_KEPT_SECONDS: Final = 300.0
"""Whoever was kept unused for so long goes to asyncpg's pool, which closes it after a while."""


Session = tuple[tuple[str, str], ...]
"""Names and values of session settings."""


class SessionConnection(_Connection):
    """A connection that knows which session settings it has, so that none is sent twice."""

    session: Session = ()


class _Kept(NamedTuple):
    """A connection that nobody uses, and since when."""

    connection: "PoolConnection"
    since: float


def _held(connection: "PoolConnection") -> SessionConnection | None:
    held: SessionConnection | None = connection._con  # type: ignore[attr-defined]  # noqa: SLF001 - a proxy takes no attribute
    return held


def _is_usable(held: SessionConnection | None) -> bool:
    """Say whether a connection is there, outside a transaction, and busy with nothing."""
    if held is None or held.is_closed():
        return False
    return not held.is_in_transaction() and not held._protocol._is_cancelling()  # type: ignore[attr-defined]  # noqa: SLF001 - what asyncpg's own pool asks


async def enter_session(connection: "PoolConnection", session: Session) -> None:
    """Let a connection have session settings, outside a transaction, until it is given others."""
    held = _held(connection)
    if held is None or held.session == session:
        return
    held.session = _UNKNOWN
    values = ", ".join(
        f"set_config(${at}, ${at + 1}, false)" for at in range(1, 2 * len(session), 2)
    )
    await held.fetchrow(f"select {values}", *(text for pair in session for text in pair))
    held.session = session


_UNKNOWN: Final[Session] = (("", ""),)
"""The session of a connection whose settings may or may not have arrived."""


class Loan:
    """A connection for the length of a block; a class because it stands on the hottest path."""

    __slots__ = ("_connection", "_lane", "_pool")

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._connection: PoolConnection | None = None
        self._lane: int | None = None

    async def __aenter__(self) -> "PoolConnection":
        lane = LANE.get()
        if lane is None:
            self._connection = await self._pool.take()
            return self._connection
        await self._pool.enter(lane)
        try:
            self._connection = await self._pool.take()
        except BaseException:
            self._pool.leave(lane)
            raise
        self._lane = lane
        return self._connection

    async def __aexit__(self, error: object, *_: object) -> None:
        try:
            if self._connection is not None:
                await self._pool.give_back(self._connection, is_well=error is None)
        finally:
            if self._lane is not None:
                self._pool.leave(self._lane)


class Pool:
    """Connections of one role to one database.

    Those that came back well are lent again without asking asyncpg's pool, which costs half as
    much as a short statement.
    """

    def __init__(self, pool: "_AsyncpgPool", acquire_seconds: float) -> None:
        self._pool = pool
        self._kept: list[_Kept] = []
        self._is_closing = False
        self._acquire_seconds = acquire_seconds
        self._largest = pool.get_max_size()
        self._lent = 0
        self._shares = Shares(self._largest)

    def acquire(self) -> Loan:
        """Lend a connection for the length of an ``async with`` block.

        Raise ``DatabaseBusy`` when none came free in time and ``DatabaseUnavailable`` when a new
        one cannot be opened.
        """
        return Loan(self)

    async def enter(self, lane: int) -> None:
        """Wait until a lane may have one more connection; ``leave`` says that it needs it no more.

        Raise ``DatabaseBusy``.
        """
        try:
            await self._shares.enter(lane, self._acquire_seconds)
        except TimeoutError as error:
            raise self._explained(error, waited=True) from error

    def leave(self, lane: int) -> None:
        """Let a lane, this one or another, have the connection that was given back."""
        self._shares.leave(lane)

    async def take(self) -> "PoolConnection":
        """Take a connection that has to be given back."""
        while self._kept:
            connection = self._kept.pop().connection
            if _is_usable(_held(connection)):
                self._lent += 1
                return connection
            await self._pool.release(connection)
        # A timer for each loan costs a third of a read; one is needed only where others wait.
        seconds = None if self._lent < self._largest else self._acquire_seconds
        self._lent += 1
        try:
            return await self._pool.acquire(timeout=seconds)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            self._lent -= 1
            raise self._explained(error, waited=seconds is not None) from error
        except BaseException:
            self._lent -= 1
            raise

    async def give_back(self, connection: "PoolConnection", *, is_well: bool = False) -> None:
        """Give a connection back; ``is_well``: no statement of it failed or was cancelled."""
        held = _held(connection)
        is_waited_for = self._lent > self._largest
        may_keep = is_well and not is_waited_for and not self._is_closing
        if not may_keep or not _is_usable(held):
            try:
                await self._pool.release(connection)
            finally:
                self._lent -= 1
            return
        self._lent -= 1
        now = asyncio.get_running_loop().time()
        self._kept.append(_Kept(connection, now))
        if self._kept[0].since < now - _KEPT_SECONDS:
            await self._pool.release(self._kept.pop(0).connection)

    def _explained(self, error: Exception, *, waited: bool) -> DatabaseError:
        if waited and isinstance(error, TimeoutError):
            return DatabaseBusy(
                what=f"no database connection came free in {self._acquire_seconds:g} s",
                remedy="Try again, or raise POLYCLINIC_POOL_MAX",
            )
        return DatabaseUnavailable(
            what=f"no connection to the database can be opened ({type(error).__name__})",
            remedy="Look whether PostgreSQL runs",
        )

    @property
    def size(self) -> int:
        """Return how many connections are open."""
        return self._pool.get_size()

    @property
    def idle(self) -> int:
        """Return how many open connections nobody uses."""
        return self._pool.get_idle_size() + len(self._kept)

    async def close(self) -> None:
        """Wait until every connection came back, and close them."""
        self._is_closing = True
        while self._kept:
            await self._pool.release(self._kept.pop().connection)
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
            connection_class=SessionConnection,
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
    therefore set in one way only, by ``SessionConnection``, which knows what it has set.
    """
