"""The job that removes attachments that nothing uses."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from os import utime
from typing import Any

from polyclinic.app.build import job_principal
from polyclinic.app.jobs import SWEEP, jobs_of
from polyclinic.kernel.store.blobs import NewAttachment


class Run:
    """A run of a job that only has to end."""

    @asynccontextmanager
    async def completing(self):
        yield


async def once(content):
    yield content


async def test_the_job_removes_what_a_crash_has_left_and_keeps_the_rest(application):
    services = application._services
    kinds = {kind.name: kind for kind in jobs_of(services, ()).kinds}
    principal = job_principal(services, "test")
    await services.store.blobs.write(principal, once(b"kept"), NewAttachment("text/plain"))
    (kept,) = [path for path in (services.settings.data / "blobs").rglob("*") if path.is_file()]
    orphan = kept.parent / (kept.name[:2] + "f" * 30)
    orphan.write_bytes(b"nobody's")
    utime(orphan, (datetime(2026, 1, 1, tzinfo=UTC).timestamp(),) * 2)

    run: Any = Run()
    await kinds[SWEEP].handler(run)

    assert kept.is_file()
    assert not orphan.exists()


def test_it_sweeps_every_hour(application):
    schedules = {one.kind: one for one in jobs_of(application._services, ()).schedules}

    assert schedules[SWEEP].every.total_seconds() == 3600
