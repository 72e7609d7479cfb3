"""Sessions and tokens: how long they last, and how they end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from polyclinic.kernel.errors import Forbidden, Unauthenticated
from polyclinic.modules.identity.model import NewAccount
from polyclinic.modules.identity.settings import IdentitySettings

SETTINGS = IdentitySettings()
IDLE = timedelta(minutes=SETTINGS.session_idle_minutes)
PASSWORD = "correct horse battery staple"


async def is_in(identity, headers, method="GET"):
    try:
        await identity.authenticate(headers, method)
    except Unauthenticated:
        return False
    return True


async def test_a_session_that_is_used_stays(identity, cookie, clock):
    for _ in range(6):
        clock.advance(minutes=14)
        assert await is_in(identity, cookie)


async def test_a_session_that_is_not_used_ends(identity, other, cookie, clock):
    assert await is_in(identity, cookie)

    clock.advance(minutes=16)

    assert not await is_in(identity, cookie)
    assert not await is_in(other, cookie)


async def test_a_session_that_is_used_in_another_process_stays_here(identity, other, cookie, clock):
    assert await is_in(identity, cookie)
    for _ in range(3):
        clock.advance(minutes=10)
        assert await is_in(other, cookie)

    assert await is_in(identity, cookie)


async def test_a_session_ends_after_twelve_hours_in_any_case(identity, cookie, clock):
    for _ in range(12 * 6 - 1):
        clock.advance(minutes=10)
        assert await is_in(identity, cookie)

    clock.advance(minutes=10)

    assert not await is_in(identity, cookie)


async def test_a_token_lasts_without_being_used_and_ends_on_its_day(identity, bearer, clock):
    clock.advance(days=SETTINGS.token_days - 1)
    assert await is_in(identity, bearer)

    clock.advance(days=1)

    assert not await is_in(identity, bearer)


async def test_signing_out_ends_a_session_at_once(identity, cookie):
    assert await is_in(identity, cookie)

    await identity.sign_out(cookie[b"cookie"].decode().partition("=")[2])

    assert not await is_in(identity, cookie)


async def test_signing_out_ends_it_in_another_process_within_a_second(
    identity, other, cookie, clock
):
    assert await is_in(other, cookie)

    await identity.sign_out(cookie[b"cookie"].decode().partition("=")[2])
    clock.advance(seconds=1)

    assert not await is_in(other, cookie)


async def test_disabling_an_account_ends_it_in_another_process_within_a_second(
    identity, other, doctor, bearer, clock
):
    assert await is_in(other, bearer)

    await identity.set_disabled(doctor.name, disabled=True)
    clock.advance(seconds=1)

    assert not await is_in(other, bearer)


async def test_a_new_password_ends_every_session(identity, other, doctor, cookie, clock):
    assert await is_in(other, cookie)

    await identity.set_password(doctor.name, "another one")
    clock.advance(seconds=1)

    assert not await is_in(identity, cookie)
    assert not await is_in(other, cookie)


async def test_new_rights_hold_in_sessions_that_are_open(identity, other, doctor, cookie, clock):
    await other.authenticate(cookie, "GET")
    fewer = NewAccount(doctor.name, doctor.display, frozenset({"frontdesk"}), None)

    await identity.put_account(fewer, PASSWORD)
    clock.advance(seconds=1)

    expected = replace(doctor.principal(), roles=frozenset({"frontdesk"}))
    assert await other.authenticate(cookie, "GET") == expected
    assert await identity.authenticate(cookie, "GET") == expected


async def test_sweeping_removes_what_has_expired_and_nothing_else(identity, cookie, bearer, clock):
    clock.advance(hours=13)

    await identity.sweep()

    assert await is_in(identity, bearer)
    assert not await is_in(identity, cookie)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_a_cookie_reads_without_the_guard(identity, cookie, method):
    del cookie[b"x-polyclinic-request"]

    assert await is_in(identity, cookie, method)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
@pytest.mark.parametrize("guard", [None, b"", b"0", b"true"])
async def test_a_cookie_changes_nothing_without_the_guard(identity, cookie, method, guard):
    headers = {b"cookie": cookie[b"cookie"]}
    if guard is not None:
        headers[b"x-polyclinic-request"] = guard

    with pytest.raises(Forbidden):
        await identity.authenticate(headers, method)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_token_needs_no_guard(identity, bearer, method):
    assert await is_in(identity, bearer, method)


async def test_a_secret_works_only_the_way_it_was_given_out(identity, cookie, bearer):
    of_cookie = cookie[b"cookie"].partition(b"=")[2]
    of_token = bearer[b"authorization"].partition(b" ")[2]

    assert not await is_in(identity, {b"authorization": b"Bearer " + of_cookie})
    assert not await is_in(identity, {b"cookie": b"polyclinic_session=" + of_token})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"cookie": b""},
        {b"cookie": b"polyclinic_session="},
        {b"cookie": b"polyclinic_session=guess"},
        {b"cookie": b"other=1"},
        {b"authorization": b""},
        {b"authorization": b"Bearer"},
        {b"authorization": b"Bearer "},
        {b"authorization": b"Bearer guess"},
        {b"authorization": b"Basic ZG9jdG9yOng="},
        {b"authorization": b"\xff\xfe"},
    ],
)
async def test_nobody_gets_in_with_nothing(identity, headers):
    with pytest.raises(Unauthenticated):
        await identity.authenticate(headers, "GET")


async def test_a_bad_token_beside_a_good_cookie_is_refused(identity, cookie):
    assert not await is_in(identity, cookie | {b"authorization": b"Bearer guess"})


@pytest.mark.parametrize("before", [b'a={"x":1}; ', b"a=b c; ", b"=; ", b"a; ", b'a="b; '])
async def test_other_peoples_cookies_do_not_hide_ours(identity, cookie, before):
    assert await is_in(identity, {b"cookie": before + cookie[b"cookie"]})


async def test_what_a_machine_asks_does_not_keep_an_unattended_session(identity, cookie, clock):
    background = cookie | {b"x-polyclinic-background": b"1"}
    answers: list[bool] = []
    for _ in range(SETTINGS.session_idle_minutes):
        clock.advance(minutes=1)
        answers.append(await is_in(identity, background))

    clock.advance(minutes=1)

    assert answers[-1]
    assert not await is_in(identity, background)
    assert not await is_in(identity, cookie)


async def test_the_control_by_its_user_keeps_the_session(identity, cookie, clock):
    for _ in range(SETTINGS.session_idle_minutes + 1):
        clock.advance(minutes=1)
        await is_in(identity, cookie | {b"x-polyclinic-background": b"1"})
        assert await is_in(identity, cookie)


async def test_signing_out_ends_what_a_machine_asks_too(identity, cookie):
    background = cookie | {b"x-polyclinic-background": b"1"}
    assert await is_in(identity, background)

    await identity.sign_out(cookie[b"cookie"].decode().partition("=")[2])

    assert not await is_in(identity, background)
