"""Put the platform together: database, store, modules, and the services of each tenant."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from polyclinic.base.clock import Clock, SystemClock
from polyclinic.base.config import read
from polyclinic.base.db.database import Database
from polyclinic.base.db.migrate import Migration, find_migrations
from polyclinic.base.db.pool import Pool, create_pool
from polyclinic.base.egress import http_client
from polyclinic.base.ids import Ids, TimeOrderedIds
from polyclinic.base.keys import KeyRing, key_file
from polyclinic.base.outbound import HttpClient
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.module import Module, Services
from polyclinic.kernel.store import DEFAULT, NotListed, Rates, Store, open_store


def migrations(modules: Sequence[Module]) -> list[Migration]:
    """Return every migration: the queue's and the store's first, then each module's."""
    packages = [f"polyclinic.modules.{module.name}" for module in modules if module.has_migrations]
    return find_migrations(["polyclinic.base.jobs", "polyclinic.kernel.store", *packages])


@dataclass(frozen=True, slots=True)
class Platform:
    """What a process has for all tenants."""

    modules: Sequence[Module]
    store: Store
    pool: Pool
    clock: Clock
    ids: Ids
    settings: Settings
    http: HttpClient
    rates: Rates
    kek: KeyRing
    shared: dict[type, object]
    """What modules share among tenants, and their settings, by class."""

    async def make_tenant(self, name: str, hosts: Sequence[str]) -> None:
        """Make a tenant and its keys. Raise ``NotListed`` when there can be none of that name."""
        await self.store.directory.add(name, hosts)
        await self.store.close_tenant(await self.store.open_tenant(name, self.kek))

    async def require_tenant(self, name: str) -> None:
        """Check that there is a tenant. Raise ``NotListed``."""
        if all(one.name != name for one in await self.store.directory.all()):
            message = f"there is no tenant {name}; make it with: polyclinic tenant add {name}"
            raise NotListed(message)

    @asynccontextmanager
    async def services(self, name: str) -> AsyncIterator[Services]:
        """Open everything that one tenant's requests and jobs work with, and close it afterwards.

        Raise ``KeyLost`` when its keys were wrapped under another key file.
        """
        tenant = await self.store.open_tenant(name, self.kek)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.store.close_tenant, tenant)
            parts = dict(self.shared)
            opened = Services(
                self.store,
                tenant,
                self.pool,
                self.clock,
                self.ids,
                self.settings,
                self.http,
                parts,
            )
            for module in self.modules:
                if module.open is not None:
                    part = await stack.enter_async_context(module.open(opened))
                    parts[type(part)] = part
            yield opened


@asynccontextmanager
async def platform(
    settings: Settings,
    database: Database,
    modules: Sequence[Module],
    clock: Clock | None = None,
) -> AsyncIterator[Platform]:
    """Open everything that a process works with, and close it afterwards."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        pool = await create_pool(database.app_dsn, settings, "polyclinic modules")
        stack.push_async_callback(pool.close)
        ids = TimeOrderedIds(clock)
        store = await stack.enter_async_context(
            open_store(database.app_dsn, settings, clock=clock, ids=ids)
        )
        kek = await key_ring(settings, is_new=not await store.directory.has_keys())
        # From here on there is a default tenant, and its keys open with this file.
        await store.close_tenant(await store.open_tenant(DEFAULT, kek))
        shared: dict[type, object] = {}
        http = http_client(settings)
        rates = Rates(pool, clock, settings.rate_limit)
        stack.push_async_callback(rates.stop)
        for module in modules:
            if module.settings is not None:
                shared[module.settings] = read(module.settings)
            if module.share is not None:
                part = await stack.enter_async_context(module.share(settings))
                shared[type(part)] = part
        yield Platform(modules, store, pool, clock, ids, settings, http, rates, kek, shared)


@asynccontextmanager
async def services(
    settings: Settings,
    database: Database,
    modules: Sequence[Module],
    clock: Clock | None = None,
    tenant: str = DEFAULT,
) -> AsyncIterator[Services]:
    """Open a platform and one tenant of it. Raise ``NotListed``; the default one is made."""
    async with platform(settings, database, modules, clock) as opened:
        if tenant != DEFAULT:
            await opened.require_tenant(tenant)
        async with opened.services(tenant) as lent:
            yield lent


async def key_ring(settings: Settings, *, is_new: bool) -> KeyRing:
    """Return the installation's key-encryption keys; a new installation's are made."""
    file = key_file(settings)
    return KeyRing(await file.read(is_new=is_new), file)


def job_principal(services: Services, name: str) -> Principal:
    """Return what a command or a job acts as: no bypass, a role of its own."""
    return Principal(
        name=f"job:{name}",
        tenant=services.tenant.number,
        account=0,
        roles=frozenset({"job"}),
        display=name,
    )
