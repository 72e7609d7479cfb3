"""What runs in the background: the platform's own upkeep and the modules' jobs, for each tenant."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from typing_extensions import override

from polyclinic.app.audit import sealing
from polyclinic.app.build import Platform, job_principal
from polyclinic.app.reindex import enqueue_reindexing, reindexing
from polyclinic.app.tenants import Tenants
from polyclinic.base import log
from polyclinic.base.jobs.run import JobKind, JobRun
from polyclinic.base.jobs.schedule import Schedule
from polyclinic.base.jobs.worker import Pace, Worker
from polyclinic.kernel.module import Jobs, Module, Services

UPKEEP: Final = "store.upkeep"
SWEEP: Final = "store.sweep"
_SWEEP_SECONDS: Final = 3600.0
_UPKEEP_EVERY: Final = timedelta(hours=1)


@asynccontextmanager
async def running(
    platform: Platform, tenants: Tenants[object], default: Services
) -> AsyncIterator[None]:
    """Run jobs for the length of the block; with a concurrency of 0, none."""
    if platform.settings.job_concurrency == 0:
        yield
        return
    worker = make_worker(platform, tenants, default)
    task = asyncio.create_task(worker.run(), name="jobs")
    try:
        yield
    finally:
        worker.stop()
        await task


def make_worker(platform: Platform, tenants: Tenants[object], default: Services) -> Worker:
    """Return the worker of every tenant's jobs; what kinds there are, any tenant tells."""
    jobs = jobs_of(default, platform.modules)
    return Worker(
        platform.pool,
        [_of_its_tenant(kind, tenants, platform.modules) for kind in jobs.kinds],
        platform.clock,
        _OfEveryTenant(jobs.schedules, lambda: [one.number for one in tenants.addresses.listed]),
        Pace(concurrency=platform.settings.job_concurrency),
    )


def jobs_of(services: Services, modules: Sequence[Module]) -> Jobs:
    """Return everything that is done later for one tenant."""
    added = [_platform(services), sealing(services)]
    added += [module.jobs(services) for module in modules if module.jobs is not None]
    return Jobs(
        tuple(kind for jobs in added for kind in jobs.kinds),
        tuple(schedule for jobs in added for schedule in jobs.schedules),
    )


def _of_its_tenant(kind: JobKind, tenants: Tenants[object], modules: Sequence[Module]) -> JobKind:
    """Return a kind whose handler is that of the tenant whose job it is."""

    async def handle(run: JobRun) -> None:
        async with tenants.lend(run.tenant) as opened:
            kinds = {one.name: one for one in jobs_of(opened.services, modules).kinds}
            await kinds[kind.name].handler(run)

    return replace(kind, handler=handle)


@dataclass(frozen=True, slots=True)
class _OfEveryTenant(Iterable[Schedule]):
    """One tenant's schedules, for each tenant that there is at the time of looking."""

    schedules: Sequence[Schedule]
    tenants: Callable[[], Iterable[int]]

    @override
    def __iter__(self) -> Iterator[Schedule]:
        """Return each schedule of each tenant."""
        for tenant in self.tenants():
            for schedule in self.schedules:
                yield replace(schedule, tenant=tenant)


def _platform(services: Services) -> Jobs:
    async def upkeep(run: JobRun) -> None:
        await services.store.upkeep(job_principal(services, UPKEEP))
        await services.store.claims.sweep(services.tenant.number)
        await enqueue_reindexing(services)
        async with run.completing():
            pass

    async def sweep(run: JobRun) -> None:
        swept = await services.store.blobs.sweep(job_principal(services, SWEEP))
        log.event("attachments.swept", **swept._asdict())
        async with run.completing():
            pass

    tenant = services.tenant.number
    return Jobs(
        kinds=(
            JobKind(UPKEEP, upkeep),
            JobKind(SWEEP, sweep, timeout=_SWEEP_SECONDS),
            reindexing(services),
        ),
        schedules=(
            Schedule(UPKEEP, UPKEEP, _UPKEEP_EVERY, tenant),
            Schedule(SWEEP, SWEEP, _UPKEEP_EVERY, tenant),
        ),
    )
