"""`polyclinic reindex`: make index rows anew; and the job that does so after an upgrade."""

import sys
from argparse import ArgumentParser, Namespace
from typing import Final

from polyclinic.app.build import job_principal
from polyclinic.app.progress import Progress
from polyclinic.base import log
from polyclinic.base.jobs.queue import NewJob, enqueue, is_under_way
from polyclinic.base.jobs.run import JobKind, JobRun
from polyclinic.kernel.module import Command, Services
from polyclinic.kernel.store.custom_search import REINDEX
from polyclinic.kernel.store.reindex import Reindexed
from polyclinic.kernel.store.row import INDEX_VERSION
from polyclinic.kernel.types import RESOURCE_TYPES

_DAY_SECONDS: Final = 86_400.0


def reindexing(services: Services) -> JobKind:
    """Return the job that makes the rows of everything that waits."""

    async def reindex(run: JobRun) -> None:
        reindexer = await services.store.reindexer(job_principal(services, REINDEX))
        _log(services.tenant.number, await reindexer.run(_unwatched))
        async with run.completing():
            pass

    return JobKind(REINDEX, reindex, timeout=_DAY_SECONDS)


async def enqueue_reindexing(services: Services) -> None:
    """Let the job run once for each kind of index rows.

    And again as long as a search parameter that the tenant defined is not complete.
    """
    tenant = services.tenant.number
    jobs = [NewJob(tenant, REINDEX, key=f"{REINDEX}/{INDEX_VERSION}")]
    reindexer = await services.store.reindexer(job_principal(services, REINDEX))
    async with services.pool.acquire() as connection:
        if await reindexer.is_incomplete() and not await is_under_way(connection, tenant, REINDEX):
            jobs.append(NewJob(tenant, REINDEX))
        await enqueue(connection, jobs, services.clock)


def _log(tenant: int, done: Reindexed) -> None:
    """Report a run: numbers, and the codes of parameters that fail on some resources."""
    log.event("reindex.done", tenant=tenant, done=done.done, unreadable=done.unreadable)
    for code, resources in done.failing.items():
        log.event("reindex.failing", tenant=tenant, code=code, resources=resources)


def _unwatched(_count: int) -> None:
    """Go on: ``polyclinic doctor`` says how many wait."""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--type",
        action="append",
        default=[],
        metavar="TYPE",
        choices=RESOURCE_TYPES,
        help="make all rows of this type anew, not only older ones; may be given again",
    )


async def _reindex(services: Services, given: Namespace) -> int:
    """Run; what cannot be read is told with exit code 1."""
    reindexer = await services.store.reindexer(job_principal(services, "reindex"))
    if given.type:
        await reindexer.mark(given.type)
    total = await reindexer.waiting()
    with Progress("Indexing") as progress:
        done = await reindexer.run(lambda count: progress.show(count, f"of {total:,}"))
    sys.stdout.write(f"{done.done} resources were indexed anew.\n")
    if done.unreadable:
        sys.stdout.write(f"{done.unreadable} could not be read; the log names them.\n")
    for code, resources in done.failing.items():
        sys.stdout.write(f"The expression of {code} failed on {resources} resources.\n")
    return 1 if done.unreadable else 0


REINDEX_COMMAND: Final = Command(
    "reindex",
    "make the rows that searches use anew, while servers run",
    "polyclinic reindex --type Observation",
    _reindex,
    _arguments,
)
