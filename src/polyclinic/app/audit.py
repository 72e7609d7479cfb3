"""`polyclinic audit`: is the record of who did what as it was written; and its sealing by a job."""

import sys
from argparse import ArgumentParser, Namespace
from datetime import timedelta
from pathlib import Path
from typing import Final

from polyclinic.app.build import job_principal
from polyclinic.app.progress import Progress
from polyclinic.base.jobs.run import JobKind, JobRun
from polyclinic.base.jobs.schedule import Schedule
from polyclinic.kernel.module import Command, Jobs, Services
from polyclinic.kernel.store.audit_checkpoint import (
    Checkpoint,
    NoCheckpoint,
    read_checkpoints,
    write_checkpoint,
)
from polyclinic.kernel.store.audit_verification import AuditVerification

SEAL: Final = "audit.seal"
_SEAL_EVERY: Final = timedelta(minutes=1)
_SHOWN: Final = 100
"""Faults that are printed one by one."""


def sealing(services: Services) -> Jobs:
    """Return the job that seals the audit record."""

    async def seal(run: JobRun) -> None:
        record = await services.store.audit_record(job_principal(services, SEAL))
        await record.seal(services.tenant)
        async with run.completing():
            pass

    tenant = services.tenant.number
    return Jobs(
        kinds=(JobKind(SEAL, seal),), schedules=(Schedule(SEAL, SEAL, _SEAL_EVERY, tenant),)
    )


def _arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = actions.add_parser(
        "verify", help="find what was changed, removed or added; exit code 1 when anything was"
    )
    verify.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="what audit checkpoint printed earlier"
    )
    actions.add_parser(
        "checkpoint", help="seal what is written so far and print what proves it later"
    )


async def _audit(services: Services, given: Namespace) -> int:
    if given.action == "checkpoint":
        return await _checkpoint(services)
    try:
        checkpoint = _kept(services, given.checkpoint) if given.checkpoint else None
    except NoCheckpoint as error:
        sys.stderr.write(f"polyclinic audit: {given.checkpoint}: {error}\n")
        return 1
    return await _verify(services, checkpoint)


async def _checkpoint(services: Services) -> int:
    record = await services.store.audit_record(job_principal(services, "audit"))
    await record.seal(services.tenant)
    checkpoint = await record.checkpoint(services.tenant)
    if checkpoint is None:
        sys.stderr.write("polyclinic audit: nothing is sealed yet\n")
        return 1
    sys.stdout.write(write_checkpoint(checkpoint) + "\n")
    return 0


async def _verify(services: Services, checkpoint: Checkpoint | None) -> int:
    record = await services.store.audit_record(job_principal(services, "audit"))
    walk = record.verification(services.tenant, checkpoint)
    total = await record.sealed_rows(services.tenant)
    faults = 0
    with Progress("Verifying") as progress:
        async for fault in walk.faults(lambda rows: progress.show(rows, f"of {total:,} rows")):
            faults += 1
            if faults <= _SHOWN:
                sys.stdout.write(f"{fault}\n")
    if faults > _SHOWN:
        sys.stdout.write(f"... and {faults - _SHOWN} more\n")
    sys.stdout.write(_summary(walk))
    return 1 if faults else 0


def _summary(walk: AuditVerification) -> str:
    return (
        f"{walk.rows} rows in {walk.segments} segments are as they were sealed, "
        f"{walk.unsealed} are not sealed yet\n"
    )


def _kept(services: Services, path: Path) -> Checkpoint:
    """Return this tenant's newest checkpoint in a file. Raise ``NoCheckpoint``."""
    number = services.tenant.number
    found = [one for one in read_checkpoints(path.read_bytes()) if one.tenant == number]
    if not found:
        message = f"the file holds no checkpoint of {services.tenant.name}"
        raise NoCheckpoint(message)
    return max(found, key=lambda one: one.segment)


AUDIT = Command(
    "audit",
    "verify the audit record, or print a checkpoint of it",
    "polyclinic audit verify --checkpoint kept-elsewhere.json",
    _audit,
    _arguments,
)
