"""What runs in the background: the platform's own upkeep and the modules' jobs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from polyclinic.app.build import job_principal
from polyclinic.base.jobs.run import JobKind, JobRun
from polyclinic.base.jobs.schedule import Schedule
from polyclinic.base.jobs.worker import Pace, Worker
from polyclinic.kernel.module import Jobs, Module, Services

UPKEEP: Final = "store.upkeep"
_UPKEEP_EVERY: Final = timedelta(hours=1)


@asynccontextmanager
async def running(services: Services, modules: Sequence[Module]) -> AsyncIterator[None]:
    """Run jobs for the length of the block; with a concurrency of 0, none."""
    concurrency = services.settings.job_concurrency
    if concurrency == 0:
        yield
        return
    added = [_platform(services)]
    added += [module.jobs(services) for module in modules if module.jobs is not None]
    worker = Worker(
        services.pool,
        [kind for jobs in added for kind in jobs.kinds],
        services.clock,
        [schedule for jobs in added for schedule in jobs.schedules],
        Pace(concurrency=concurrency),
    )
    task = asyncio.create_task(worker.run(), name="jobs")
    try:
        yield
    finally:
        worker.stop()
        await task


def _platform(services: Services) -> Jobs:
    async def upkeep(run: JobRun) -> None:
        await services.store.upkeep(job_principal(services, UPKEEP))
        async with run.completing():
            pass

    tenant = services.tenant.number
    return Jobs(
        kinds=(JobKind(UPKEEP, upkeep),),
        schedules=(Schedule(UPKEEP, UPKEEP, _UPKEEP_EVERY, tenant),),
    )
