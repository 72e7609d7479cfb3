"""Signing in: who gets in, who does not, and what neither learns."""

import asyncio

import pytest
from argon2 import PasswordHasher

from polyclinic.kernel.errors import Unauthenticated
from polyclinic.modules.identity.model import Busy, TooManyAttempts
from polyclinic.modules.identity.passwords import LONGEST, Passwords
from polyclinic.modules.identity.settings import IdentitySettings

PASSWORD = "correct horse battery staple"
HERE = "192.0.2.7"
FAILURES = IdentitySettings().sign_in_failures


async def refusal(identity, name, password, address=HERE):
    with pytest.raises(Unauthenticated) as raised:
        await identity.sign_in(name, password, address)
    return raised.value.issues


async def fail(identity, times, name="doctor", address=HERE):
    for _ in range(times):
        await refusal(identity, name, "wrong", address)


async def test_the_right_password_opens_a_session_of_that_account(identity, doctor):
    secret, principal = await identity.sign_in("doctor", PASSWORD, HERE)

    found = await identity.authenticate({b"cookie": f"polyclinic_session={secret}".encode()}, "GET")
    assert found == principal == doctor.principal()
    assert principal.roles == {"clinician"}


async def test_two_sessions_have_different_secrets(identity, doctor):
    secrets = {(await identity.sign_in(doctor.name, PASSWORD, HERE))[0] for _ in range(2)}

    assert len(secrets) == 2
    assert min(map(len, secrets)) >= 43


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD.upper(), PASSWORD + " ", "x" * 5000])
async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(identity, doctor, password):
    known = await refusal(identity, doctor.name, password)
    unknown = await refusal(identity, "nobody", password)

    assert known == unknown


@pytest.mark.parametrize("name", ["", "DOCTOR", "doctor\x00", "\x00", "x" * 5000, "doctor'--"])
async def test_a_strange_name_is_just_unknown(identity, doctor, name):
    assert doctor.name == "doctor"

    await refusal(identity, name, PASSWORD)


async def test_a_disabled_account_gets_the_same_answer_and_loses_its_sessions(
    identity, doctor, cookie, bearer
):
    unknown = await refusal(identity, "nobody", PASSWORD)

    await identity.set_disabled(doctor.name, disabled=True)

    assert await refusal(identity, doctor.name, PASSWORD) == unknown
    for headers in (cookie, bearer):
        with pytest.raises(Unauthenticated):
            await identity.authenticate(headers, "GET")


async def test_an_account_without_a_password_cannot_sign_in(identity, doctor, pool):
    async with pool.acquire() as connection:
        await connection.execute(
            "update account set password_hash = null where account = $1", doctor.number
        )

    await refusal(identity, doctor.name, PASSWORD)


async def test_another_clinics_account_is_unknown_here(identity, doctor, pool, store, kek):
    other = await store.open_tenant(f"another-clinic-{doctor.number}", kek)
    async with pool.acquire() as connection:
        await connection.execute(
            "update account set tenant = $2 where account = $1", doctor.number, other.number
        )

    await refusal(identity, doctor.name, PASSWORD)


async def test_guessing_the_password_of_an_account_is_stopped_for_five_minutes(
    identity, doctor, clock
):
    await fail(identity, FAILURES)

    with pytest.raises(TooManyAttempts):
        await identity.sign_in(doctor.name, PASSWORD, "198.51.100.1")
    clock.advance(minutes=6)
    assert await identity.sign_in(doctor.name, PASSWORD, HERE)


async def test_guesses_of_one_account_do_not_lock_another_out(identity, doctor):
    await fail(identity, FAILURES, name="someone else")

    assert await identity.sign_in(doctor.name, PASSWORD, HERE)


async def test_guessing_many_names_from_one_address_is_stopped(identity, doctor, monkeypatch):
    monkeypatch.setattr(identity._passwords, "verify", never_right)
    for number in range(10 * FAILURES):
        await refusal(identity, f"name {number}", "wrong")

    with pytest.raises(TooManyAttempts):
        await identity.sign_in(doctor.name, PASSWORD, HERE)
    await refusal(identity, doctor.name, "wrong", "198.51.100.2")


async def never_right(_password, _hash):
    return False


async def test_guesses_sent_all_at_once_are_not_more(identity, doctor):
    answers = await asyncio.gather(
        *(identity.sign_in(doctor.name, "wrong", HERE) for _ in range(3 * FAILURES)),
        return_exceptions=True,
    )

    verified = [answer for answer in answers if isinstance(answer, Unauthenticated)]
    assert len(verified) <= FAILURES
    assert sum(isinstance(answer, TooManyAttempts) for answer in answers) >= 2 * FAILURES


async def test_signing_in_often_is_no_guessing(identity, doctor, monkeypatch):
    monkeypatch.setattr(identity._passwords, "verify", always_right)

    for _ in range(2 * FAILURES):
        await identity.sign_in(doctor.name, PASSWORD, HERE)


async def always_right(_password, _hash):
    return True


async def test_what_is_refused_says_when_to_come_back():
    assert TooManyAttempts().retry_after == 300
    assert (TooManyAttempts().http_status, Busy().http_status) == (429, 503)


async def test_a_flood_of_sign_ins_waits_in_a_short_line():
    passwords = Passwords()
    passwords._nobody = PasswordHasher(time_cost=1, memory_cost=64).hash("y")

    answers = await asyncio.gather(
        *(passwords.verify("x", None) for _ in range(100)), return_exceptions=True
    )
    afterwards = await passwords.verify("x", None)
    passwords.close()

    assert sum(isinstance(answer, Busy) for answer in answers) == 68
    assert afterwards is False


async def test_a_hash_is_argon2id_and_never_the_same():
    passwords = Passwords()

    first, second = await passwords.hash("x"), await passwords.hash("x")

    assert first.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert first != second
    assert await passwords.verify("x", second)
    assert not await passwords.verify("x", "no hash at all")
    passwords.close()


def test_an_unknown_name_costs_as_much_as_a_wrong_password():
    passwords = Passwords()

    assert passwords._hasher.check_needs_rehash(passwords._nobody) is False
    assert passwords._nobody != Passwords()._nobody


async def test_a_password_that_is_too_long_is_not_hashed(identity, doctor, monkeypatch):
    monkeypatch.setattr(identity._passwords, "verify", always_right)

    await refusal(identity, doctor.name, "x" * (LONGEST + 1))
