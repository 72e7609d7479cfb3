"""`polyclinic keys`: the state of the keys, their rotation, erasure, export and import."""

import argparse
import sys
from pathlib import Path
from typing import Final

from polyclinic.app.build import job_principal, services
from polyclinic.app.commands import Refusal, ensure_migrated, settings_of, while_reachable
from polyclinic.app.modules import MODULES
from polyclinic.app.process import run as run_to_end
from polyclinic.base.clock import SystemClock
from polyclinic.base.db.connect import Connection, connected
from polyclinic.base.db.database import Database, open_database
from polyclinic.base.keys import KeyFile, key_file, write_whole
from polyclinic.base.settings import Settings
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.store.erasure import Eraser, Removed, tenant_names
from polyclinic.kernel.store.key_export import export_keys, import_keys
from polyclinic.kernel.store.rotation import alone, rotate, status

EXPORT: Final = "data-keys.json"
"""What a rotation writes beside the key file."""


def keys(given: argparse.Namespace) -> int:
    """Do what is asked with the keys."""
    settings = settings_of(given)
    with open_database(settings) as database:
        run_to_end(ensure_migrated(database))
        run_to_end(_run(settings, database, given))
    return 0


async def _run(settings: Settings, database: Database, given: argparse.Namespace) -> None:
    if given.action == "status":
        async with connected(database.app_dsn) as connection:
            await _status(connection, key_file(settings))
        return
    with while_reachable():
        async with connected(database.require_owner(), "polyclinic keys") as owner, alone(owner):
            match given.action:
                case "rotate":
                    await _rotate(owner, key_file(settings))
                case "erase":
                    await _erase(settings, database, owner, given)
                case "export":
                    write_whole(given.file, await export_keys(owner))
                case _:
                    await _import(settings, database, owner, given.file)


async def _status(connection: Connection, file: KeyFile) -> None:
    found = await status(connection)
    held = [key.name for key in await file.read()] if file.path.exists() else []
    current = found.current or next(iter(held), None)
    for name in dict.fromkeys([*([current] if current else []), *held, *found.wrapped]):
        words = "current" if name == current else "older"
        where = "in the key file" if name in held else "NOT in the key file"
        sys.stdout.write(f"{name}\t{found.wrapped.get(name, 0)} keys\t{words}, {where}\n")
    sys.stdout.write(f"erased\t{found.destroyed} keys\n")


async def _rotate(owner: Connection, file: KeyFile) -> None:
    done = await rotate(owner, file, SystemClock())
    path = file.path.with_name(EXPORT)
    write_whole(path, await export_keys(owner))
    sys.stdout.write(
        f"{done.keys} keys are wrapped under {done.kek} from now on. Back up {file.path}, and "
        f"{path}, without which older backups of the database cannot be opened any more.\n"
    )


async def _erase(
    settings: Settings, database: Database, owner: Connection, given: argparse.Namespace
) -> None:
    if not given.yes:
        message = f"what is erased cannot be brought back; to erase {given.patient} add --yes"
        raise Refusal(message)
    async with services(settings, database, MODULES, tenant=given.tenant) as opened:
        eraser = Eraser(opened.store, owner, opened.tenant, opened.clock)
        try:
            done = await eraser.erase(job_principal(opened, "erase"), given.patient)
        except NotFound:
            message = f"there is no Patient/{given.patient}"
            raise Refusal(message) from None
    _tell(done)
    await _rotate(owner, key_file(settings))
    sys.stdout.write("Destroy every copy of the key file from before: it opens older backups.\n")


async def _import(settings: Settings, database: Database, owner: Connection, path: Path) -> None:
    done = await import_keys(owner, key_file(settings), _content(path), SystemClock())
    sys.stdout.write(f"{done.wrapped} keys are as the file has them.\n")
    names = await tenant_names(owner)
    for tenant, rid in done.destroyed:
        async with services(settings, database, MODULES, tenant=names[tenant]) as opened:
            eraser = Eraser(opened.store, owner, opened.tenant, opened.clock)
            swept = await eraser.sweep_rid(job_principal(opened, "erase"), rid)
        _tell(swept)


def _content(path: Path) -> bytes:
    return path.read_bytes()


def _tell(done: Removed) -> None:
    sys.stdout.write(
        f"Erased: {done.deleted} resources, {done.versions} versions; {done.rewritten} versions of "
        "what belongs to others too name the patient no more.\n"
    )


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add what can be done with keys."""
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, words, example in (
        ("status", "say how many keys are wrapped under which", "polyclinic keys status"),
        ("rotate", "wrap every key under a new one, while servers run", "polyclinic keys rotate"),
        ("erase", "destroy a patient's key for good", "polyclinic keys erase p1 --yes"),
        ("export", "write the wrapped keys", "polyclinic keys export data-keys.json"),
        ("import", "let keys be as a file has them", "polyclinic keys import data-keys.json"),
    ):
        added = actions.add_parser(
            name, help=words, description=words, epilog=f"example: {example}"
        )
        if name == "erase":
            added.add_argument("patient", metavar="ID", help="the id of the Patient")
            added.add_argument("--yes", action="store_true", help="it cannot be undone")
            added.add_argument(
                "--tenant", default="default", metavar="NAME", help="the organization"
            )
        elif name in {"export", "import"}:
            added.add_argument("file", type=Path, metavar="FILE")
