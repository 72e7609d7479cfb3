"""`polyclinic account` and `polyclinic token`: who may sign in, from the command line."""

import secrets
import sys
from argparse import ArgumentParser, Namespace
from typing import Final

from polyclinic.kernel.access.policy import SHIPPED, shipped
from polyclinic.kernel.module import Command, Services
from polyclinic.modules.identity.model import NewAccount
from polyclinic.modules.identity.service import Identity

_PASSWORD_BYTES: Final = 12
_PEOPLE: Final = sorted(shipped(SHIPPED[0]).roles - {"job"})


def account_arguments(parser: ArgumentParser) -> None:
    """Add what ``account`` takes."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make an account; its password is printed once")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", required=True, action="append", choices=_PEOPLE)
    add.add_argument("--display", metavar="TEXT", help="the person's name (default: NAME)")
    add.add_argument("--patient", metavar="ID", help="the Patient that a patient's account is of")
    for action, words in (
        ("password", "give a new password, printed once; every session ends"),
        ("disable", "let nobody sign in with it; every session and token ends"),
        ("enable", "let it sign in again"),
    ):
        actions.add_parser(action, help=words).add_argument("name", metavar="NAME")
    link = actions.add_parser(
        "link", help="say who an account is and acts for; what is not given is taken away"
    )
    link.add_argument("name", metavar="NAME")
    link.add_argument("--practitioner", metavar="ID", help="the Practitioner that it belongs to")
    link.add_argument(
        "--represents", metavar="ID", action="append", help="a Patient that it acts for"
    )
    actions.add_parser("list", help="list the accounts")


async def account(services: Services, given: Namespace) -> int:
    """Make, change or list accounts."""
    identity = services.part(Identity)
    if given.action == "list":
        for one in await identity.accounts():
            state = "disabled" if one.disabled else ", ".join(sorted(one.roles))
            sys.stdout.write(f"{one.name}\t{state}\t{one.display}\n")
        return 0
    exists = await identity.has_account(given.name)
    if exists is (given.action == "add"):
        words = "there is an account" if exists else "there is no account"
        sys.stderr.write(f"polyclinic account: {words} {given.name}\n")
        return 1
    if given.action == "link":
        await identity.link(given.name, given.practitioner, given.represents or [])
        return 0
    if given.action in ("disable", "enable"):
        await identity.set_disabled(given.name, disabled=given.action == "disable")
        return 0
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    if given.action == "add":
        display = given.display or given.name
        new = NewAccount(given.name, display, frozenset(given.role), None, given.patient)
        await identity.put_account(new, password)
    else:
        await identity.set_password(given.name, password)
    sys.stdout.write(f"{password}\n")
    return 0


def token_arguments(parser: ArgumentParser) -> None:
    """Add what ``token`` takes."""
    parser.add_argument("--user", required=True, metavar="NAME", help="name of the account")
    parser.add_argument(
        "--label",
        default="command line",
        metavar="TEXT",
        help="what the token is for (default: command line)",
    )


async def token(services: Services, given: Namespace) -> int:
    """Write a new token of an account to standard output; it is shown only here."""
    try:
        secret = await services.part(Identity).issue_token(given.user, given.label)
    except LookupError:
        sys.stderr.write(f"polyclinic token: there is no account {given.user}\n")
        return 1
    sys.stdout.write(f"{secret}\n")
    return 0


COMMANDS = (
    Command(
        name="account",
        summary="make, disable or list the accounts that sign in",
        example="polyclinic account add amani --role nurse",
        run=account,
        add_arguments=account_arguments,
    ),
    Command(
        name="token",
        summary="make a bearer token for a client",
        example="polyclinic token --user doctor",
        run=token,
        add_arguments=token_arguments,
    ),
)
