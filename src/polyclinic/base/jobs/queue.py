"""Put jobs into the queue, look at it, and clear it of what is finished."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from polyclinic.base.clock import Clock
from polyclinic.base.db.connect import Connection

MAX_ATTEMPTS: Final = 5

_ENQUEUE: Final = """
    insert into job (tenant, kind, payload, idempotency_key, run_at, max_attempts, created)
    select tenant, kind, payload::jsonb, key, run_at, max_attempts, $7
    from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::smallint[])
      as new (tenant, kind, payload, key, run_at, max_attempts)
    on conflict (tenant, kind, idempotency_key) do nothing
    returning job
"""
_COUNTS: Final = "select state, count(*) from job group by state"
_UNDER_WAY: Final = """
    select exists (
      select from job where tenant = $1 and kind = $2 and state in ('waiting', 'running'))
"""
_REVIVE: Final = """
    update job set state = 'waiting', attempts = 0, run_at = $2, finished = null
    where job = $1 and state = 'dead' returning job
"""
# Dead jobs stay until somebody has looked at them.
_PURGE: Final = """
    delete from job where job in (
      select job from job where state = 'done' and finished < $1 order by finished limit $2
      for update skip locked)
    returning job
"""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be put into the queue."""

    tenant: int
    kind: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    """Ids and numbers as JSON; never a resource."""
    key: str | None = None
    """A second job of this tenant and kind with the same key is left out."""
    run_at: datetime | None = None
    """Not before this moment; None means at once."""
    max_attempts: int = MAX_ATTEMPTS


async def enqueue(connection: Connection, jobs: Sequence[NewJob], clock: Clock) -> list[int]:
    """Put jobs into the queue and return their numbers, without those whose key is known.

    They are seen by workers when the caller's transaction commits, and never if it does not.
    """
    now = clock.now()
    rows = await connection.fetch(
        _ENQUEUE,
        [job.tenant for job in jobs],
        [job.kind for job in jobs],
        [json.dumps(dict(job.payload)) for job in jobs],
        [job.key for job in jobs],
        [job.run_at or now for job in jobs],
        [job.max_attempts for job in jobs],
        now,
    )
    return [row["job"] for row in rows]


async def is_under_way(connection: Connection, tenant: int, kind: str) -> bool:
    """Say whether a job of a kind waits or runs for a tenant."""
    return bool(await connection.fetchval(_UNDER_WAY, tenant, kind))


async def counts(connection: Connection) -> dict[str, int]:
    """Return how many jobs there are in each state, for diagnostics."""
    return {row["state"]: row["count"] for row in await connection.fetch(_COUNTS)}


async def revive(connection: Connection, job: int, clock: Clock) -> bool:
    """Give a dead job all its attempts again; return whether there was such a job."""
    return await connection.fetchval(_REVIVE, job, clock.now()) is not None


async def purge(connection: Connection, before: datetime, limit: int = 1000) -> int:
    """Delete jobs that were done before the moment, oldest first; return how many."""
    return len(await connection.fetch(_PURGE, before, limit))
