"""How many requests an account makes in a minute, over all processes.

Each process counts on its own and folds its counts into a table once a second, so that no request
waits for the database; until then it knows of the others what they had a second ago.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from polyclinic.base import log
from polyclinic.base.clock import Clock
from polyclinic.base.db.pool import Pool
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import FhirError, Unavailable
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.queries import STATEMENTS

_WINDOW: Final = timedelta(minutes=1)
_FOLD_EVERY: Final = timedelta(seconds=1)
_KEPT: Final = timedelta(minutes=10)
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)

Who = tuple[int, int]
"""Tenant and account."""


class TooManyRequests(FhirError):
    """Your account has made too many requests in this minute; go on in the next one."""

    status = 429
    code = "throttled"

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.retry_after = seconds


class _Count:
    """The requests of one account in this window."""

    __slots__ = ("folded", "here")

    def __init__(self) -> None:
        self.folded = 0
        """What the table has, ours included."""
        self.here = 0
        """What we have not told the table yet."""


class Rates:
    """Count the requests of accounts."""

    def __init__(self, pool: Pool, clock: Clock, most: int) -> None:
        """``most``: requests of one account in a minute; 0: any number."""
        self._pool = pool
        self._clock = clock
        self._most = most
        self._begin = self._end = self._swept = self._fold_due = _LONG_AGO
        """The window that is counted, the last one at whose beginning old ones were removed."""
        self._counts: dict[Who, _Count] = {}
        self._folding: asyncio.Task[None] | None = None

    def count(self, principal: Principal) -> None:
        """Count a request. Raise ``TooManyRequests``."""
        if not self._most:
            return
        now = self._clock.now()
        if now >= self._end:
            self._begin = now.replace(second=0, microsecond=0)
            self._end = self._begin + _WINDOW
            self._counts = {}
        who = principal.tenant, principal.account
        count = self._counts.get(who)
        if count is None:
            count = self._counts[who] = _Count()
        if count.folded + count.here >= self._most:
            raise TooManyRequests(int((self._end - now).total_seconds()) + 1)
        count.here += 1
        if now >= self._fold_due and self._folding is None:
            self._fold_due = now + _FOLD_EVERY
            self._folding = asyncio.create_task(self.fold())
            self._folding.add_done_callback(self._folded)

    async def fold(self) -> None:
        """Tell the table what was counted here, and learn what all have counted."""
        begin, counts = self._begin, self._counts
        told = {who: count.here for who, count in counts.items() if count.here}
        try:
            with translated():
                async with self._pool.acquire() as connection:
                    rows = await connection.fetch(
                        STATEMENTS["requests_fold"], begin, *_columns(told)
                    )
                    if begin > self._swept:
                        await connection.execute(STATEMENTS["requests_sweep"], begin - _KEPT)
                        self._swept = begin
        except Unavailable as error:
            log.failure("requests.not_folded", error)
            return
        for tenant, account, requests in rows:
            count = counts[tenant, account]
            count.folded = requests
            count.here -= told[tenant, account]

    async def stop(self) -> None:
        """Wait until what is being told is told."""
        if self._folding is not None:
            await asyncio.wait([self._folding])

    def _folded(self, done: "asyncio.Task[None]") -> None:
        self._folding = None
        if not done.cancelled() and (error := done.exception()) is not None:
            log.failure("requests.not_folded", error)


def _columns(told: dict[Who, int]) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    return [who[0] for who in told], [who[1] for who in told], list(told.values())
