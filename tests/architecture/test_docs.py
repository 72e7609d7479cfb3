"""The documents are complete, fresh and without a dead link."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from polyclinic.app.modules import MODULES
from polyclinic.base.config import describe
from polyclinic.base.settings import Settings
from polyclinic.cli import STOPS, parser
from polyclinic.kernel.errors import FhirError
from polyclinic.kernel.rest.interactions import INTERACTIONS
from polyclinic.kernel.search.query import supported_parameters
from polyclinic.kernel.types import RESOURCE_TYPES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
FOLDERS = {"tutorial", "howto", "reference", "explanation", "decisions"}
GENERATED = ["api", "commands", "errors", "fhirpath", "modules", "search", "settings"]
TOOL = ROOT / "tools" / "reference_pages.py"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def pages():
    """Return every document that a reader may open."""
    readmes = (ROOT / "src").rglob("README.md")
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md")), *readmes]


def prose(page):
    return FENCE.sub("", page.read_text())


def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = [re.sub(r"[^\w\- ]", "", title).lower() for title in HEADING.findall(prose(page))]
    return {title.replace(" ", "-") for title in titles}


def is_dead(page, link):
    address, _, anchor = link.partition("#")
    if re.match(r"\w+:", address):
        return False
    target = (page.parent / address).resolve() if address else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return True
    return bool(anchor) and anchor not in anchors(target)


def family(roots):
    """Yield our own errors below some; a test may have made others."""
    for root in roots:
        if root.__module__.startswith("polyclinic."):
            yield root
        yield from family(root.__subclasses__())


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the folder of pages as the tool writes them now."""
    target = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, TOOL, "--to", target], check=True)  # noqa: S603 - our own tool
    return target


def test_no_link_is_dead():
    dead = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages()
        for link in LINK.findall(prose(page))
        if is_dead(page, link)
    ]

    assert dead == []


def test_a_dead_link_is_told_from_a_live_one():
    page = DOCS / "README.md"

    assert not is_dead(page, "reference/settings.md#server")
    assert not is_dead(page, "https://hl7.org/fhir/R4/")
    assert is_dead(page, "reference/nothing.md")
    assert is_dead(page, "reference/settings.md#nothing")


def test_every_document_stands_in_one_of_the_folders_and_in_the_index():
    index = DOCS / "README.md"
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in LINK.findall(prose(index))}

    found = [page for page in DOCS.rglob("*.md") if page != index]

    assert {page.relative_to(DOCS).parts[0] for page in found} <= FOLDERS
    assert [str(page.relative_to(DOCS)) for page in found if page not in linked] == []


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_fresh(written, name):
    assert (written / f"{name}.md").read_text() == (REFERENCE / f"{name}.md").read_text()


def test_the_tool_writes_the_generated_pages_and_no_other(written):
    marked = {page.stem for page in REFERENCE.glob("*.md") if TOOL.name in page.read_text()}

    assert {page.stem for page in written.glob("*.md")} == set(GENERATED) == marked


def test_every_setting_has_its_row():
    page = (REFERENCE / "settings.md").read_text()
    groups = [Settings, *(module.settings for module in MODULES if module.settings)]
    settings = [item for group in groups for item in describe(group)]

    missing = [s.name for s in settings if f"| `{s.name}` |" not in page or s.sentence not in page]

    assert missing == []


def test_every_command_has_its_section_and_an_example_that_it_takes():
    page = (REFERENCE / "commands.md").read_text()
    sections = re.findall(r"^## polyclinic (\S+)$", page, re.MULTILINE)
    examples = re.findall(r"^Example: `polyclinic (.+)`$", page, re.MULTILINE)

    taken = [parser().parse_args(shlex.split(example)) for example in examples]

    printed = re.findall(r"^    (\S+) {2,}", parser().format_help(), re.MULTILINE)
    assert set(sections) == set(printed)
    assert [example.split()[0] for example in examples] == sections
    assert len(taken) == len(sections)


def test_every_error_has_its_row():
    page = (REFERENCE / "errors.md").read_text()

    missing = [
        error.__name__ for error in family([FhirError, *STOPS]) if f"`{error.__name__}`" not in page
    ]

    assert missing == []


def test_every_interaction_route_and_role_has_its_row():
    page = (REFERENCE / "api.md").read_text()
    routes = [f"`{route.method} {route.path}`" for module in MODULES for route in module.routes]

    missing = [route for route in routes if route not in page]

    assert missing == []
    assert [one.code for one in INTERACTIONS if f"| {one.code}" not in page] == []


def test_every_resource_type_has_its_search_parameters():
    page = (REFERENCE / "search.md").read_text()

    assert [name for name in RESOURCE_TYPES if f"\n### {name}\n" not in page] == []
    for name in RESOURCE_TYPES:
        of_type = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        of_all = page.partition("\n### Every type")[2].partition("\n### ")[0]
        codes = [f"| `{param.code}` |" for param in supported_parameters(name)]
        assert [one for one in codes if one not in of_type + of_all] == []


def test_every_module_has_its_row_and_a_readme():
    page = (REFERENCE / "modules.md").read_text()

    assert [module.name for module in MODULES if module.summary not in page] == []
    assert [module.name for module in MODULES if f"/{module.name}/README.md)" not in page] == []
