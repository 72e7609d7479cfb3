"""The same client on the event loop that the server runs on."""

import asyncio
from ipaddress import ip_address

import pytest
import uvloop

from polyclinic.base.egress import (
    GuardedClient,
    Limits,
    NotPermitted,
    Policy,
    TooLarge,
    TooSlow,
    Unreachable,
)
from polyclinic.base.outbound import HttpRequest

NAME = "files.clinic.example"
BRIEF = Limits(connect=5, total=5)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture
def exchange(authority, trusting):
    """Return a function that serves one answer and asks for it."""

    async def run(answer, names, networks, limits):
        async def serve(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            if answer:
                writer.close()
            else:
                await reader.read()

        async def resolve(_name):
            return [ip_address("127.0.0.1")]

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=authority.server(*names))
        port = server.sockets[0].getsockname()[1]
        policy = Policy.of(f"{NAME}:{port}", networks)
        client = GuardedClient(policy, limits, tls=trusting, resolve=resolve)
        try:
            return await client.request(HttpRequest("GET", f"https://{NAME}:{port}/"))
        finally:
            server.close()

    def ask(answer=OK, names=(NAME,), networks="127.0.0.0/8", limits=BRIEF):
        return uvloop.run(run(answer, names, networks, limits))

    return ask


def test_a_request_is_answered(exchange):
    assert exchange().body == b"ok"


def test_p7_an_address_inside_is_refused(exchange):
    with pytest.raises(NotPermitted):
        exchange(networks="")


def test_a_certificate_of_another_name_is_refused(exchange):
    with pytest.raises(Unreachable, match="TLS"):
        exchange(names=("other.clinic.example",))


def test_a_server_that_says_nothing_is_not_waited_for(exchange):
    with pytest.raises(TooSlow):
        exchange(answer=b"", limits=Limits(connect=5, total=0.3))


def test_an_answer_that_is_too_long_is_refused(exchange):
    with pytest.raises(TooLarge):
        exchange(limits=Limits(5, 5, body_bytes=1))
