"""The command line: arguments only."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from polyclinic.app import commands
from polyclinic.app.demonstration import AlreadyRunning
from polyclinic.app.keys import add_arguments as add_keys_arguments
from polyclinic.app.keys import keys
from polyclinic.app.modules import MODULES
from polyclinic.app.operating import COMMANDS
from polyclinic.app.server import CannotListen
from polyclinic.base.config import SettingError
from polyclinic.base.db.errors import DatabaseError
from polyclinic.base.keys import KeyFileError
from polyclinic.kernel.store import DEFAULT, KeyLost, NotListed
from polyclinic.kernel.store.key_export import NotImportable
from polyclinic.kernel.store.rotation import KeyDamaged, KeysBusy

Parser = argparse.ArgumentParser
Run = Callable[[argparse.Namespace], int]
Add = Callable[[str, str, str, Run], Parser]

STOPS: Final = (
    DatabaseError,
    KeyFileError,
    KeyDamaged,
    KeyLost,
    KeysBusy,
    NotImportable,
    NotListed,
    SettingError,
    commands.Refusal,
    AlreadyRunning,
    CannotListen,
)
"""What ends a command with one line and exit code 1."""

_DEMO_SIZE: Final = 300
_BY_SIGNAL: Final = 128
"""What a shell adds to the number of the signal that ended a command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; what stops it is one line on standard error."""
    given = parser().parse_args(arguments)
    run: Run = given.run
    _end_in_order()
    try:
        return run(given)
    except STOPS as error:
        print(f"polyclinic: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"polyclinic: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _BY_SIGNAL + signal.SIGINT


def _end_in_order() -> None:
    """Let whoever ends us by a signal, or closes our terminal, not leave a database running."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _ended)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _hung_up)


def _hung_up(_number: int, _frame: FrameType | None) -> None:
    """Take a closed terminal for the order to end, which a server that runs carries out in order.

    An exception raised here would land in whatever the event loop does at this moment.
    """
    signal.raise_signal(signal.SIGTERM)


def _ended(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(_BY_SIGNAL + number)


def parser() -> Parser:
    """Return the parser of every command, those of the modules too."""
    whole = Parser(prog="polyclinic", description="A whole digital hospital in one package.")
    adders = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, summary: str, example: str, run: Run) -> Parser:
        added = adders.add_parser(
            name, help=summary, description=summary, epilog=f"example: {example}"
        )
        added.add_argument(
            "--data", type=Path, metavar="DIR", help="directory for the data (default: ./var)"
        )
        added.set_defaults(run=run)
        return added

    _add_servers(command)
    _add_movers(command)
    _add_tenants(command)
    keys_summary = "say how keys are wrapped; rotate, erase, export or import them"
    add_keys_arguments(command("keys", keys_summary, "polyclinic keys rotate", keys))
    migrate = "bring the database to this version"
    command("migrate", migrate, "polyclinic migrate", commands.migrate)
    doctor = "say what is wrong and what to do"
    command("doctor", doctor, "polyclinic doctor", commands.doctor)
    for added in (*COMMANDS, *(one for module in MODULES for one in module.commands)):
        run = commands.of_module(added)
        made = command(added.name, added.summary, added.example, run)
        _of_a_tenant(made)
        if added.add_arguments is not None:
            added.add_arguments(made)
    return whole


def _add_servers(command: Add) -> None:
    serve = command(
        "serve", "serve on one port", "polyclinic serve --port 8080 --workers 2", commands.serve
    )
    serve.add_argument(
        "--workers", type=int, metavar="COUNT", help="number of processes (default: 1)"
    )
    serve.add_argument("--no-jobs", action="store_true", help="run no background jobs here")
    demo = command(
        "demo", "serve a population with accounts to try", "polyclinic demo", commands.demo
    )
    demo.add_argument(
        "--population", type=Path, metavar="DIR", help="load this instead of making patients"
    )
    demo.add_argument(
        "--size",
        type=int,
        default=_DEMO_SIZE,
        metavar="COUNT",
        help=f"patients to make (default: {_DEMO_SIZE})",
    )
    for server in (serve, demo):
        server.add_argument(
            "--host", metavar="ADDRESS", help="address to listen on (default: 127.0.0.1)"
        )
        server.add_argument("--port", type=int, help="port to listen on (default: 8080)")


def _add_movers(command: Add) -> None:
    load = command(
        "load",
        "store resources from files: Bundles, NDJSON; .gz, .zst; directories",
        "polyclinic load patients.ndjson.gz bundles/",
        commands.load,
    )
    load.add_argument(
        "paths", type=Path, nargs="+", metavar="FILE|DIR", help="what to load, directories whole"
    )
    export = command(
        "export", "write every resource as NDJSON", "polyclinic export backup/", commands.export
    )
    export.add_argument(
        "directory", type=Path, metavar="DIR", help="where to write: a new or empty directory"
    )
    for mover in (load, export):
        _of_a_tenant(mover)


def _add_tenants(command: Add) -> None:
    tenant = command(
        "tenant",
        "make or list the organizations that share nothing here",
        "polyclinic tenant add north --host north.example.org",
        commands.tenant,
    )
    actions = tenant.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make one; it is reached at /t/NAME and at its hosts")
    add.add_argument("name", metavar="NAME", help="1 to 40 of a-z, 0-9 and -")
    add.add_argument(
        "--host", action="append", default=[], metavar="HOST", help="host name that is its own"
    )
    hosts = actions.add_parser("hosts", help="replace the host names of one")
    hosts.add_argument("name", metavar="NAME")
    hosts.add_argument("hosts", nargs="*", metavar="HOST", help="none: it is reached by path only")
    actions.add_parser("list", help="list them with their hosts")


def _of_a_tenant(command: Parser) -> None:
    command.add_argument(
        "--tenant", default=DEFAULT, metavar="NAME", help="the organization (default: default)"
    )


if __name__ == "__main__":
    sys.exit(main())
