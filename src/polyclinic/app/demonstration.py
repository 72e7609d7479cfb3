"""`polyclinic demo`: a population and accounts to try, on this machine."""

import fcntl
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console

from polyclinic.app.build import job_principal
from polyclinic.app.loading import load
from polyclinic.app.modules import MODULES
from polyclinic.app.population import populate
from polyclinic.app.progress import Progress
from polyclinic.base.db.database import Database
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.module import DEMO_ACCOUNT_SYSTEM, DemoAccount, Services
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import Change, Store
from polyclinic.kernel.types import parse

_ACCOUNTS: Final = {
    "doctor": ("Dr. Ada Okafor", "clinician"),
    "nurse": ("Nurse Jonas Weber", "nurse"),
    "frontdesk": ("Mei Tanaka, front desk", "frontdesk"),
    "administrator": ("Sam Rivera, administrator", "administrator"),
    "patient": ("A patient", "patient"),
}
_POPULATION: Final = sha256(b"population of the demonstration").digest()
"""Under it the store notes that the population is being loaded, as it does for files."""
_FILE: Final = "demo-accounts.json"
_PART: Final = 400
_SEED: Final = 1
_encode = msgspec.json.Encoder().encode


class AlreadyRunning(Exception):
    """Another demo runs in the same folder."""


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold the demo's folder. Raise ``AlreadyRunning`` when another demo holds it."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / "demo.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = (
                f"a demo is running in {settings.data} already; stop it, or set POLYCLINIC_DATA"
            )
            raise AlreadyRunning(message) from None
        yield


async def prepare(opened: Services, population: Path | None, size: int) -> None:
    """Load a first population when the store is empty, and make the accounts.

    A population that was interrupted is completed.
    """
    principal = job_principal(opened, "demo")
    progress = opened.store.progress(principal)
    if await opened.store.is_empty(principal) or await progress.lines(_POPULATION):
        await progress.note(_POPULATION, 1, finished=False)
        if population is not None:
            await _load(opened, principal, population)
        else:
            await _generate(opened, principal, size)
        await progress.note(_POPULATION, 1, finished=True)
    await _make_accounts(opened, principal)


def announce(settings: Settings, database: Database) -> None:
    """Print the address and the accounts."""
    console = Console()
    accounts: dict[str, str] = json.loads((settings.data / _FILE).read_text())
    console.print(f"\n[bold]Polyclinic[/bold] is at http://{settings.host}:{settings.port}\n")
    for name, password in accounts.items():
        console.print(f"  {name:14} {password}", highlight=False)
    console.print("\nThe people and records are made up. Stop with Ctrl-C.")
    if database.is_embedded:
        console.print(
            "The database is the embedded one, for one machine. For anything else set "
            "POLYCLINIC_DATABASE_URL and POLYCLINIC_MIGRATE_URL to a PostgreSQL of your own "
            "(docs/howto/external-database.md).",
            style="yellow",
        )


async def _load(opened: Services, principal: Principal, folder: Path) -> None:
    with Progress("Loading records") as progress:
        await load(
            opened.store,
            principal,
            [folder],
            lambda path, report: progress.show(report.seen, path.name),
        )


async def _generate(opened: Services, principal: Principal, size: int) -> None:
    today = opened.clock.now().date()
    count = 0
    part: list[dict[str, Any]] = []
    with Progress("Making records") as progress:
        for resource in populate(MODULES, _SEED, size, today):
            part.append(resource)
            if len(part) >= _PART:
                count += await _store(opened.store, principal, part)
                progress.show(count, "population")
                part = []
        await _store(opened.store, principal, part)


async def _store(store: Store, principal: Principal, part: list[dict[str, Any]]) -> int:
    resources = [parse(_encode(resource)) for resource in part]
    await store.write_all(
        principal, [Change(resource.type, resource.id, resource) for resource in resources]
    )
    return len(part)


async def _make_accounts(opened: Services, principal: Principal) -> None:
    """Make the accounts that are missing; passwords are kept where only their owner reads.

    An account whose password nobody knows any more gets a new one.
    """
    path = opened.settings.data / _FILE
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    accounts = []
    for name, (display, role) in _ACCOUNTS.items():
        is_new = name not in kept
        password = kept.setdefault(name, secrets.token_urlsafe(9))
        patient = await _patient(opened.store, principal, name) if role == "patient" else None
        practitioner = await _find(opened.store, principal, "Practitioner", name)
        accounts.append(DemoAccount(name, display, role, password, patient, is_new, practitioner))
    for module in MODULES:
        if module.demo_accounts is not None:
            await module.demo_accounts(opened, accounts)
    _keep(path, kept)


async def _patient(store: Store, principal: Principal, account: str) -> str | None:
    """Return the Patient of an account; in a population that names none, the first."""
    named = await _find(store, principal, "Patient", account)
    return named or await _first(store, principal, "Patient", ("_sort", "_lastUpdated"))


async def _find(store: Store, principal: Principal, resource_type: str, account: str) -> str | None:
    """Return the id of the person whom the population gave to an account."""
    identifier = ("identifier", f"{DEMO_ACCOUNT_SYSTEM}|{account}")
    return await _first(store, principal, resource_type, identifier)


async def _first(
    store: Store, principal: Principal, resource_type: str, asked: tuple[str, str]
) -> str | None:
    query, _ = parse_query(resource_type, [asked, ("_count", "1")], "")
    page = await store.search(principal, query)
    return page.entries[0].id if page.entries else None


def _keep(path: Path, passwords: dict[str, str]) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(passwords, indent=2) + "\n")
