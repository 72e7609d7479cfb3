"""What this module adds."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from polyclinic.base.jobs.run import JobKind, JobRun
from polyclinic.base.jobs.schedule import Schedule
from polyclinic.base.settings import Settings
from polyclinic.kernel.module import Authenticator, DemoAccount, Jobs, Module, Services
from polyclinic.modules.identity.commands import COMMANDS
from polyclinic.modules.identity.model import NewAccount
from polyclinic.modules.identity.passwords import Passwords
from polyclinic.modules.identity.repository import Accounts
from polyclinic.modules.identity.routes import ROUTES
from polyclinic.modules.identity.service import Identity
from polyclinic.modules.identity.settings import IdentitySettings

_SWEEP: Final = "identity.sweep"


@asynccontextmanager
async def _share(_settings: Settings) -> AsyncIterator[object]:
    passwords = Passwords()
    try:
        yield passwords
    finally:
        passwords.close()


@asynccontextmanager
async def _open(services: Services) -> AsyncIterator[object]:
    yield Identity(
        Accounts(services.pool, services.tenant.number),
        services.part(Passwords),
        services.clock,
        services.part(IdentitySettings),
    )


def _authenticator(services: Services) -> Authenticator:
    return services.part(Identity).authenticate


async def _demo_accounts(services: Services, accounts: Sequence[DemoAccount]) -> None:
    identity = services.part(Identity)
    for given in accounts:
        if given.is_new or not await identity.has_account(given.name):
            new = NewAccount(
                given.name, given.display, frozenset({given.role}), None, given.patient
            )
            await identity.put_account(new, given.password)
            if given.practitioner:
                await identity.link(given.name, given.practitioner, [])


def _jobs(services: Services) -> Jobs:
    async def sweep(run: JobRun) -> None:
        await services.part(Identity).sweep()
        async with run.completing():
            pass

    tenant = services.tenant.number
    return Jobs(
        kinds=(JobKind(_SWEEP, sweep),),
        schedules=(Schedule(_SWEEP, _SWEEP, timedelta(hours=1), tenant),),
    )


MODULE = Module(
    name="identity",
    summary="Signs people and clients in: accounts, sessions, tokens.",
    routes=ROUTES,
    commands=COMMANDS,
    settings=IdentitySettings,
    share=_share,
    open=_open,
    jobs=_jobs,
    authenticator=_authenticator,
    demo_accounts=_demo_accounts,
    has_migrations=True,
)
