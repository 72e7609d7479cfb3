"""Write the generated pages of docs/reference.

``reference_pages.py [--to DIRECTORY]``
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from markdown import HEAD, code, codes, table
from reference_api import api_page
from reference_commands import commands_page
from reference_errors import errors_page
from reference_fhirpath import fhirpath_page
from reference_search import search_page

from polyclinic.app.modules import MODULES
from polyclinic.base.config import Setting, describe
from polyclinic.base.settings import Settings
from polyclinic.kernel.module import Module
from polyclinic.testing.settings import RunSettings

_ROOT: Final = Path(__file__).parents[1]
_REFERENCE: Final = _ROOT / "docs" / "reference"

_SETTINGS_HEAD: Final = """# Settings

Read once at the start from the environment. An empty value means the default. What is secret never
appears in a log or an error. `polyclinic doctor` names variables that nothing reads.
"""
_MODULES_HEAD: Final = """# Modules

Every feature is one folder in `src/polyclinic/modules/` and one line in
`src/polyclinic/app/modules.py`. [Develop](../howto/develop.md) says how to add one.

"""


def settings_page() -> str:
    """Return the page of every setting."""
    groups: list[tuple[str, type[Any]]] = [("Server", Settings)]
    groups += [(module.name.title(), module.settings) for module in MODULES if module.settings]
    groups.append(("Test runs", RunSettings))
    return HEAD + _SETTINGS_HEAD + "".join(_settings(title, group) for title, group in groups)


def modules_page() -> str:
    """Return the page of every module."""
    rows = ((_linked(module), module.summary, ", ".join(_added(module))) for module in MODULES)
    return HEAD + _MODULES_HEAD + table(("Module", "What it does", "Adds"), rows)


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "api.md": api_page,
    "commands.md": commands_page,
    "errors.md": errors_page,
    "fhirpath.md": fhirpath_page,
    "modules.md": modules_page,
    "search.md": search_page,
    "settings.md": settings_page,
}


def _settings(title: str, group: type[Any]) -> str:
    rows = (
        (
            code(item.name),
            _kind(item),
            code(item.default) if item.default else "none",
            item.sentence,
        )
        for item in describe(group)
    )
    return f"\n## {title}\n\n" + table(("Name", "Type", "Default", "What it does"), rows)


def _kind(item: Setting) -> str:
    bounds = ""
    if item.minimum is not None or item.maximum is not None:
        bounds = f", {item.minimum} to {item.maximum}"
    return f"{item.kind}{bounds}{', secret' if item.secret else ''}"


def _linked(module: Module) -> str:
    return f"[{module.name}](../../src/polyclinic/modules/{module.name}/README.md)"


def _added(module: Module) -> list[str]:
    """Return what a module adds, in words."""
    routes = codes(f"{route.method} {route.path}" for route in module.routes)
    commands = codes(f"polyclinic {command.name}" for command in module.commands)
    ui = _ROOT / "src" / "polyclinic" / "modules" / module.name / "ui"
    added = {
        f"routes {routes}": bool(module.routes),
        f"commands {commands}": bool(module.commands),
        "[settings](settings.md)": module.settings is not None,
        "jobs": module.jobs is not None,
        "tables": module.has_migrations,
        "sign-in": module.authenticator is not None,
        "a population": module.population is not None,
        "resources to the population": module.contributor is not None,
        "demo accounts": module.demo_accounts is not None,
        "pages and panels": ui.is_dir(),
    }
    return [words for words, adds in added.items() if adds]


def main() -> None:
    """Write the pages to the directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=_REFERENCE)
    target: Path = parser.parse_args().to
    target.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (target / name).write_text(page())


if __name__ == "__main__":
    main()
