"""Signing in, signing out, and a session that ends, in a browser."""

from playwright.sync_api import expect

CHART = "/patients/browser-edge"


def sign_in_by_form(page, user, password):
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password", exact=True).fill(password)
    page.keyboard.press("Enter")


def test_the_right_password_opens_the_page_that_was_asked_for(visit, house):
    opened = visit()
    page = opened.open(CHART)

    sign_in_by_form(page, "doctor", house.passwords["doctor"])

    expect(page.get_by_role("region", name="Patient")).to_contain_text("María Fernanda")
    assert page.url == house.address + CHART


def test_a_wrong_password_is_told(visit):
    opened = visit()
    opened.expect_failures("/auth/sign-in")
    page = opened.open("/")

    sign_in_by_form(page, "doctor", "not the password")

    expect(page.get_by_role("alert")).to_contain_text("wrong")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()


def test_after_signing_out_the_way_back_shows_nobody(visit):
    opened = visit().sign_in()
    page = opened.open(CHART)

    page.get_by_role("button", name="Account of").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.reload()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("María Fernanda")).to_have_count(0)


def test_a_session_that_ends_is_taken_up_where_it_was(visit, house):
    opened = visit().sign_in()
    opened.expect_failures("/fhir/")
    page = opened.open(CHART)

    opened.context.clear_cookies()
    page.get_by_role("button", name="Show the trend of HbA1c").click()

    expect(page.get_by_text("You were signed out")).to_be_visible()
    expect(page.get_by_text("María Fernanda")).to_have_count(0)
    sign_in_by_form(page, "doctor", house.passwords["doctor"])
    expect(page.get_by_role("region", name="Patient")).to_contain_text("María Fernanda")
    assert page.url == house.address + CHART


def test_nothing_about_a_patient_outlives_the_page(visit):
    opened = visit().sign_in()
    page = opened.open(CHART)
    expect(page.get_by_role("region", name="Problems")).to_contain_text("diabetes")

    kept = page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    databases = page.evaluate("indexedDB.databases()")

    assert "Fernanda" not in kept
    assert "1987" not in kept
    assert databases == []
    assert page.title() == "Chart · Polyclinic"
