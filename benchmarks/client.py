"""The process that loads the server, so that its own CPU time is not counted.

It reads one row per line on standard input, warms up, says ``ready``, measures when told to, and
answers with one line of JSON; the process that started it reads the CPU clocks around that. An
error is a line too.
"""

import asyncio
import sys

import msgspec
import uvloop

from benchmarks.rows import STEPS, Client, Measured, Seed, UnexpectedAnswer, drive
from polyclinic.testing.connection import connect

_encode = msgspec.json.Encoder().encode


class Target(msgspec.Struct, frozen=True):
    """Where the server is, who asks, and what it holds; the first line of standard input."""

    host: str
    port: int
    token: str
    seed: Seed


class Task(msgspec.Struct, frozen=True):
    """One row at one number of connections."""

    row: str
    connections: int
    warm_up: float
    seconds: float


class Failure(msgspec.Struct, frozen=True):
    """Why a row was not measured to its end."""

    error: str


def main() -> None:
    """Serve tasks until standard input ends."""
    target = msgspec.json.decode(sys.stdin.readline(), type=Target)
    for number, line in enumerate(sys.stdin):
        task = msgspec.json.decode(line, type=Task)
        try:
            measured = uvloop.run(_run(target, task, number))
        except* (UnexpectedAnswer, OSError) as group:
            _say(Failure(str(group.exceptions[0])))
        else:
            _say(measured)


async def _run(target: Target, task: Task, number: int) -> Measured:
    headers = {"authorization": f"Bearer {target.token}", "accept": "application/fhir+json"}
    clients = [
        Client(await connect(target.host, target.port, headers), target.seed, number * 1000 + index)
        for index in range(task.connections)
    ]
    try:
        step = STEPS[task.row]
        await drive(clients, step, task.warm_up)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        return await drive(clients, step, task.seconds)
    finally:
        for client in clients:
            client.connection.close()


def _say(answer: Measured | Failure) -> None:
    sys.stdout.write(_encode(answer).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
