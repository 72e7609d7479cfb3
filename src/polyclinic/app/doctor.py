"""Look at an installation and say what is wrong and what to do about it."""

import asyncio
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal

from polyclinic.app.build import migrations
from polyclinic.app.modules import MODULES
from polyclinic.base import config
from polyclinic.base.clock import Clock, SystemClock
from polyclinic.base.db.connect import connected
from polyclinic.base.db.database import Database, open_database
from polyclinic.base.db.embedded.place import is_started_before
from polyclinic.base.db.errors import DatabaseError
from polyclinic.base.db.migrate import pending
from polyclinic.base.db.version import NEWEST_KNOWN_MINOR, ServerVersion
from polyclinic.base.settings import Settings
from polyclinic.kernel.store.consumers import Lag, lag
from polyclinic.kernel.store.reindex import Failing, Waiting, failing, waiting

State = Literal["ok", "warn", "fail"]

_OLDEST_PYTHON: Final = (3, 11)
_GIGABYTE: Final = 1024**3
_SCARCE_BYTES: Final = 5 * _GIGABYTE
_TOO_FEW_BYTES: Final = _GIGABYTE
_SKEW_SECONDS: Final = 5.0
_LARGE_SKEW_SECONDS: Final = 60.0
_LATE_SECONDS: Final = 60.0
_OTHERS: Final = 0o007
_SECRETS: Final = ("keys/*", "*.json", "*.key")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    state: State
    message: str
    remedy: str | None = None
    """What to do, unless all is well."""


async def examine(settings: Settings, clock: Clock | None = None) -> list[Finding]:
    """Look at everything that a server needs; nothing is made or changed.

    An embedded server that was started before is started for the length of the look.
    """
    groups = [Settings, *(module.settings for module in MODULES if module.settings)]
    findings = [
        python_version(sys.version_info[:3]),
        package_version(),
        *unknown_settings(groups),
        data_directory(settings.data),
        disk_space(settings.data, shutil.disk_usage),
        port(settings.host, settings.port),
    ]
    return findings + await _database(settings, clock or SystemClock())


def python_version(running: tuple[int, ...]) -> Finding:
    """Say whether Python is new enough."""
    text = f"Python {'.'.join(map(str, running))} on {platform.platform(terse=True)}"
    if running[:2] < _OLDEST_PYTHON:
        return Finding("python", "fail", text, "Install Python 3.11 or later")
    return Finding("python", "ok", text)


def package_version() -> Finding:
    """Say which Polyclinic this is."""
    with suppress(PackageNotFoundError):
        return Finding("polyclinic", "ok", f"version {version('polyclinic')}")
    return Finding("polyclinic", "warn", "runs from its source tree", "Run make setup")


def unknown_settings(groups: Sequence[type[Any]]) -> Iterator[Finding]:
    """Name variables that nothing reads, which are spelling mistakes as a rule."""
    for name, meant in config.unknown(*groups).items():
        remedy = f"Did you mean {meant}?" if meant else "Remove it"
        yield Finding("settings", "warn", f"{name} is set and nothing reads it", remedy)


def data_directory(data: Path) -> Finding:
    """Say whether the data directory can be used by us and not by everybody."""
    subject = "data directory"
    if not data.exists():
        parent = next((path for path in data.resolve().parents if path.exists()), Path("/"))
        if os.access(parent, os.W_OK | os.X_OK):
            return Finding(subject, "ok", f"{data} will be made by the first start")
        return Finding(subject, "fail", f"{data} cannot be made", f"Make {parent} writable for us")
    if not data.is_dir() or not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return Finding(
            subject, "fail", f"{data} cannot be written", "Set POLYCLINIC_DATA to our own directory"
        )
    open_to_all = [path for path in _secrets_below(data) if path.stat().st_mode & _OTHERS]
    if open_to_all:
        names = " ".join(str(path) for path in open_to_all)
        return Finding(subject, "fail", f"everybody may read {names}", f"Run chmod o-rwx {names}")
    return Finding(subject, "ok", f"{data} is ours")


def disk_space(data: Path, usage: Callable[[Path], Any]) -> Finding:
    """Say whether there is room to grow."""
    place = next(path for path in (data.resolve(), *data.resolve().parents) if path.exists())
    free = usage(place).free
    text = f"{free / _GIGABYTE:.1f} GiB free under {place}"
    if free < _TOO_FEW_BYTES:
        return Finding("disk", "fail", text, "Free space now: a full disk stops every write")
    if free < _SCARCE_BYTES:
        return Finding("disk", "warn", text, "Free space, or move POLYCLINIC_DATA")
    return Finding("disk", "ok", text)


def port(host: str, number: int) -> Finding:
    """Say whether the port can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    text = f"{host}:{number}"
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, number))
    except OSError as error:
        remedy = "Set PORT to another one, unless it is our own server that runs"
        return Finding("port", "warn", f"{text} is not free ({error.strerror})", remedy)
    return Finding("port", "ok", f"{text} is free")


def patch_level(running: ServerVersion, *, is_embedded: bool) -> Finding:
    """Compare the server's patch level with the newest that is known."""
    subject = "patch level"
    kind = "embedded PostgreSQL" if is_embedded else "PostgreSQL"
    behind = running.patches_behind
    if behind is None:
        return Finding(subject, "ok", f"{kind} {running}: no list of its patch levels is known")
    if behind == 0:
        return Finding(subject, "ok", f"{kind} {running}")
    newest = ServerVersion(running.major, NEWEST_KNOWN_MINOR[running.major])
    message = f"{kind} {running} misses {behind} patch levels; {newest} is known"
    remedy = (
        "Use it on one machine only; in production set POLYCLINIC_DATABASE_URL to a patched server"
        if is_embedded
        else "Install the server's updates"
    )
    return Finding(subject, "warn", message, remedy)


def clock_skew(seconds: float) -> Finding:
    """Judge how far our clock is from the database's."""
    text = f"our clock and the database's differ by {abs(seconds):.1f} s"
    remedy = "Let both machines keep their time by NTP"
    if abs(seconds) > _LARGE_SKEW_SECONDS:
        return Finding("clock", "fail", text, remedy)
    if abs(seconds) > _SKEW_SECONDS:
        return Finding("clock", "warn", text, remedy)
    return Finding("clock", "ok", text)


def consumer_lag(found: Lag) -> Finding:
    """Judge how far a consumer of the change feed is behind."""
    text = f"{found.consumer} of {found.tenant} has handled every change"
    if found.behind:
        changes = "1 change" if found.behind == 1 else f"{found.behind} changes"
        text = (
            f"{found.consumer} of {found.tenant} is {changes} and "
            f"{found.seconds:.0f} s behind, and last went on at {found.updated:%Y-%m-%d %H:%M} UTC"
        )
    remedy = "See that a server runs, and look into its log for consumer.failed"
    late = found.seconds > _LATE_SECONDS
    return Finding("change feed", "warn" if late else "ok", text, remedy if late else None)


def index_rows(found: Waiting) -> Finding:
    """Say how many resources of a tenant wait for their index rows to be made anew."""
    many = "1 resource waits" if found.resources == 1 else f"{found.resources:,} resources wait"
    text = f"{many} for new index rows in {found.tenant}; searches may miss them"
    remedy = f"A job does it while a server runs, or run polyclinic reindex --tenant {found.tenant}"
    return Finding("index", "warn", text, remedy)


def search_parameter(found: Failing) -> Finding:
    """Say on how many resources a search parameter that a tenant defined cannot be evaluated."""
    many = "1 resource" if found.resources == 1 else f"{found.resources:,} resources"
    text = f"the expression of {found.code} fails on {many} in {found.tenant}"
    remedy = "Correct the SearchParameter: these resources are not found by it"
    return Finding("search", "warn", text, remedy)


def _secrets_below(data: Path) -> list[Path]:
    """Return the files that only we should read; the database's are closed by its launcher."""
    return sorted(path for pattern in _SECRETS for path in data.glob(pattern) if path.is_file())


async def _database(settings: Settings, clock: Clock) -> list[Finding]:
    if not settings.database_url and not is_started_before(settings.data):
        message = "the first start will make an embedded PostgreSQL"
        return [Finding("database", "ok", message)]
    try:
        database = await asyncio.to_thread(open_database, settings)
    except DatabaseError as error:
        return [Finding("database", "fail", error.what, error.remedy)]
    try:
        skew = (clock.now() - database.info.clock).total_seconds()
        return [
            _reached(database),
            patch_level(database.info.version, is_embedded=database.is_embedded),
            clock_skew(skew),
            migrated := await _migrated(database),
            *(await _consumers(database, clock) if migrated.state == "ok" else ()),
        ]
    finally:
        await asyncio.to_thread(database.close)


def _reached(database: Database) -> Finding:
    kind = "embedded" if database.is_embedded else "external"
    info = database.info
    return Finding("database", "ok", f"{kind} PostgreSQL {info.version}, as {info.role}")


async def _consumers(database: Database, clock: Clock) -> list[Finding]:
    async with connected(database.app_dsn, "polyclinic doctor") as connection:
        behind = [consumer_lag(found) for found in await lag(connection, clock)]
        behind += [index_rows(found) for found in await waiting(connection)]
        return behind + [search_parameter(found) for found in await failing(connection)]


async def _migrated(database: Database) -> Finding:
    try:
        async with connected(database.app_dsn, "polyclinic doctor") as connection:
            names = await pending(connection, migrations(MODULES))
    except DatabaseError as error:
        return Finding("migrations", "fail", error.what, error.remedy)
    if names:
        return Finding(
            "migrations", "warn", f"{len(names)} are pending", "Run polyclinic migrate, or serve"
        )
    return Finding("migrations", "ok", "all have run")
