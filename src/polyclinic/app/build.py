"""Put the platform together: database, store, modules."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from polyclinic.base.clock import Clock, SystemClock
from polyclinic.base.config import read
from polyclinic.base.crypto import key_encryption_key
from polyclinic.base.db.database import Database
from polyclinic.base.db.migrate import Migration, find_migrations
from polyclinic.base.db.pool import create_pool
from polyclinic.base.egress import http_client
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.module import Module, Services
from polyclinic.kernel.store import DEFAULT, open_store

KEY_FILE: Final = "keys/key-encryption-key"


def migrations(modules: Sequence[Module]) -> list[Migration]:
    """Return every migration: the queue's and the store's first, then each module's."""
    packages = [f"polyclinic.modules.{module.name}" for module in modules if module.has_migrations]
    return find_migrations(["polyclinic.base.jobs", "polyclinic.kernel.store", *packages])


@asynccontextmanager
async def services(
    settings: Settings,
    database: Database,
    modules: Sequence[Module],
    clock: Clock | None = None,
) -> AsyncIterator[Services]:
    """Open everything that a server or a command works with, and close it afterwards."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        pool = await create_pool(database.app_dsn, settings, "polyclinic modules")
        stack.push_async_callback(pool.close)
        ids = TimeOrderedIds(clock)
        store = await stack.enter_async_context(
            open_store(database.app_dsn, settings, clock=clock, ids=ids)
        )
        key_file = settings.key_file or settings.data / KEY_FILE
        kek = key_encryption_key(key_file, is_new=not await store.has_keys())
        tenant = await store.open_tenant(DEFAULT, kek)
        opened = Services(store, tenant, pool, clock, ids, settings, http_client(settings))
        for module in modules:
            if module.settings is not None:
                opened.parts[module.settings] = read(module.settings)
        for module in modules:
            if module.open is not None:
                part = await stack.enter_async_context(module.open(opened))
                opened.parts[type(part)] = part
        yield opened


def job_principal(services: Services, name: str) -> Principal:
    """Return what a command or a job acts as: no bypass, a role of its own."""
    return Principal(
        name=f"job:{name}",
        tenant=services.tenant.number,
        account=0,
        roles=frozenset({"job"}),
        display=name,
    )
