"""`polyclinic token`: a bearer token for a client."""

import argparse
import sys

from polyclinic.kernel.module import Command, Services
from polyclinic.modules.identity.service import Identity


async def token(services: Services, arguments: list[str]) -> int:
    """Write a new token of an account to standard output; it is shown only here."""
    parser = argparse.ArgumentParser(prog="polyclinic token")
    parser.add_argument("--user", required=True, help="name of the account")
    parser.add_argument("--label", default="command line", help="what the token is for")
    given = parser.parse_args(arguments)
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
    ),
)
