"""What a handler gets: its job, and transactions whose effects happen once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from polyclinic.base.clock import Clock
from polyclinic.base.db.connect import Connection
from polyclinic.base.db.pool import Pool
from polyclinic.base.jobs import lease
from polyclinic.base.jobs.lease import LeasedJob
from polyclinic.base.jobs.queue import MAX_ATTEMPTS


class CannotSucceed(Exception):
    """Another attempt is of no use; the job is dead at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """A transaction of one step."""

    connection: Connection
    is_new: bool
    """False when an earlier attempt committed this step: leave its work out."""


class JobRun:
    """One attempt at a job."""

    def __init__(self, job: LeasedJob, pool: Pool, clock: Clock) -> None:
        self.job = job
        self.clock = clock
        self._pool = pool
        self._is_finished = False

    @property
    def tenant(self) -> int:
        """Return the tenant whose job it is."""
        return self.job.tenant

    @property
    def payload(self) -> dict[str, Any]:
        """Return what was put into the queue."""
        return self.job.payload

    @property
    def is_finished(self) -> bool:
        """Return whether ``completing`` has committed."""
        return self._is_finished

    @asynccontextmanager
    async def completing(self) -> AsyncIterator[Connection]:
        """Lend a transaction that also ends the job: all of it takes effect once, or none.

        Raise ``LeaseLost`` when the job was given to another.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await lease.hold(connection, self.job)
            yield connection
            await lease.finish(connection, self.job, self.clock.now())
        self._is_finished = True

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[Step]:
        """Lend a transaction for one step of a long job, recorded in it under its name.

        For an effect outside the database (a mail), send it under an idempotency key of the job
        and the step: between the sending and the commit a kill leads to a second sending.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            yield Step(connection, await lease.begin_step(connection, self.job, name))


Handler: TypeAlias = Callable[[JobRun], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job and how it is run."""

    name: str
    handler: Handler
    timeout: float = 300.0
    """Seconds after which an attempt is given up as failed."""
    max_attempts: int = MAX_ATTEMPTS
    """Attempts of the jobs that a schedule makes."""
    first_retry: float = 2.0
    """Seconds before the second attempt; each further one waits twice as long."""
    longest_retry: float = 3600.0
    """Seconds that no wait exceeds."""
