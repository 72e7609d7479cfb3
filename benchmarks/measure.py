"""Start a Polyclinic of its own, fill it, and measure each row. The program of ``make bench``."""

import argparse
import asyncio
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from benchmarks import seed as seeding
from benchmarks.accounting import memory, own_seconds, reference_ms, tree_seconds
from benchmarks.client import Failure, Target, Task
from benchmarks.loading import LoadFailed, load
from benchmarks.profiling import Profile
from benchmarks.rows import MOST_CONNECTIONS, STEPS, USUAL, Measured, Seed
from polyclinic.base.db.connect import connected
from polyclinic.base.db.embedded.server import EmbeddedServer
from polyclinic.testing.installation import HOST, Installation, ServerProcess

_CONNECTIONS: Final = (1, 16, 64)
_WARM_UP: Final = 1.5
_SECONDS: Final = 6.0
_RESOURCES: Final = 30_000
_ROOT: Final = Path(__file__).resolve().parents[1]
_GUARDED: Final = [
    "resource",
    "version",
    "string_value",
    "date_value",
    "number_value",
    "care_relation",
]
_TABLES: Final = (
    "resource, keys, edge, string_value, date_value, number_value, version, audit, type_count"
)


class RowFailed(Exception):
    """A row was not measured to its end; the text says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    rows: tuple[str, ...]
    connections: tuple[int, ...]
    seconds: float
    resources: int
    patients: int
    profile: Path | None
    row_security: tuple[str, ...]


class Driver:
    """The process that sends the requests."""

    def __init__(self, target: Target) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.client"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._tell(msgspec.json.encode(target))

    def warm_up(self, task: Task) -> None:
        """Begin a row and return when it is warm. Raise ``RowFailed``."""
        self._tell(msgspec.json.encode(task))
        line = self._line()
        if line != b"ready":
            raise RowFailed(msgspec.json.decode(line, type=Failure).error)

    def measure(self) -> Measured:
        """Measure the row that is warm. Raise ``RowFailed``."""
        self._tell(b"go")
        answer = msgspec.json.decode(self._line())
        if "error" in answer:
            raise RowFailed(answer["error"])
        return msgspec.convert(answer, Measured)

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait()

    def _tell(self, line: bytes) -> None:
        pipe: IO[bytes] | None = self._process.stdin
        assert pipe is not None
        pipe.write(line + b"\n")
        pipe.flush()

    def _line(self) -> bytes:
        pipe: IO[bytes] | None = self._process.stdout
        assert pipe is not None
        line = pipe.readline().strip()
        if not line:
            message = "the process that sends requests has ended"
            raise RowFailed(message)
        return line


class Bench:
    """A running server with its database, measured row by row."""

    def __init__(
        self, server: ServerProcess, database: EmbeddedServer, driver: Driver, plan: Plan
    ) -> None:
        assert database.pid is not None
        self._server = server
        self._database = database
        self._postmaster = database.pid
        self._driver = driver
        self._plan = plan

    def run(self) -> None:
        """Measure every row at every number of connections. Raise ``RowFailed``."""
        for row in self._plan.rows:
            if row not in STEPS:
                continue
            most = MOST_CONNECTIONS.get(row, max(self._plan.connections))
            for connections in sorted({min(one, most) for one in self._plan.connections}):
                for setting in self._plan.row_security:
                    asyncio.run(_secure_rows(self._database, setting))
                    self._row(row, connections, setting)
        used = memory(self._server.pid)
        _say(name="memory", worker_mb={"rss": round(used.rss, 1), "pss": round(used.pss, 1)})

    def _row(self, row: str, connections: int, row_security: str) -> None:
        self._driver.warm_up(Task(row, connections, _WARM_UP, self._plan.seconds))
        reference = reference_ms()
        with self._profile(row, connections):
            server, database = own_seconds(self._server.pid), tree_seconds(self._postmaster)
            measured = self._driver.measure()
            server = own_seconds(self._server.pid) - server
            database = tree_seconds(self._postmaster) - database
        reference = (reference + reference_ms()) / 2
        count = measured.requests
        _say(
            name=row,
            connections=connections,
            requests=count,
            seconds=round(measured.seconds, 2),
            rate=round(count / measured.seconds),
            cpu_ms_server=round(server / count * 1000, 3),
            cpu_ms_database=round(database / count * 1000, 3),
            cpu_ms=round((server + database) / count * 1000, 3),
            p50=round(measured.p50, 2),
            p95=round(measured.p95, 2),
            reference_ms=round(reference, 1),
            **_written(measured.resources, server + database),
            **({} if row_security == "on" else {"row_security": row_security}),
        )

    @contextmanager
    def _profile(self, row: str, connections: int) -> Iterator[None]:
        if self._plan.profile is None:
            yield
            return
        name = f"{row}-{connections}"
        profile = Profile(
            self._server.pid, self._plan.seconds, self._plan.profile / f"{name}.stacks"
        )
        with profile:
            yield
        (self._plan.profile / f"{name}.txt").write_text(profile.report())


def main() -> int:
    """Measure, and return the exit code: 1 when a row failed."""
    plan = _plan(_parser().parse_args())
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="polyclinic-bench-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        directory.chmod(0o755)  # root's database server runs under another account
        installation = Installation(directory)
        database = installation.database()
        stack.callback(database.release)
        try:
            _measure(installation, database, plan, stack)
        except (RowFailed, LoadFailed) as error:
            sys.stderr.write(f"bench: {error}\n{installation.last_words()}\n")
            return 1
    return 0


def _measure(
    installation: Installation, database: EmbeddedServer, plan: Plan, stack: ExitStack
) -> None:
    assert database.pid is not None
    _say(**_facts(database))
    seed = _fill(installation, database, plan)
    if not set(plan.rows) & set(STEPS):
        return
    installation.make_accounts()
    token = installation.token("doctor")
    server = installation.serve()
    stack.callback(server.stop)
    driver = Driver(Target(HOST, server.port, token, seed))
    stack.callback(driver.close)
    Bench(server, database, driver, plan).run()


def _fill(installation: Installation, database: EmbeddedServer, plan: Plan) -> Seed:
    """Load the population, which is the row ``load``, and return what is stored."""
    assert database.pid is not None
    if installation.run("migrate").returncode:
        message = "the database could not be migrated"
        raise LoadFailed(message)
    file, first = (installation.data.parent / name for name in ("all.ndjson", "first.ndjson"))
    count = _generate(file, plan)
    with file.open("rb") as lines:
        first.write_bytes(lines.readline())
    start = load(installation, database.pid, first)
    start_seconds = start.loader + start.database
    for name in ("load", "load again"):
        done = load(installation, database.pid, file)
        total = done.loader + done.database
        if done.created + done.unchanged != count:
            message = f"{name}: {done.created + done.unchanged} of {count} resources were loaded"
            raise LoadFailed(message)
        if "load" not in plan.rows:
            break
        _say(
            name=name,
            resources=count,
            created=done.created,
            unchanged=done.unchanged,
            seconds=round(done.seconds, 2),
            cpu_s_loader=round(done.loader, 2),
            cpu_s_database=round(done.database, 2),
            cpu_s_start=round(start_seconds, 2),
            per_cpu_second=round(count / total),
            reference_ms=round(reference_ms(), 1),
            per_cpu_second_without_start=round(count / (total - start_seconds)),
        )
    if plan.patients:
        seeding.write_patients(file, plan.patients)
        load(installation, database.pid, file)
    asyncio.run(_settle(database))
    return seeding.describe(count, plan.patients)


def _generate(file: Path, plan: Plan) -> int:
    """Write the population, which is the row ``generate``, and return how many resources it has."""
    began = time.process_time()
    count = seeding.write(file, plan.resources)
    seconds = time.process_time() - began
    if "generate" in plan.rows:
        _say(
            name="generate",
            resources=count,
            cpu_s=round(seconds, 2),
            per_cpu_second=round(count / seconds),
            reference_ms=round(reference_ms(), 1),
        )
    return count


async def _settle(database: EmbeddedServer) -> None:
    """Do now what autovacuum would do within minutes, at a moment of its own choice."""
    async with connected(database.owner_url) as connection:
        await connection.execute(f"vacuum analyze {_TABLES}")


async def _secure_rows(database: EmbeddedServer, setting: str) -> None:
    """Switch the second net on or off, to see what it costs."""
    verb = "enable" if setting == "on" else "disable"
    async with connected(database.owner_url) as connection:
        for table in _GUARDED:
            await connection.execute(f"alter table {table} {verb} row level security")


def _written(resources: int, seconds: float) -> dict[str, int]:
    """Return how many resources a row of transactions has written, in all and per CPU second."""
    if not resources:
        return {}
    return {"resources": resources, "per_cpu_second": round(resources / seconds)}


def _facts(database: EmbeddedServer) -> dict[str, Any]:
    return {
        "name": "machine",
        "python": platform.python_version(),
        "postgresql": str(database.version),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)),
        "load_average": round(os.getloadavg()[0], 2),
    }


def _say(**figures: object) -> None:
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
    sys.stdout.flush()


def _plan(given: argparse.Namespace) -> Plan:
    if given.profile is not None:
        given.profile.mkdir(parents=True, exist_ok=True)
    return Plan(
        tuple(given.only or ("generate", "load", *USUAL)),
        tuple(given.connections),
        given.seconds,
        given.resources,
        given.patients,
        given.profile,
        tuple(given.row_security),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    add = parser.add_argument
    add(
        "--only",
        nargs="+",
        choices=["generate", "load", *STEPS],
        help="rows to measure (default: those without a kind)",
    )
    add("--connections", nargs="+", type=int, default=_CONNECTIONS, help="default: 1 16 64")
    add("--seconds", type=float, default=_SECONDS, help="length of a row")
    add("--resources", type=int, default=_RESOURCES, help="resources that are loaded first")
    add("--patients", type=int, default=0, help="patients that are loaded besides")
    add(
        "--row-security",
        nargs="+",
        choices=["on", "off"],
        default=["on"],
        help="repeat each row with the second net so: on off on off shows what it costs",
    )
    add("--profile", type=Path, metavar="DIR", help="write what py-spy sees of the server here")
    return parser
