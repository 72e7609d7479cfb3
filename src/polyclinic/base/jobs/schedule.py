"""Periodic jobs: one for each period, however many workers look."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from polyclinic.base.clock import Clock
from polyclinic.base.db.connect import Connection
from polyclinic.base.jobs.queue import MAX_ATTEMPTS, NewJob, enqueue

_EPOCH: Final = datetime(2000, 1, 3, tzinfo=UTC)  # a Monday: weekly periods begin with the week
_KNOW: Final = """
    insert into job_schedule (tenant, name, next_at) values ($1, $2, $3) on conflict do nothing
"""
_ADVANCE: Final = """
    update job_schedule set next_at = $4
    where tenant = $1 and name = $2 and next_at <= $3 returning 1
"""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A job that comes again."""

    name: str
    """Unique in the tenant."""
    kind: str
    every: timedelta
    """The period; it begins at a whole multiple since Monday, 3 January 2000, UTC."""
    tenant: int
    payload: Mapping[str, Any] = field(default_factory=dict)
    max_attempts: int = MAX_ATTEMPTS

    def begin_after(self, moment: datetime) -> datetime:
        """Return the beginning of the first period after a moment."""
        return _EPOCH + ((moment - _EPOCH) // self.every + 1) * self.every


async def enqueue_due(connection: Connection, schedule: Schedule, clock: Clock) -> bool:
    """Put the schedule's job into the queue when its period has come; return whether it did.

    Periods that passed unseen make one job together. The first one comes with the next period.
    """
    now = clock.now()
    next_at = schedule.begin_after(now)
    async with connection.transaction():
        await connection.execute(_KNOW, schedule.tenant, schedule.name, next_at)
        is_due = await connection.fetchval(_ADVANCE, schedule.tenant, schedule.name, now, next_at)
        if is_due is None:
            return False
        job = NewJob(
            tenant=schedule.tenant,
            kind=schedule.kind,
            payload=schedule.payload,
            max_attempts=schedule.max_attempts,
        )
        await enqueue(connection, [job], clock)
    return True
