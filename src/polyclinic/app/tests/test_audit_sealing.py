"""The job that seals the audit record."""

from contextlib import asynccontextmanager
from typing import Any

import pytest

from polyclinic.app.audit import SEAL
from polyclinic.app.build import job_principal
from polyclinic.app.jobs import jobs_of
from polyclinic.kernel.errors import NotFound


class Run:
    """A run of a job that only has to end."""

    @asynccontextmanager
    async def completing(self):
        yield


async def test_the_job_seals_what_was_written(application):
    services = application._services
    kinds = {kind.name: kind for kind in jobs_of(services, ()).kinds}
    principal = job_principal(services, "test")
    with pytest.raises(NotFound):
        await services.store.read(principal, "Patient", "nobody")
    record = await services.store.audit_record(principal)
    before = await record.sealed_rows(services.tenant)

    run: Any = Run()
    await kinds[SEAL].handler(run)

    assert await record.sealed_rows(services.tenant) > before


def test_it_is_sealed_every_minute(application):
    schedules = {one.kind: one for one in jobs_of(application._services, ()).schedules}

    assert schedules[SEAL].every.total_seconds() == 60
