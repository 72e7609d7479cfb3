"""How many requests an account makes in a minute, over all processes.

Each process counts on its own and folds its counts into a table once a second, so that no request
waits for the database; until then it knows of the others what they had a second ago.
"""

import asyncio
import time
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

WINDOW_SECONDS: Final = 60
_FOLD_SECONDS: Final = 1.0
_KEPT: Final = timedelta(minutes=10)

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
        self._window = 0
        self._swept = 0
        self._counts: dict[Who, _Count] = {}
        self._fold_due = 0.0
        self._folding: asyncio.Task[None] | None = None

    def count(self, principal: Principal) -> None:
        """Count a request. Raise ``TooManyRequests``."""
        if not self._most:
            return
        now = self._clock.now().timestamp()
        window = int(now) // WINDOW_SECONDS
        if window != self._window:
            self._window = window
            self._counts = {}
        who = principal.tenant, principal.account
        count = self._counts.get(who)
        if count is None:
            count = self._counts[who] = _Count()
        if count.folded + count.here >= self._most:
            raise TooManyRequests(int((window + 1) * WINDOW_SECONDS - now) + 1)
        count.here += 1
        if time.monotonic() >= self._fold_due and self._folding is None:
            self._fold_due = time.monotonic() + _FOLD_SECONDS
            self._folding = asyncio.create_task(self.fold())
            self._folding.add_done_callback(self._folded)

    async def fold(self) -> None:
        """Tell the table what was counted here, and learn what all have counted."""
        window, counts = self._window, self._counts
        told = {who: count.here for who, count in counts.items() if count.here}
        try:
            with translated():
                async with self._pool.acquire() as connection:
                    rows = await connection.fetch(
                        STATEMENTS["requests_fold"], _begin(window), *_columns(told)
                    )
                    if window > self._swept:
                        await connection.execute(
                            STATEMENTS["requests_sweep"], _begin(window) - _KEPT
                        )
                        self._swept = window
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


def _begin(window: int) -> datetime:
    return datetime.fromtimestamp(window * WINDOW_SECONDS, UTC)


def _columns(told: dict[Who, int]) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    return [who[0] for who in told], [who[1] for who in told], list(told.values())
