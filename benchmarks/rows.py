"""What each row of the benchmark does, request by request.

A row is a coroutine that makes one step on a connection: one request, or a round of them. Every
answer's status is checked; an unexpected one ends the benchmark.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from benchmarks.bundles import directory, transactions
from benchmarks.searches import CHART, KINDS, PATIENT, Asker, Known, Query, address
from benchmarks.workload import Workload, changed
from polyclinic.testing.connection import HttpConnection, Response

Json = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_SHOWN: Final = 500


class UnexpectedAnswer(Exception):
    """The server answered with another status than the row asks for."""


class Seed(msgspec.Struct, frozen=True):
    """What is stored before the first row."""

    ids: list[str]
    """Type and id of resources: ``Observation/1``."""
    others: dict[str, str]
    """A reference for each type that the workload refers to besides Patient."""
    known: Known
    """What searches ask for."""


class Client:
    """One connection at work: what it sends is drawn from its own random numbers."""

    def __init__(self, connection: HttpConnection, seed: Seed, number: int) -> None:
        self.connection = connection
        self.seed = seed
        self.random = random.Random(number)  # noqa: S311 - repeatable, not secret
        self.workload = Workload(number)
        self.asker = Asker(seed.known, self.random)
        self.bundles: list[tuple[bytes, int]] | None = None
        self.latencies: list[float] = []
        self.resources = 0
        """How many resources were written in transactions."""

    async def send(self, method: str, path: str, expected: int, body: bytes = b"") -> Response:
        """Send a request and note how long it took. Raise ``UnexpectedAnswer``."""
        began = time.perf_counter()
        response = await self.connection.request(method, path, body)
        self.latencies.append(time.perf_counter() - began)
        if response.status != expected:
            text = response.body[:_SHOWN].decode(errors="replace")
            message = f"{method} {path} was answered {response.status}, not {expected}: {text}"
            raise UnexpectedAnswer(message)
        return response

    def round(self) -> list[Json]:
        """Return the nine resources for a patient who is stored."""
        patient = f"Patient/{self.random.choice(self.seed.known.patients)}"
        return self.workload.round(patient, self.seed.others)


async def read(client: Client) -> None:
    """Read one of many resources by its id."""
    await client.send("GET", f"/fhir/{client.random.choice(client.seed.ids)}", 200)


async def create(client: Client) -> None:
    """Create one of each of the nine kinds."""
    for resource in client.round():
        await client.send("POST", f"/fhir/{resource['resourceType']}", 201, _encode(resource))


async def crud(client: Client) -> None:
    """Create the nine, read each, change a value that is searched by, delete each."""
    stored: list[tuple[str, Json]] = []
    for resource in client.round():
        resource_type = resource["resourceType"]
        answer = await client.send("POST", f"/fhir/{resource_type}", 201, _encode(resource))
        identity = _location(answer).split("/")[-3]
        stored.append((f"/fhir/{resource_type}/{identity}", {**resource, "id": identity}))
    for path, _ in stored:
        await client.send("GET", path, 200)
    for path, resource in stored:
        await client.send("PUT", path, 200, _encode(changed(resource)))
    for path, _ in stored:
        await client.send("DELETE", path, 204)


def searching(*queries: Query) -> "Step":
    """Return a row that searches by one of some queries at a time."""

    async def step(client: Client) -> None:
        await _search(client, client.random.choice(queries))

    return step


async def mixed(client: Client) -> None:
    """Search by each kind as often as by the others."""
    kind = client.random.choice(list(KINDS))
    await _search(client, client.random.choice(KINDS[kind]))


async def _search(client: Client, query: Query) -> None:
    answer = await client.send("GET", f"/fhir/{address(query, client.asker)}", 200)
    if b'"resourceType":"Bundle"' not in answer.body:
        message = "a search was not answered with a Bundle"
        raise UnexpectedAnswer(message)
    if b'"mode":"outcome"' in answer.body:
        message = f"a search was answered with a warning: {answer.body[-_SHOWN:].decode()}"
        raise UnexpectedAnswer(message)


async def transaction(client: Client) -> None:
    """Store some patients' whole records in one transaction."""
    if client.bundles is None:
        client.bundles = transactions(_BUNDLES)
        await client.send("POST", "/fhir", 200, directory())
        client.latencies.clear()
    body, entries = client.random.choice(client.bundles)
    await client.send("POST", "/fhir", 200, body)
    client.resources += entries


Step = Callable[[Client], Awaitable[None]]
STEPS: Final[dict[str, Step]] = {
    "read": read,
    "create": create,
    "crud": crud,
    "search": mixed,
    "transaction": transaction,
    "chart": searching(*CHART),
    "patient": searching(*PATIENT),
    **{f"search-{kind}": searching(*queries) for kind, queries in KINDS.items()},
}
USUAL: Final = ("read", "create", "crud", "search", "chart", "patient", "transaction")
"""The rows that are measured unless others are named."""
MOST_CONNECTIONS: Final = {"transaction": 4}
"""Rows of large requests, which no client sends in numbers."""
_BUNDLES: Final = 8


@dataclass(frozen=True, slots=True)
class Measured:
    """What one row did while it was measured."""

    requests: int
    seconds: float
    p50: float
    """Milliseconds within which half of the requests were answered."""
    p95: float
    resources: int = 0
    """How many resources were written in transactions."""


async def drive(clients: list[Client], step: Step, seconds: float) -> Measured:
    """Let every client repeat a row's step for some seconds; a step that began is finished."""
    for client in clients:
        client.latencies.clear()
        client.resources = 0
    began = time.perf_counter()

    async def repeat(client: Client) -> None:
        while time.perf_counter() - began < seconds:
            await step(client)

    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(repeat(client))
    passed = time.perf_counter() - began
    latencies = sorted(latency for client in clients for latency in client.latencies)
    p50, p95 = (_percentile(latencies, share) for share in (0.5, 0.95))
    resources = sum(client.resources for client in clients)
    return Measured(len(latencies), passed, p50, p95, resources)


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


def _location(answer: Response) -> str:
    location = answer.header("location")
    if location is None:
        message = "a create was answered without Location"
        raise UnexpectedAnswer(message)
    return location
