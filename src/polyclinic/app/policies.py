"""`polyclinic policy`: which policy holds, and another one instead."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import msgspec

from polyclinic.app.build import job_principal
from polyclinic.kernel.access.policy import SHIPPED, InvalidPolicy, read_policy, shipped
from polyclinic.kernel.module import Command, Services


def _arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="list the policies that ship and the versions set here")
    show = actions.add_parser("show", help="print the policy that holds, or one that ships")
    show.add_argument("name", nargs="?", choices=SHIPPED, help="one that ships")
    for action, words in (
        ("check", "say whether a policy can be used"),
        ("set", "let a policy hold from now on"),
    ):
        added = actions.add_parser(action, help=words)
        added.add_argument(
            "policy", metavar="FILE|NAME", help="a JSON file, or the name of one that ships"
        )


async def _policy(services: Services, given: Namespace) -> int:
    """Run one action; a policy that cannot be used is one line and exit code 1."""
    policies = services.store.policies
    principal = job_principal(services, "policy")
    try:
        match given.action:
            case "list":
                for name in SHIPPED:
                    sys.stdout.write(f"ships\t{name}\t{shipped(name).document.title}\n")
                for one in await policies.versions(principal):
                    title = read_policy(one.document).document.title
                    sys.stdout.write(f"{one.number}\t{one.at:%Y-%m-%d %H:%M:%S}\t{title}\n")
            case "show":
                holds = await policies.current(principal.tenant)
                document = (shipped(given.name) if given.name else holds).document
                written = msgspec.json.format(msgspec.json.encode(document), indent=2)
                sys.stdout.write(written.decode() + "\n")
            case "check":
                read_policy(_read(given.policy))
                sys.stdout.write("It can be used.\n")
            case _:
                number = await policies.set(principal, _read(given.policy))
                sys.stdout.write(f"Policy {number} holds from now on.\n")
    except InvalidPolicy as error:
        sys.stderr.write(f"polyclinic policy: {error}\n")
        return 1
    return 0


def _read(name: str) -> bytes:
    if name in SHIPPED:
        return msgspec.json.encode(shipped(name).document)
    return Path(name).read_bytes()


POLICY = Command(
    "policy",
    "say who may do what: list, show, check and set policies",
    "polyclinic policy set need-to-know",
    _policy,
    _arguments,
)
