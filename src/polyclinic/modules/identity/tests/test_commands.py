"""`polyclinic account` as an administrator types it."""

from argparse import ArgumentParser
from dataclasses import dataclass
from typing import Any

import pytest

from polyclinic.kernel.errors import Unauthenticated
from polyclinic.modules.identity.commands import account, account_arguments
from polyclinic.modules.identity.repository import Accounts
from polyclinic.modules.identity.service import Identity
from polyclinic.modules.identity.settings import IdentitySettings


@dataclass
class OneIdentity:
    """The one part that the commands ask the services for."""

    identity: Identity

    def part(self, kind: type) -> Any:
        assert kind is Identity
        return self.identity


@pytest.fixture
def identity(pool, clinic, clock, passwords):
    return Identity(Accounts(pool, clinic.tenant.number), passwords, clock, IdentitySettings())


@pytest.fixture
def run(identity, capsys):
    async def typed(*words: str) -> tuple[int, str]:
        parser = ArgumentParser()
        account_arguments(parser)
        services: Any = OneIdentity(identity)
        code = await account(services, parser.parse_args(words))
        return code, capsys.readouterr().out.strip()

    return typed


async def test_the_printed_password_signs_in(run, identity):
    code, password = await run("add", "amani", "--role", "nurse", "--display", "Amani N.")

    _, principal = await identity.sign_in("amani", password, "127.0.0.1")

    assert code == 0
    assert (principal.display, principal.roles) == ("Amani N.", {"nurse"})


async def test_a_new_password_ends_the_old_one_and_every_session(run, identity):
    _, old = await run("add", "amani", "--role", "nurse")
    secret, _ = await identity.sign_in("amani", old, "127.0.0.1")

    _, new = await run("password", "amani")

    cookie = {b"cookie": f"polyclinic_session={secret}".encode()}
    with pytest.raises(Unauthenticated):
        await identity.authenticate(cookie, "GET")
    with pytest.raises(Unauthenticated):
        await identity.sign_in("amani", old, "127.0.0.1")
    assert (await identity.sign_in("amani", new, "127.0.0.1"))[1].name == "amani"


async def test_a_disabled_account_signs_in_again_when_it_is_enabled(run, identity):
    _, password = await run("add", "amani", "--role", "nurse")
    await run("disable", "amani")

    with pytest.raises(Unauthenticated):
        await identity.sign_in("amani", password, "127.0.0.1")
    await run("enable", "amani")

    assert (await identity.sign_in("amani", password, "127.0.0.1"))[1].name == "amani"


async def test_an_account_is_added_once_and_changed_only_when_it_exists(run):
    await run("add", "amani", "--role", "nurse")

    assert (await run("add", "amani", "--role", "nurse"))[0] == 1
    assert (await run("disable", "nobody"))[0] == 1
    assert await run("list") == (0, "amani\tnurse\tamani")


async def test_a_link_holds_from_the_next_request_and_is_taken_away_again(run, identity):
    _, password = await run("add", "amani", "--role", "nurse")
    secret, _ = await identity.sign_in("amani", password, "127.0.0.1")
    cookie = {b"cookie": f"polyclinic_session={secret}".encode()}

    await run("link", "amani", "--practitioner", "d", "--represents", "p", "--represents", "q")
    linked = await identity.authenticate(cookie, "GET")
    await run("link", "amani")
    unlinked = await identity.authenticate(cookie, "GET")

    assert (linked.practitioner, linked.represents) == ("d", {"p", "q"})
    assert (unlinked.practitioner, unlinked.represents) == (None, frozenset())
