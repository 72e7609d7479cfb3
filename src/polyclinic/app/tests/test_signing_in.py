"""The sign-in page's requests: cookie, guard, limits."""

from dataclasses import replace

import pytest
import pytest_asyncio

from polyclinic.base.settings import Settings
from polyclinic.kernel.errors import Unavailable
from polyclinic.modules.identity.service import Identity

PASSWORD = "correct horse battery staple"
GUARD = {"x-polyclinic-request": "1"}
GOOD = {"user": "doctor", "password": PASSWORD}


@pytest_asyncio.fixture(loop_scope="session")
async def browser(nobody):
    """Sign in, and return the client with its cookie."""
    answer = await nobody.post("/auth/sign-in", json=GOOD)
    assert answer.status_code == 200
    return nobody


async def test_signing_in_says_who_one_is(nobody):
    answer = await nobody.post("/auth/sign-in", json=GOOD)

    assert answer.json() == {
        "user": "doctor",
        "display": "Dr. Ada Okafor",
        "roles": ["clinician"],
        "tenant": "default",
        "patient": None,
    }
    assert answer.headers["cache-control"] == "no-store"
    assert "password" not in answer.text


async def test_the_cookie_is_for_this_server_and_no_script(nobody):
    cookie = (await nobody.post("/auth/sign-in", json=GOOD)).headers["set-cookie"].lower()

    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert "max-age=43200" in cookie
    assert "domain" not in cookie
    assert "secure" not in cookie


@pytest.mark.parametrize(
    ("address", "public_url"),
    [("https://clinic.test", None), ("http://127.0.0.1", "https://clinic.test")],
)
@pytest.mark.usefixtures("nobody")
async def test_over_https_the_cookie_is_for_https_only(
    started, connect, app_settings, address, public_url
):
    settings: Settings = replace(app_settings, public_url=public_url)
    running = started(settings=settings)
    async with running as application, connect(application, address) as client:
        answer = await client.post("/auth/sign-in", json=GOOD)

    assert "secure" in answer.headers["set-cookie"].lower()


async def test_signing_in_again_gives_a_new_secret(browser):
    before = browser.cookies["polyclinic_session"]

    await browser.post("/auth/sign-in", json=GOOD)

    assert browser.cookies["polyclinic_session"] != before


async def test_the_session_reads_and_with_the_guard_writes(browser):
    patient = {"resourceType": "Patient", "active": True}

    without = await browser.post("/fhir/Patient", json=patient)
    with_guard = await browser.post("/fhir/Patient", json=patient, headers=GUARD)

    assert (await browser.get("/auth/session")).json()["user"] == "doctor"
    assert (await browser.get("/fhir/Patient")).status_code == 200
    assert (without.status_code, with_guard.status_code) == (403, 201)


async def test_signing_out_needs_the_guard_and_ends_the_session(browser):
    secret = browser.cookies["polyclinic_session"]

    without = await browser.post("/auth/sign-out")
    signed_out = await browser.post("/auth/sign-out", headers=GUARD)
    browser.cookies.set("polyclinic_session", secret)

    assert (without.status_code, signed_out.status_code) == (403, 204)
    assert (await browser.get("/auth/session")).status_code == 401
    assert 'polyclinic_session=""' in signed_out.headers["set-cookie"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"user":"doctor"}',
        b'{"user":1,"password":2}',
        b'{"user":"doctor","password":"x","admin":true}',
        b'{"user":"\xff","password":"x"}',
        b'{"user":"\\ud800","password":"x"}',
    ],
)
async def test_what_is_no_sign_in_is_400(nobody, body):
    answer = await nobody.post(
        "/auth/sign-in", content=body, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_a_form_of_another_site_signs_nobody_in(nobody):
    content = b'{"user":"doctor","password":"%b","x":"="}' % PASSWORD.encode()

    for media in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = await nobody.post(
            "/auth/sign-in", content=content, headers={"content-type": media}
        )
        assert answer.status_code == 415
        assert "set-cookie" not in answer.headers


async def test_a_sign_in_that_is_too_large_is_413(nobody):
    answer = await nobody.post("/auth/sign-in", json=GOOD | {"password": "x" * 5000})

    assert answer.status_code == 413


async def test_a_wrong_password_is_401_and_sets_no_cookie(nobody):
    answer = await nobody.post("/auth/sign-in", json=GOOD | {"password": "wrong"})

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


async def test_guessing_is_answered_with_429_and_when_to_come_back(nobody, application):
    identity = application._services.part(Identity)
    tenant, now = identity._accounts.tenant, identity._clock.now()
    async with application._services.pool.acquire() as connection:
        await connection.execute(
            "insert into sign_in_failure (tenant, subject, window_start, failures)"
            " values ($1, sha256('account|guessed'::bytea), $2, 100)",
            *(tenant, now.replace(second=0, microsecond=0)),
        )

    answer = await nobody.post("/auth/sign-in", json={"user": "guessed", "password": "x"})

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "300")


async def test_a_database_that_is_away_is_503(nobody, application, monkeypatch):
    class Away:
        def acquire(self):
            message = "gone"
            raise OSError(message)

    accounts = application._services.part(Identity)._accounts
    monkeypatch.setattr(accounts, "_pool", Away())

    answers = [
        await nobody.post("/auth/sign-in", json=GOOD),
        await nobody.get("/fhir/Patient", headers={"authorization": "Bearer x"}),
        await nobody.get("/auth/session", headers={"authorization": "Bearer x"}),
    ]

    assert [answer.status_code for answer in answers] == [Unavailable.status] * 3


@pytest.mark.parametrize("origin", ["https://evil.test", "null"])
async def test_no_other_origin_is_allowed_to_read(browser, origin):
    answer = await browser.get("/fhir/Patient", headers={"origin": origin})

    assert "access-control-allow-origin" not in answer.headers
