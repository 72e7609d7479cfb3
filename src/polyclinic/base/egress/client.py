"""The client: look the name up once, check every address, connect to the one that was checked.

Between the check and the connection no name is looked up again, so that a name whose address
changes (DNS rebinding) leads nowhere new. The certificate is checked for the name. A redirect is
an answer like any other: whoever asked decides, and asks here again. No proxy is read from the
environment. One connection carries one request.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from polyclinic.base.egress.addresses import Address, parse_address
from polyclinic.base.egress.answer import AnswerReader
from polyclinic.base.egress.errors import BadAnswer, NotPermitted, TooSlow, Unreachable
from polyclinic.base.egress.policy import Destination, Policy, Target
from polyclinic.base.outbound import HttpRequest, HttpResponse

Resolve: TypeAlias = Callable[[str], Awaitable[Sequence[Address]]]
"""Returns every address of a name; raises ``OSError`` when it has none."""

_METHOD: Final = re.compile(r"[A-Z]{1,20}", re.ASCII)
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e]*", re.ASCII)
_OURS: Final = frozenset(
    [
        "connection",
        "content-length",
        "expect",
        "host",
        "te",  # codespell:ignore te
        "trailer",
        "transfer-encoding",
    ]
)
"""Headers that say how the request is sent, which is not the caller's to say."""
_READ_BYTES: Final = 64 * 1024
_CLOSE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an answer may take, and how long it may be."""

    connect: float = 10.0
    """Seconds until the name is looked up and the connection and TLS are there."""
    total: float = 60.0
    """Seconds until the last byte of the answer."""
    header_bytes: int = 32 * 1024
    body_bytes: int = 16 * 1024 * 1024


async def look_up(name: str) -> Sequence[Address]:
    """Return every address of a name, as the system's resolver knows them."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    addresses = (parse_address(str(entry[4][0]).partition("%")[0]) for entry in found)
    return list(dict.fromkeys(address for address in addresses if address is not None))


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return what a server's certificate is checked with: the system's authorities and one more.

    TLS 1.2 is the least. Nothing is taken from the environment that would write session keys down.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


class GuardedClient:
    """Send requests to the servers that the owner allows, and to no other."""

    def __init__(
        self,
        policy: Policy,
        limits: Limits = Limits(),
        *,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = look_up,
    ) -> None:
        self._policy = policy
        self._limits = limits
        self._tls = tls or tls_context()
        self._resolve = resolve

    async def request(self, request: HttpRequest) -> HttpResponse:
        """Send a request and return the answer, whatever its status. Raise an ``EgressError``."""
        target = self._policy.target(request.url)
        head = _head(request, target)
        try:
            async with asyncio.timeout(self._limits.total):
                reader, writer = await self._connect(target.destination)
                try:
                    return await self._exchange(reader, writer, request, head)
                finally:
                    await _close(writer)
        except TimeoutError:
            message = f"{target.destination.host} took longer than {self._limits.total:g} s"
            raise TooSlow(message) from None

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        request: HttpRequest,
        head: bytes,
    ) -> HttpResponse:
        answer = AnswerReader(
            request.method,
            header_bytes=self._limits.header_bytes,
            body_bytes=self._limits.body_bytes,
        )
        try:
            writer.write(head)
            writer.write(request.body)
            await writer.drain()
            while not answer.is_complete and (data := await reader.read(_READ_BYTES)):
                answer.feed(data)
        except (OSError, EOFError) as error:
            message = f"the connection ended ({type(error).__name__})"
            raise BadAnswer(message) from None
        return answer.end()

    async def _connect(
        self, destination: Destination
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the first checked address that answers."""
        try:
            async with asyncio.timeout(self._limits.connect):
                addresses = await self._addresses(destination)
                self._policy.check(destination, addresses)
                return await self._first(destination, addresses)
        except TimeoutError:
            message = f"{destination.host} did not answer within {self._limits.connect:g} s"
            raise TooSlow(message) from None

    async def _addresses(self, destination: Destination) -> Sequence[Address]:
        literal = parse_address(destination.host)
        if literal is not None:
            return [literal]
        try:
            addresses = await self._resolve(destination.host)
        except TimeoutError:
            raise
        except OSError:
            addresses = []
        if not addresses:
            message = f"there is no server of the name {destination.host}"
            raise Unreachable(message)
        return addresses

    async def _first(
        self, destination: Destination, addresses: Sequence[Address]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reasons: list[str] = []
        for address in addresses:
            try:
                return await self._open(destination, address)
            except TimeoutError:
                raise
            except ssl.SSLError as error:
                reasons.append(f"TLS: {error.reason or type(error).__name__}")
            except OSError as error:
                reasons.append(error.strerror or type(error).__name__)
        message = f"{destination.host} cannot be reached ({reasons[-1]})"
        raise Unreachable(message)

    async def _open(
        self, destination: Destination, address: Address
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(0.0)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(opened, (str(address), destination.port))
            is_secure = destination.scheme == "https"
            return await asyncio.open_connection(
                sock=opened,
                ssl=self._tls if is_secure else None,
                server_hostname=destination.host if is_secure else None,
            )
        except BaseException:
            opened.close()
            raise


def _head(request: HttpRequest, target: Target) -> bytes:
    """Write the head of a request. Raise ``NotPermitted`` for what could smuggle another one."""
    if not _METHOD.fullmatch(request.method) or request.method in {"CONNECT", "TRACE"}:
        message = "the method of the request is not one that may be used"
        raise NotPermitted(message)
    lines = [
        f"{request.method} {target.path} HTTP/1.1",
        f"host: {target.destination.authority}",
        *_header_lines(request.headers),
        "connection: close",
    ]
    if request.body or request.method not in {"GET", "HEAD", "DELETE"}:
        lines.append(f"content-length: {len(request.body)}")
    return "\r\n".join([*lines, "\r\n"]).encode("ascii")


def _header_lines(headers: Mapping[str, str]) -> list[str]:
    lines = {"user-agent": "polyclinic", "accept-encoding": "identity"}
    lines |= {name.lower(): value for name, value in headers.items()}
    for name, value in lines.items():
        is_sound = _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)
        if not is_sound or name in _OURS:
            message = "a header of the request is not one that may be sent"
            raise NotPermitted(message)
    return [f"{name}: {value}" for name, value in lines.items()]


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close a connection; a server that does not close its side is not waited for."""
    writer.close()
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()
