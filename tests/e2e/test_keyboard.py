"""Everything works without a mouse."""

import re

import pytest
from playwright.sync_api import expect

CHART = "/patients/browser-edge"


def tab_to(page, locator, most=60):
    for _ in range(most):
        page.keyboard.press("Tab")
        if locator.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"{locator} was not reached in {most} steps")


def test_the_first_step_skips_to_the_content(visit):
    page = visit().sign_in().open("/patients")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


def test_opening_a_chart_moves_the_keyboard_to_it(visit):
    page = visit().sign_in().open("/patients")

    link = page.get_by_role("link", name=re.compile("María Fernanda"))
    link.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("region", name="Patient")).to_contain_text("MRN-00991")
    expect(page.locator("#main")).to_be_focused()


def test_a_source_opens_with_enter_and_closes_with_escape(visit):
    page = visit().sign_in().open(CHART)
    fact = page.get_by_role("button", name=re.compile("Where is this from. Penicillin"))

    tab_to(page, fact)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=re.compile("Penicillin"))).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(fact).to_be_focused()


def test_a_chart_is_read_with_the_arrows(visit):
    page = visit().sign_in().open(CHART)
    name = page.get_by_role("button", name="Show the trend of HbA1c")

    tab_to(page, name)
    page.keyboard.press("Enter")
    chart = page.get_by_role("application")
    expect(chart).to_be_visible()
    tab_to(page, chart)
    page.keyboard.press("Home")
    first = page.locator("[aria-live=polite]", has_text="HbA1c").or_(
        page.get_by_text(re.compile(r"^\d+ \w+ \d{4}, \d\d:\d\d: "))
    )
    before = first.last.inner_text()
    page.keyboard.press("ArrowRight")

    expect(first.last).not_to_have_text(before)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(name).to_be_focused()


def test_what_was_typed_survives_escape(visit):
    page = visit().sign_in().open("/patients")

    page.keyboard.press("Control+k")
    page.keyboard.type("wolf")
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox")).to_have_count(0)
    page.keyboard.press("Control+k")

    expect(page.get_by_role("combobox")).to_have_value("wolf")


def test_the_keys_are_listed(visit):
    page = visit().sign_in().open("/patients")

    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Ctrl + K")


def test_a_panel_is_reached_by_name(visit):
    page = visit().sign_in().open(CHART)

    page.keyboard.press("Control+k")
    page.keyboard.type("show laboratory")
    expect(page.get_by_role("option")).to_have_count(1)
    expect(page.get_by_role("status").last).to_have_text("1 result")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Laboratory results")).to_be_focused()
