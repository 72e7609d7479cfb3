"""Servers on this machine that say exactly what a test tells them to."""

import asyncio
from ipaddress import ip_address

import pytest
import pytest_asyncio

from polyclinic.base.egress.client import GuardedClient, Limits, tls_context
from polyclinic.base.egress.policy import Policy
from polyclinic.testing.certificates import CertificateAuthority

NAME = "files.clinic.example"
BRIEF = Limits(connect=5, total=5)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class RawServer:
    """Answers every connection with the same bytes and keeps what it was sent."""

    def __init__(self, answer, host, tls):
        self._answer = answer
        self._host = host
        self._tls = tls
        self.received = []
        self.names = []

    async def start(self, port=0):
        self._server = await asyncio.start_server(self._serve, self._host, port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self):
        self._server.close()

    async def _serve(self, reader, writer):
        self.names.append(writer.get_extra_info("ssl_object") is not None)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0] or 0)
            self.received.append(head + await reader.readexactly(length))
            if callable(self._answer):
                await self._answer(reader, writer)
            else:
                writer.write(self._answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Return an authority that the tests' clients trust."""
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def trusting(authority):
    """Return what a client checks certificates with."""
    return tls_context(authority.file)


@pytest_asyncio.fixture(loop_scope="session")
async def serve(authority):
    """Yield a function that starts a server; all are stopped after the test."""
    servers = []

    async def start(answer=OK, *, host="127.0.0.1", names=(NAME,), plain=False, port=0):
        server = RawServer(answer, host, None if plain else authority.server(*names))
        servers.append(await server.start(port))
        return server

    yield start
    for server in servers:
        await server.stop()


class Resolver:
    """Knows names as a test says, and counts who asks."""

    def __init__(self, *answers):
        self._answers = [[ip_address(text) for text in answer] for answer in answers]
        self.asked = []

    async def __call__(self, name):
        self.asked.append(name)
        return self._answers[min(len(self.asked), len(self._answers)) - 1]


@pytest.fixture
def resolver():
    """Return the class of resolvers."""
    return Resolver


@pytest.fixture
def make_client(trusting):
    """Return a function that makes a client which may reach this machine."""

    def make(server, *, name=NAME, networks="127.0.0.0/8", limits=BRIEF, **more):
        policy = Policy.of(f"{name}:{server.port}", networks)
        parts = {"tls": trusting, "resolve": Resolver(["127.0.0.1"]), **more}
        return GuardedClient(policy, limits, **parts)

    return make
