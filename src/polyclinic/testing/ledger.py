"""What a server has acknowledged, and whether it still knows it: for tests that kill it.

A write stands in the ledger as acknowledged only after its answer was read to the end. A
transaction stands there from before it is sent, because also one that was never answered must be
there whole or not at all.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from polyclinic.testing.connection import HttpConnection, Response, connect
from polyclinic.testing.installation import HOST

Json = dict[str, Any]

SYSTEM: Final = "urn:example:ledger"
"""The system of the identifier that ties the entries of a transaction together."""
_READERS: Final = 8


@dataclass(slots=True)
class Transaction:
    """One transaction Bundle that was sent."""

    number: str
    """The identifier's value that all its resources have."""
    size: int
    paths: dict[str, Json]
    """Content by path where the client has chosen the ids; empty where the server does."""
    acknowledged: bool = False


@dataclass(slots=True)
class Counted:
    """A resource that is updated again and again; its value is its version."""

    sent: int = 0
    acknowledged: int = 0


@dataclass(slots=True)
class Ledger:
    """Everything that was written in one round."""

    created: dict[str, Json] = field(default_factory=dict)
    """Content by path, of creates and of the entries of transactions that were acknowledged."""
    transactions: list[Transaction] = field(default_factory=list)
    counted: dict[str, Counted] = field(default_factory=dict)

    @property
    def acknowledged(self) -> int:
        """Return how many resource versions were acknowledged."""
        return len(self.created) + sum(one.acknowledged for one in self.counted.values())

    def join(self, other: "Ledger") -> None:
        """Take in what another round has written."""
        self.created |= other.created
        self.transactions += other.transactions
        self.counted |= other.counted


@dataclass(slots=True)
class Findings:
    """What a server that was killed and started again does not say as it should."""

    lost: list[str] = field(default_factory=list)
    """Acknowledged and not there."""
    altered: list[str] = field(default_factory=list)
    """There, with other content or an impossible version."""
    halved: list[str] = field(default_factory=list)
    """Transactions of which only a part is there."""

    @property
    def any(self) -> bool:
        """Say whether there is any."""
        return bool(self.lost or self.altered or self.halved)


async def examine(port: int, token: str, ledger: Ledger) -> Findings:
    """Read everything in the ledger over HTTP and return what is wrong."""
    findings = Findings()
    checks: list[Check] = [
        *(_created(path, content, findings) for path, content in ledger.created.items()),
        *(_whole(transaction, findings) for transaction in ledger.transactions),
        *(_counted(path, counted, findings) for path, counted in ledger.counted.items()),
    ]
    queue = iter(checks)
    async with asyncio.TaskGroup() as group:
        for _ in range(_READERS):
            group.create_task(_work(port, token, queue))
    return findings


Check = Callable[[HttpConnection], Awaitable[None]]


async def _work(port: int, token: str, queue: Iterable[Check]) -> None:
    connection = await connect(HOST, port, {"authorization": f"Bearer {token}"})
    for check in queue:
        await check(connection)
    connection.close()
    await asyncio.sleep(0)


def _created(path: str, content: Json, findings: Findings) -> Check:
    async def check(connection: HttpConnection) -> None:
        answer = await connection.request("GET", f"/fhir/{path}")
        if answer.status == 404:  # noqa: PLR2004 - HTTP
            findings.lost.append(path)
        elif answer.status != 200 or not _same(answer, content):  # noqa: PLR2004 - HTTP
            findings.altered.append(path)

    return check


def _counted(path: str, counted: Counted, findings: Findings) -> Check:
    async def check(connection: HttpConnection) -> None:
        answer = await connection.request("GET", f"/fhir/{path}")
        if counted.acknowledged == 0 and answer.status == 404:  # noqa: PLR2004 - HTTP
            return
        found = _parsed(answer)
        version = int(found.get("meta", {}).get("versionId", 0))
        value = found.get("valueInteger")
        if version < counted.acknowledged:
            findings.lost.append(f"{path}/_history/{counted.acknowledged}")
        elif version > counted.sent or value != version:
            findings.altered.append(path)

    return check


def _whole(transaction: Transaction, findings: Findings) -> Check:
    async def check(connection: HttpConnection) -> None:
        if transaction.paths:
            found = await _present(connection, transaction.paths)
        else:
            found = await _matching(connection, transaction.number)
        if transaction.acknowledged and found == 0:
            findings.lost.append(f"transaction {transaction.number}")
        elif found not in (0, transaction.size):
            findings.halved.append(f"{transaction.number}: {found} of {transaction.size}")

    return check


async def _present(connection: HttpConnection, paths: Iterable[str]) -> int:
    answers = [await connection.request("GET", f"/fhir/{path}") for path in paths]
    return sum(answer.status == 200 for answer in answers)  # noqa: PLR2004 - HTTP


async def _matching(connection: HttpConnection, number: str) -> int:
    found = 0
    for resource_type in ("Patient", "Observation"):
        query = f"{resource_type}?identifier={SYSTEM}%7C{number}&_count=100"
        answer = await connection.request("GET", f"/fhir/{query}")
        found += len(_parsed(answer).get("entry", []))
    return found


def _same(answer: Response, content: Json) -> bool:
    """Compare what is stored with what was sent; id and meta are the server's."""
    found = _parsed(answer)
    sent = json.loads(json.dumps(content), parse_float=Decimal)
    for name in ("id", "meta"):
        found.pop(name, None)
        sent.pop(name, None)
    return bool(found == sent)


def _parsed(answer: Response) -> Json:
    parsed: Json = json.loads(answer.body, parse_float=Decimal)
    return parsed
