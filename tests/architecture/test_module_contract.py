"""Every module keeps the contract: what it adds is data that names itself."""

import importlib
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from polyclinic.app.modules import MODULES
from polyclinic.base.config import PREFIX, describe

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent.name for path in (ROOT / "src/polyclinic/modules").glob("*/module.py"))
STANDARD_FILES = {
    "__init__",
    "commands",
    "jobs",
    "mapping",
    "model",
    "module",
    "operations",
    "repository",
    "routes",
    "service",
    "settings",
    "subscribers",
}
each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


def test_every_folder_is_listed_once_and_nothing_else():
    assert sorted(module.name for module in MODULES) == FOLDERS


@each_module
def test_its_folder_holds_it_under_its_name(module):
    found = importlib.import_module(f"polyclinic.modules.{module.name}.module")

    assert found.MODULE is module


@each_module
def test_its_summary_is_a_sentence(module):
    assert re.fullmatch(r"[A-Z].{10,120}\.", module.summary)


@each_module
def test_it_has_a_readme_that_says_how_to_try_it(module):
    text = (ROOT / f"src/polyclinic/modules/{module.name}/README.md").read_text()

    assert text.lower().startswith(f"# {module.name}\n")
    assert len(text.split()) > 20


@each_module
def test_it_says_whether_it_has_migrations(module):
    folder = files(f"polyclinic.modules.{module.name}") / "migrations"

    assert module.has_migrations is folder.is_dir()


@each_module
def test_its_migrations_give_the_serving_role_no_more_than_it_needs(module):
    folder = ROOT / f"src/polyclinic/modules/{module.name}/migrations"
    text = " ".join(file.read_text().lower() for file in folder.glob("*.sql"))

    assert not re.search(r"grant (all|truncate)|superuser|owner to", text)


@each_module
def test_its_routes_lie_outside_the_base_and_the_assets(module):
    for route in module.routes:
        assert re.fullmatch(r"/[a-z0-9/-]+[a-z0-9]", route.path)
        assert not route.path.startswith(("/fhir", "/assets", "/healthz", "/readyz"))
        assert route.method in {"GET", "POST", "PUT", "PATCH", "DELETE"}


@each_module
def test_its_commands_have_a_sentence_and_an_example(module):
    for command in module.commands:
        assert command.example.startswith(f"polyclinic {command.name}")
        assert len(command.summary.split()) >= 3


@each_module
def test_its_settings_are_its_own(module):
    names = [item.name for item in describe(module.settings)] if module.settings else []
    others = [
        item.name
        for other in MODULES
        if other is not module and other.settings
        for item in describe(other.settings)
    ]

    assert all(name.startswith(PREFIX) for name in names)
    assert set(names).isdisjoint(others)


def test_no_two_modules_want_the_same_address_or_command_and_one_knows_who_signs_in():
    routes = [(route.method, route.path) for module in MODULES for route in module.routes]
    commands = [command.name for module in MODULES for command in module.commands]

    assert len(set(routes)) == len(routes)
    assert len(set(commands)) == len(commands)
    assert sum(module.authenticator is not None for module in MODULES) == 1


def test_no_module_imports_another():
    modules = "|".join(FOLDERS)
    for path in (ROOT / "src/polyclinic/modules").rglob("*.py"):
        own = path.relative_to(ROOT / "src/polyclinic/modules").parts[0]
        found = set(re.findall(rf"polyclinic\.modules\.({modules})\b", path.read_text()))
        assert found <= {own}, path


def test_nothing_but_the_list_names_a_module():
    allowed = {"src/polyclinic/app/modules.py"}
    modules = "|".join(FOLDERS)
    named = {
        str(path.relative_to(ROOT))
        for folder in ("app", "base", "kernel")
        for path in (ROOT / "src/polyclinic" / folder).rglob("*.py")
        if "tests" not in path.parts
        and re.search(rf"polyclinic\.modules\.({modules})\b", path.read_text())
    }

    assert named == allowed


def test_the_layers_of_a_module_are_those_of_the_import_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = [
        contract["layers"]
        for contract in contracts["contracts"]
        if contract["name"] == "Each module is layered"
    ]
    named = set(re.findall(r"[a-z]+", " ".join(layers)))

    assert named <= STANDARD_FILES
