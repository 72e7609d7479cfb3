"""Hand a job to one worker at a time, and take it back when the worker does not answer.

Every statement that ends an attempt names its lease (who, and which attempt), so that a worker
that was taken for dead cannot end another's attempt.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from polyclinic.base.db.connect import Connection

# Tenants take turns: the walk over the tenants that wait starts after the one served last, and
# costs one index probe for each. FOR UPDATE SKIP LOCKED passes over what others are taking.
_CLAIM: Final = """
    with recursive waiting (tenant) as (
      (select tenant from job where state = 'waiting' order by tenant limit 1)
      union all
      select (select j.tenant from job j where j.state = 'waiting' and j.tenant > w.tenant
              order by j.tenant limit 1)
      from waiting w where w.tenant is not null
    ), turns as materialized (
      select tenant, row_number() over (order by tenant <= $1, tenant) as turn
      from waiting where tenant is not null
    ), picked as materialized (
      select due.job from turns cross join lateral (
        select j.job from job j
        where j.state = 'waiting' and j.tenant = turns.tenant and j.run_at <= $2
          and j.kind = any ($5) and j.tenant <> all ($6)
        order by j.run_at, j.job limit 1
        for update skip locked
      ) due
      order by turns.turn limit 1
    )
    update job set state = 'running', attempts = attempts + 1, locked_by = $3, locked_until = $4
    from picked where job.job = picked.job
    returning job.job, job.tenant, job.kind, job.payload, job.attempts, job.max_attempts
"""
_RENEW: Final = """
    update job set locked_until = $4
    where job = $1 and locked_by = $2 and attempts = $3 and state = 'running' returning job
"""
_FINISH: Final = """
    update job set state = 'done', finished = $4, locked_by = null, locked_until = null,
      last_error = null
    where job = $1 and locked_by = $2 and attempts = $3 and state = 'running' returning job
"""
_FAIL: Final = """
    update job set
      state = case when $6 or attempts >= max_attempts then 'dead' else 'waiting' end,
      finished = case when $6 or attempts >= max_attempts then $4::timestamptz end,
      run_at = $5, last_error = $7, locked_by = null, locked_until = null
    where job = $1 and locked_by = $2 and attempts = $3 and state = 'running' returning state
"""
_GIVE_BACK: Final = """
    update job set state = 'waiting', attempts = attempts - 1, run_at = $4,
      locked_by = null, locked_until = null
    where job = $1 and locked_by = $2 and attempts = $3 and state = 'running' returning job
"""
_TAKE_BACK: Final = """
    update job set
      state = case when attempts >= max_attempts then 'dead' else 'waiting' end,
      finished = case when attempts >= max_attempts then $1::timestamptz end,
      last_error = 'LeaseExpired', locked_by = null, locked_until = null
    where job in (select job from job where state = 'running' and locked_until < $1
                  order by locked_until limit 100 for update skip locked)
    returning job, state
"""
# A key share lets the lease be renewed and keeps it from being taken back (FOR UPDATE SKIP LOCKED).
_HOLD: Final = """
    select 1 from job where job = $1 and locked_by = $2 and attempts = $3 and state = 'running'
    for key share
"""
_STEP: Final = "insert into job_step (job, step) values ($1, $2) on conflict do nothing returning 1"


@dataclass(frozen=True, slots=True)
class LeasedJob:
    """A job that this worker may run until its lease ends."""

    job: int
    tenant: int
    kind: str
    payload: dict[str, Any]
    attempt: int
    max_attempts: int
    worker: str


class LeaseLost(Exception):
    """The job was given to another worker; nothing of this attempt may take effect."""


@dataclass(frozen=True, slots=True)
class Claimant:
    """A worker that asks for a job."""

    worker: str
    kinds: list[str]
    lease: timedelta
    passing_over: list[int] = field(default_factory=list)
    """Tenants whose jobs it takes none of now."""


async def claim(
    connection: Connection, claimant: Claimant, now: datetime, after: int
) -> LeasedJob | None:
    """Take the job that is due longest of the next tenant after ``after``; None when none is."""
    row = await connection.fetchrow(
        _CLAIM,
        *(after, now, claimant.worker, now + claimant.lease),
        *(claimant.kinds, claimant.passing_over),
    )
    if row is None:
        return None
    return LeasedJob(
        job=row["job"],
        tenant=row["tenant"],
        kind=row["kind"],
        payload=json.loads(row["payload"]),
        attempt=row["attempts"],
        max_attempts=row["max_attempts"],
        worker=claimant.worker,
    )


async def renew(connection: Connection, job: LeasedJob, until: datetime) -> None:
    """Prolong the lease; raise ``LeaseLost`` when it is another's."""
    _require(await connection.fetchval(_RENEW, job.job, job.worker, job.attempt, until))


async def finish(connection: Connection, job: LeasedJob, now: datetime) -> None:
    """Record in the caller's transaction that the job is done; raise ``LeaseLost``."""
    _require(await connection.fetchval(_FINISH, job.job, job.worker, job.attempt, now))


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt ended that did not succeed."""

    code: str
    """The class of the error."""
    now: datetime
    retry_at: datetime
    is_final: bool = False
    """Whether another attempt is of no use."""


async def fail(connection: Connection, job: LeasedJob, failure: Failure) -> str:
    """Record a failed attempt and return the job's new state, waiting or dead."""
    state = await connection.fetchval(
        _FAIL,
        *(job.job, job.worker, job.attempt),
        *(failure.now, failure.retry_at, failure.is_final, failure.code),
    )
    return str(_require(state))


async def give_back(connection: Connection, job: LeasedJob, now: datetime) -> None:
    """Return a job that was interrupted on purpose; the attempt does not count."""
    _require(await connection.fetchval(_GIVE_BACK, job.job, job.worker, job.attempt, now))


async def take_back(connection: Connection, now: datetime) -> dict[int, str]:
    """Free the jobs of workers that did not renew; return their new states."""
    return {row["job"]: row["state"] for row in await connection.fetch(_TAKE_BACK, now)}


async def hold(connection: Connection, job: LeasedJob) -> None:
    """Keep the lease for the length of the caller's transaction; raise ``LeaseLost``."""
    _require(await connection.fetchval(_HOLD, job.job, job.worker, job.attempt))


async def begin_step(connection: Connection, job: LeasedJob, step: str) -> bool:
    """Record a step in the caller's transaction; return whether it had not taken effect yet.

    Raise ``LeaseLost`` when the job is another's.
    """
    await hold(connection, job)
    return await connection.fetchval(_STEP, job.job, step) is not None


def _require(value: object) -> object:
    if value is None:
        raise LeaseLost
    return value
