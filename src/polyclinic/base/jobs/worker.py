"""The loop that runs jobs: claim, run, renew, end; and stop without losing one."""

import asyncio
import logging
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from polyclinic.base import log
from polyclinic.base.clock import Clock
from polyclinic.base.db.errors import DatabaseError
from polyclinic.base.db.pool import Pool
from polyclinic.base.jobs import lease
from polyclinic.base.jobs.lease import Claimant, Failure, LeasedJob, LeaseLost
from polyclinic.base.jobs.run import CannotSucceed, JobKind, JobRun
from polyclinic.base.jobs.schedule import Schedule, enqueue_due

_RANDOM: Final = random.SystemRandom()
_SEVERAL: Final = 2


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a worker looks and how much it does."""

    concurrency: int = 2
    """Jobs that run at once."""
    shortest_poll: float = 0.05
    """Seconds between two looks after a job was found or a wake-up came."""
    longest_poll: float = 2.0
    """Seconds between two looks when the queue stays empty."""
    upkeep: float = 5.0
    """Seconds between two looks for lost leases and due schedules."""
    lease: float = 30.0
    """Seconds that a lease lasts; it is renewed three times in that span."""
    grace: float = 10.0
    """Seconds that running jobs have to end when the worker is stopped."""


class Worker:
    """Runs jobs of the kinds that it knows."""

    def __init__(
        self,
        pool: Pool,
        kinds: Iterable[JobKind],
        clock: Clock,
        schedules: Iterable[Schedule] = (),
        pace: Pace | None = None,
    ) -> None:
        self.name = secrets.token_hex(6)
        self._pool = pool
        self._kinds = {kind.name: kind for kind in kinds}
        self._clock = clock
        self._schedules = schedules
        """Looked through anew each time, for it may change."""
        self._looked_until: dict[tuple[int, str], datetime] = {}
        self._pace = pace or Pace()
        self._running: dict[asyncio.Task[None], int] = {}
        """Each with the tenant whose job it runs."""
        self._tenants: set[int] = set()
        self._woken = asyncio.Event()
        self._is_stopping = False
        self._last_tenant = -1
        self._upkeep_due = 0.0

    async def run(self) -> None:
        """Run jobs until ``stop``; a database that is away is waited for."""
        wait = self._pace.shortest_poll
        while not self._is_stopping:
            found = await self._look()
            wait = self._pace.shortest_poll if found else min(wait * 2, self._pace.longest_poll)
            if not found or len(self._running) >= self._pace.concurrency:
                await self._pause(wait)
        await self._end_running()

    def stop(self) -> None:
        """Take no further job; ``run`` returns when the running ones have ended."""
        self._is_stopping = True
        self._woken.set()

    def wake(self) -> None:
        """Look at the queue soon: somebody in this process has put a job into it."""
        self._woken.set()

    async def drain(self) -> int:
        """Run what is due now, one job after another, and return how many attempts were made."""
        attempts = 0
        await self._upkeep()
        while (job := await self._claim()) is not None:
            await self._attempt(job)
            attempts += 1
        return attempts

    async def _look(self) -> bool:
        """Start one job if there is room and one is due."""
        try:
            if time.monotonic() >= self._upkeep_due:
                self._upkeep_due = time.monotonic() + self._pace.upkeep
                await self._upkeep()
            if len(self._running) >= self._pace.concurrency:
                return False
            job = await self._claim()
        except DatabaseError as error:
            log.failure("jobs.unreachable", error)
            return False
        except Exception as error:  # noqa: BLE001 - the loop outlives a database that restarts
            log.failure("jobs.look", error)
            return False
        if job is None:
            return False
        task = asyncio.create_task(self._attempt(job), name=f"job {job.job}")
        self._running[task] = job.tenant
        task.add_done_callback(self._ended)
        return True

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.failure("job.unrecorded", error)  # its lease runs out, and another goes on
        self._woken.set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds * _RANDOM.uniform(0.8, 1.2))
            # Wake-ups are throttled: many writes in a moment are one look.
            await asyncio.sleep(self._pace.shortest_poll)
        self._woken.clear()

    async def _end_running(self) -> None:
        """Let running jobs end, and interrupt those that take too long; theirs are given back."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=self._pace.grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _upkeep(self) -> None:
        async with self._pool.acquire() as connection:
            for job, state in (await lease.take_back(connection, self._clock.now())).items():
                log.event("job.taken-back", level=logging.WARNING, job=job, state=state)
            now = self._clock.now()
            schedules = list(self._schedules)
            self._tenants = {schedule.tenant for schedule in schedules}
            for schedule in schedules:
                key = schedule.tenant, schedule.name
                # Until the next period nothing can be due: whoever looked first has seen to it.
                if now >= self._looked_until.get(key, now):
                    await enqueue_due(connection, schedule, self._clock)
                    self._looked_until[key] = schedule.begin_after(now)

    def _at_their_limit(self) -> list[int]:
        """Return the tenants that run all the jobs they may: with others there, all but one."""
        if len(self._tenants) < _SEVERAL or self._pace.concurrency < _SEVERAL:
            return []
        running = Counter(self._running.values())
        return [one for one, count in running.items() if count >= self._pace.concurrency - 1]

    async def _claim(self) -> LeasedJob | None:
        async with self._pool.acquire() as connection:
            lease_ends = timedelta(seconds=self._pace.lease)
            claimant = Claimant(self.name, list(self._kinds), lease_ends, self._at_their_limit())
            job = await lease.claim(connection, claimant, self._clock.now(), self._last_tenant)
        if job is not None:
            self._last_tenant = job.tenant
        return job

    async def _attempt(self, job: LeasedJob) -> None:
        """Run a job once and record how it ended."""
        began = time.monotonic()
        heartbeat = asyncio.create_task(self._renew(job, asyncio.current_task()))
        try:
            await self._handle(job)
        except LeaseLost as error:
            log.failure("job.lost", error, job=job.job)
        except asyncio.CancelledError:
            await self._interrupted(job, is_lost=heartbeat.done())
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is a failed attempt
            await self._failed(job, error)
        else:
            log.event("job.done", job=job.job, kind=job.kind, ms=_milliseconds_since(began))
        finally:
            heartbeat.cancel()
            with suppress(asyncio.CancelledError):
                await heartbeat

    async def _handle(self, job: LeasedJob) -> None:
        kind = self._kinds[job.kind]
        run = JobRun(job, self._pool, self._clock)
        async with asyncio.timeout(kind.timeout):
            await kind.handler(run)
        if not run.is_finished:
            async with run.completing():
                pass

    async def _renew(self, job: LeasedJob, attempt: "asyncio.Task[None] | None") -> None:
        """Keep the lease, and interrupt the attempt when it is lost."""
        while True:
            await asyncio.sleep(self._pace.lease / 3)
            until = self._clock.now() + timedelta(seconds=self._pace.lease)
            try:
                async with self._pool.acquire() as connection:
                    await lease.renew(connection, job, until)
            except LeaseLost:
                if attempt is not None:
                    attempt.cancel()
                return
            except Exception as error:  # noqa: BLE001 - one renewal may fail, the next may not
                log.failure("job.renew", error, job=job.job)

    async def _interrupted(self, job: LeasedJob, *, is_lost: bool) -> None:
        if is_lost:
            log.event("job.lost", level=logging.WARNING, job=job.job, kind=job.kind)
            return
        log.event("job.given-back", job=job.job, kind=job.kind)
        with suppress(LeaseLost, DatabaseError):  # else its lease runs out
            async with self._pool.acquire() as connection:
                await lease.give_back(connection, job, self._clock.now())

    async def _failed(self, job: LeasedJob, error: Exception) -> None:
        kind = self._kinds[job.kind]
        now = self._clock.now()
        failure = Failure(
            code=type(error).__name__,
            now=now,
            retry_at=now + timedelta(seconds=backoff(kind, job.attempt)),
            is_final=isinstance(error, CannotSucceed),
        )
        state = "lost"
        with suppress(LeaseLost, DatabaseError):  # else its lease runs out
            async with self._pool.acquire() as connection:
                state = await lease.fail(connection, job, failure)
        log.failure("job.failed", error, job=job.job, kind=job.kind, state=state)


def backoff(kind: JobKind, attempt: int) -> float:
    """Return the seconds to wait after an attempt: doubled each time, bounded, and spread.

    The spread of a quarter either way keeps jobs that failed together from coming back together.
    """
    seconds = min(kind.longest_retry, kind.first_retry * 2.0 ** (attempt - 1))
    return seconds * _RANDOM.uniform(0.75, 1.25)


def _milliseconds_since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)
