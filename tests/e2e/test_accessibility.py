"""axe finds nothing on any page, in any scheme, width and direction (WCAG 2.2 AA)."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHART = "/patients/browser-edge"
PAGES = ("/patients", "/patients/story-pregnancy", CHART, "/patients/nobody", "/nowhere")
LOOKS = {
    "light": {},
    "dark": {"scheme": "dark"},
    "narrow": {"width": 320},
    "narrow dark": {"width": 320, "scheme": "dark"},
    "right to left": {"locale": "qps-plocm"},
    "narrow right to left": {"locale": "qps-plocm", "width": 320},
}


def violations(page):
    """Return what axe finds, as text; evaluated, because the page's policy bars foreign scripts."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: make setup")
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "tags => axe.run(document, { runOnly: tags }).then(({ violations }) => violations)", TAGS
    )
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for rule in found
        for node in rule["nodes"]
    ]


def overflow(page):
    """Return by how many pixels the page is wider than its window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


@pytest.fixture(params=LOOKS, ids=lambda name: name.replace(" ", "-"))
def look(request):
    return LOOKS[request.param]


@pytest.mark.parametrize("path", PAGES)
def test_a_page(visit, look, path):
    opened = visit(**look).sign_in()
    opened.expect_failures("/fhir/Patient/nobody", "/patients/nobody")
    page = opened.open(path)
    expect(page.get_by_role("main")).to_be_visible()

    assert violations(page) == []
    assert overflow(page) <= 0


def test_the_sign_in_page(visit, look):
    page = visit(**look).open("/")
    expect(page.get_by_role("main")).to_be_visible()

    assert violations(page) == []
    assert overflow(page) <= 0


DIALOGS = {
    "palette": lambda page: page.keyboard.press("Control+k"),
    "keys": lambda page: page.keyboard.press("?"),
    "source": lambda page: page.get_by_role("button", name=re.compile("Penicillin")).click(),
    "trend": lambda page: page.get_by_role("button", name="Show the trend of HbA1c").click(),
}


@pytest.mark.parametrize("dialog", DIALOGS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 320])
def test_a_dialog(visit, dialog, scheme, width):
    opened = visit(width=width, scheme=scheme).sign_in()
    page = opened.open(CHART)

    DIALOGS[dialog](page)
    expect(page.get_by_role("dialog")).to_be_visible()
    # An element that fades in has a contrast of its own.
    opened.settle()

    assert violations(page) == []
    assert overflow(page) <= 0


def test_a_chart_at_twice_the_size_of_text(visit):
    page = visit(width=1280).sign_in().open(CHART)

    page.evaluate("document.documentElement.style.setProperty('font-size', '32px')")

    assert overflow(page) <= 0


def test_a_page_that_moves_nothing_for_who_asks(visit):
    page = visit(reduced_motion="reduce").sign_in().open(CHART)

    page.get_by_role("button", name="Show the trend of HbA1c").click()
    expect(page.get_by_role("dialog", name="HbA1c")).to_be_visible()

    assert page.evaluate("document.getAnimations().length") == 0
