"""`polyclinic token`: a bearer token for a client."""

import sys
from argparse import ArgumentParser, Namespace

from polyclinic.kernel.module import Command, Services
from polyclinic.modules.identity.service import Identity


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
        name="token",
        summary="make a bearer token for a client",
        example="polyclinic token --user doctor",
        run=token,
        add_arguments=token_arguments,
    ),
)
