"""What each command does."""

import argparse
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Final, TypeVar

from rich.console import Console
from rich.table import Table

from polyclinic.app import demonstration, server
from polyclinic.app.build import Platform, job_principal, migrations, platform, services
from polyclinic.app.doctor import examine
from polyclinic.app.exporting import NotEmpty, NotWhole
from polyclinic.app.exporting import export as export_to
from polyclinic.app.loading import Report
from polyclinic.app.loading import load as load_from
from polyclinic.app.modules import MODULES
from polyclinic.app.process import calm_collector
from polyclinic.app.process import run as run_to_end
from polyclinic.app.progress import Progress
from polyclinic.app.source import Unreadable
from polyclinic.base.clock import SystemClock
from polyclinic.base.config import read
from polyclinic.base.db.connect import connected
from polyclinic.base.db.database import Database, open_database
from polyclinic.base.db.errors import DatabaseMisconfigured
from polyclinic.base.db.migrate import migrate as run_migrations
from polyclinic.base.db.migrate import pending
from polyclinic.base.settings import Settings
from polyclinic.kernel.errors import Unavailable
from polyclinic.kernel.module import Command, Services
from polyclinic.kernel.store import DEFAULT

Result = TypeVar("Result")

_SHOWN: Final = 50
_DOCTOR_COLUMNS: Final = 4


class Refusal(Exception):
    """A command cannot do what it was asked; the text is one line."""


def serve(given: argparse.Namespace) -> int:
    """Serve until told to stop."""
    settings = settings_of(given)
    with closing(server.listen(settings)) as listening, open_database(settings) as database:
        run_to_end(ensure_migrated(database))
        run_to_end(_opened(settings, database, _nothing))
        sys.stdout.write(f"Polyclinic is at {_address(settings)}\n")
        sys.stdout.flush()
        return server.run(settings, listening)


def migrate(given: argparse.Namespace) -> int:
    """Bring the database to this version."""
    with open_database(settings_of(given)) as database:
        names = run_to_end(_migrate(database))
    for name in names:
        sys.stdout.write(f"{name}\n")
    if not names:
        sys.stdout.write("nothing to do\n")
    return 0


def load(given: argparse.Namespace) -> int:
    """Store what files hold; exit code 1 when anything was refused."""

    async def run(opened: Services) -> Report:
        with Progress("Loading") as progress:
            try:
                return await load_from(
                    opened.store,
                    job_principal(opened, "load"),
                    given.paths,
                    lambda path, report: progress.show(report.seen, path.name),
                )
            except Unreadable as error:
                raise Refusal(str(error)) from None

    report = _with_services(given, run)
    _show(report)
    return 1 if report.refused_count else 0


def export(given: argparse.Namespace) -> int:
    """Write every resource as NDJSON."""

    async def run(opened: Services) -> int:
        with Progress("Exporting") as progress:
            return await export_to(
                opened.store,
                job_principal(opened, "export"),
                given.directory,
                lambda resource_type, count: progress.show(count, resource_type),
            )

    try:
        count = _with_services(given, run)
    except NotEmpty:
        message = f"{given.directory} is not empty; name a new directory"
        raise Refusal(message) from None
    except NotWhole as error:
        message = f"all is exported but what cannot be opened: {error}"
        raise Refusal(message) from None
    sys.stdout.write(f"{count} resources\n")
    return 0


def demo(given: argparse.Namespace) -> int:
    """Serve a population, with accounts to try."""
    settings = settings_of(given)
    with (
        demonstration.alone(settings),
        closing(server.listen(settings)) as listening,
        open_database(settings) as database,
    ):
        run_to_end(ensure_migrated(database))

        async def prepare(opened: Services) -> None:
            await demonstration.prepare(opened, given.population, given.size)

        run_to_end(_opened(settings, database, prepare))
        demonstration.announce(settings, database)
        return server.run(settings, listening)


def tenant(given: argparse.Namespace) -> int:
    """Make an organization, say where it is reached, or list all of them."""

    async def run(opened: Platform) -> None:
        directory = opened.store.directory
        if given.action == "add":
            await opened.make_tenant(given.name, given.host)
        elif given.action == "hosts":
            await directory.set_hosts(given.name, given.hosts)
        else:
            for one in await directory.all():
                sys.stdout.write(f"{one.name}\t{' '.join(one.hosts)}\n")

    settings = settings_of(given)
    with open_database(settings) as database:
        run_to_end(ensure_migrated(database))
        run_to_end(_on_platform(settings, database, run))
    return 0


def doctor(given: argparse.Namespace) -> int:
    """Say what is wrong and what to do; exit code 1 when something fails."""
    findings = run_to_end(examine(settings_of(given)))
    table = Table(show_header=False, box=None)
    for _ in range(_DOCTOR_COLUMNS):
        table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(finding.state, finding.subject, finding.message, finding.remedy or "")
    Console().print(table)
    return 1 if any(finding.state == "fail" for finding in findings) else 0


def of_module(command: Command) -> Callable[[argparse.Namespace], int]:
    """Return the runner of a module's command."""

    def run(given: argparse.Namespace) -> int:
        async def inner(opened: Services) -> int:
            return await command.run(opened, given)

        return _with_services(given, inner)

    return run


def settings_of(given: argparse.Namespace) -> Settings:
    """Read the settings; what the command line says goes before the environment."""
    settings = read(Settings)
    named = {
        name: value
        for name in ("data", "host", "port", "workers")
        if (value := getattr(given, name, None)) is not None
    }
    if getattr(given, "no_jobs", False):
        named["job_concurrency"] = 0
    settings = replace(settings, **named)
    return replace(settings, data=settings.data.resolve())


def _address(settings: Settings) -> str:
    return settings.public_url or f"http://{settings.host}:{settings.port}"


async def _nothing(_opened: Services) -> None:
    """Find out, before any server process starts, whether everything can be opened."""


async def ensure_migrated(database: Database) -> None:
    """Migrate, or raise ``DatabaseMisconfigured`` when migrations wait that we may not run."""
    if database.owner_dsn is not None:
        await _migrate(database)
        return
    async with connected(database.app_dsn) as connection:
        waiting = await pending(connection, migrations(MODULES))
    if waiting:
        raise DatabaseMisconfigured(
            what=f"the database is not migrated ({len(waiting)} migrations wait)",
            remedy="Run polyclinic migrate with POLYCLINIC_MIGRATE_URL, here or elsewhere",
        )


async def _migrate(database: Database) -> list[str]:
    return await run_migrations(database, migrations(MODULES), SystemClock())


def _with_services(
    given: argparse.Namespace, run: Callable[[Services], Awaitable[Result]]
) -> Result:
    settings = settings_of(given)
    with open_database(settings) as database:
        run_to_end(ensure_migrated(database))
        return run_to_end(_opened(settings, database, run, given.tenant))


async def _opened(
    settings: Settings,
    database: Database,
    run: Callable[[Services], Awaitable[Result]],
    tenant: str = DEFAULT,
) -> Result:
    with while_reachable():
        async with services(settings, database, MODULES, tenant=tenant) as opened:
            calm_collector()
            return await run(opened)


async def _on_platform(
    settings: Settings, database: Database, run: Callable[[Platform], Awaitable[Result]]
) -> Result:
    with while_reachable():
        async with platform(settings, database, MODULES) as opened:
            return await run(opened)


@contextmanager
def while_reachable() -> Iterator[None]:
    """Turn the loss of the database into one line."""
    try:
        yield
    except Unavailable:
        message = "the database went away; look whether it runs, and start the command again"
        raise Refusal(message) from None


def _show(report: Report) -> None:
    sys.stdout.write(
        f"{report.created} created, {report.updated} updated, {report.unchanged} unchanged, "
        f"{report.refused_count} refused\n"
    )
    for refused in report.refused[:_SHOWN]:
        place = f" {refused.expression}:" if refused.expression else ""
        sys.stdout.write(f"{refused.file}:{refused.line}:{place} {refused.reason}\n")
    if len(report.refused) > _SHOWN:
        sys.stdout.write(f"... and {report.refused_count - _SHOWN} more\n")
