"""The reference page of the command line."""

import argparse
from collections.abc import Iterator
from typing import Final

from markdown import HEAD, code, table

from polyclinic.cli import parser

_HEAD: Final = """# Commands

`polyclinic COMMAND --help` says the same. What a command line says goes before
[a setting](settings.md).

Exit codes: 0 done, 1 stopped or something was refused, 2 the command line is wrong, 130 ended with
Ctrl-C.

`make` prints the commands for those who [develop](../howto/develop.md).
"""


def commands_page() -> str:
    """Return the page of every command."""
    found = sorted(subcommands().items())
    return HEAD + _HEAD + "".join(_command(name, command) for name, command in found)


def subcommands() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command by name."""
    (choices,) = (
        action.choices
        for action in parser()._actions  # noqa: SLF001 - argparse has no other way to list them
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001 - nor to tell them
    )
    return dict(choices)


def _command(name: str, command: argparse.ArgumentParser) -> str:
    example = (command.epilog or "").removeprefix("example: ")
    rows = ((code(_words(action)), action.help or "") for action in _taken(command))
    summary = command.description or ""
    return (
        f"\n## polyclinic {name}\n\n{summary[:1].upper()}{summary[1:]}.\n\n"
        + table(("Takes", "What it is"), rows)
        + f"\nExample: {code(example)}\n"
    )


def _taken(command: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield what a command takes: first what has a place, then the options."""
    actions = [action for action in command._actions if action.dest != "help"]  # noqa: SLF001
    yield from (action for action in actions if not action.option_strings)
    yield from (action for action in actions if action.option_strings)


def _words(action: argparse.Action) -> str:
    """Return an argument as it is written, with brackets around what may be left out."""
    name = str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return f"{name} ..." if action.nargs == "+" else name
    option = action.option_strings[-1]
    written = option if action.nargs == 0 else f"{option} {name}"
    return written if action.required else f"[{written}]"
