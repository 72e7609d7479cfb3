"""Finding a patient and reading the chart, in a browser."""

import re

import pytest
from playwright.sync_api import expect

CHART = "/patients/browser-edge"


@pytest.mark.parametrize("typed", ["wolfesch", "fernanda", "MRN-00991", "1987-02"])
def test_a_patient_is_two_keys_and_a_few_letters_away(visit, house, typed):
    page = visit().sign_in().open("/patients")

    page.keyboard.press("Control+k")
    page.keyboard.type(typed)
    expect(page.get_by_role("option", name=re.compile("María Fernanda"))).to_be_visible()
    expect(page.get_by_role("status").last).not_to_contain_text("Searching")
    page.keyboard.press("Enter")

    expect(page.get_by_role("region", name="Patient")).to_contain_text("MRN-00991")
    assert page.url == house.address + CHART


def test_the_list_narrows_while_a_name_is_typed(visit):
    page = visit().sign_in().open("/patients")

    page.get_by_role("searchbox").fill("wolfesch")

    found = page.get_by_role("table", name="Found").get_by_role("link")
    expect(found).to_have_count(1)
    found.click()
    expect(page.get_by_role("region", name="Patient")).to_contain_text("MRN-00991")


def test_a_chart_that_was_opened_is_listed(visit):
    opened = visit().sign_in()
    opened.open(CHART)

    page = opened.open("/patients")

    recent = page.get_by_role("table", name="Recently opened")
    expect(recent.get_by_role("link", name=re.compile("María Fernanda"))).to_be_visible()


def test_every_panel_opens_with_its_answer(visit):
    page = visit().sign_in().open(CHART)

    answers = {
        "Problems": "2 active problems:",
        "Allergies": "1 allergy: Penicillin",
        "Medications": "1 active medication: Metformin 500 mg tablet",
        "Vital signs": "Heart rate",
        "Laboratory results": "1 of 2 latest results stands out: HbA1c",
    }
    for panel, answer in answers.items():
        expect(page.get_by_role("region", name=panel, exact=True)).to_contain_text(answer)


def test_what_is_wrong_or_doubtful_is_never_shown_as_certain(visit):
    page = visit().sign_in().open(CHART)
    problems = page.get_by_role("region", name="Problems")

    expect(problems).to_contain_text("Not confirmed")
    expect(problems).to_contain_text("Ruled out (1)")
    expect(problems).to_contain_text("1 record entered in error is hidden.")
    expect(page.get_by_text("asthma")).to_have_count(0)


def test_a_number_keeps_its_digits_from_the_store_to_the_screen(visit):
    page = visit().sign_in().open(CHART)

    page.get_by_role("button", name=re.compile("Where is this from. Potassium")).click()

    source = page.get_by_role("dialog", name=re.compile("Potassium"))
    expect(source).to_contain_text(re.compile(r"4\.00\smmol/L"))
    expect(source).to_contain_text("Observation/browser-edge-digits")
    expect(source).to_contain_text("MRN-00991")


def test_ten_thousand_heart_rates_do_not_hide_a_weight_of_years_ago(visit):
    page = visit().sign_in().open(CHART)
    vitals = page.get_by_role("region", name="Vital signs")

    expect(vitals).to_contain_text(re.compile(r"80\.5\skg"))
    expect(vitals).to_contain_text("Looked through the latest 200 of 10,001")
    assert page.locator("*").count() < 1500


def test_the_course_of_a_value_is_a_chart_and_a_table(visit):
    page = visit().sign_in().open(CHART)

    page.get_by_role("button", name="Show the trend of HbA1c").click()
    drawer = page.get_by_role("dialog", name="HbA1c")
    expect(drawer.get_by_role("application")).to_have_accessible_name(re.compile("40 values"))
    expect(drawer.locator("canvas")).to_be_visible()
    drawer.get_by_text("Table", exact=True).click()

    expect(drawer.get_by_role("row")).to_have_count(41)


def test_without_a_network_it_says_so_and_goes_on_afterwards(visit):
    opened = visit().sign_in()
    opened.expect_failures("/fhir/", "/assets/")
    page = opened.open(CHART)

    opened.context.set_offline(True)
    expect(page.get_by_text("You are offline.").first).to_be_visible()
    page.get_by_role("button", name="Show the trend of HbA1c").click()
    drawer = page.get_by_role("dialog", name="HbA1c")
    expect(drawer.get_by_role("alert")).to_contain_text("You are offline.", timeout=15_000)
    opened.context.set_offline(False)
    drawer.get_by_role("button", name="Try again").click()

    expect(drawer.get_by_role("application")).to_be_visible()
