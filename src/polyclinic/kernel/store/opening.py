"""Open the store and, at the end, close it in order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from polyclinic.base.clock import Clock
from polyclinic.base.ids import Ids
from polyclinic.base.settings import Settings
from polyclinic.kernel.store.audit import make_audit_months
from polyclinic.kernel.store.blobs import Blobs, keeping
from polyclinic.kernel.store.connections import open_hot, open_searches
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.store import Store


@asynccontextmanager
async def open_store(
    url: str, settings: Settings, *, clock: Clock, ids: Ids
) -> AsyncIterator[Store]:
    """Open the store's connections, and close them afterwards.

    The audit table has its partitions of this month and the next two from then on.
    """
    hot = await open_hot(url, settings)
    searches = await open_searches(url, settings)
    try:
        await make_audit_months(hot, clock)
        worker = await hot.fetchval(STATEMENTS["worker_opened"], clock.now())
        store = Store(hot, searches, worker, clock, ids)
        store.claims.lifetime = timedelta(hours=settings.idempotency_hours)
        store.blobs = Blobs(hot, keeping(settings, clock), store.blob_seams, clock)
        try:
            async with store.following:
                yield store
        finally:
            await store.close_tenants()
    finally:
        await hot.close()
        await searches.close()
