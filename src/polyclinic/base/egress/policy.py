"""Where requests may go: the owner's list of hosts, and the addresses that a name may have.

URLs are read strictly, because two readers that disagree about one are how such lists are passed
by (https://owasp.org/www-community/attacks/Server_Side_Request_Forgery): no user, no fragment, no
backslash, nothing that is not ASCII, and a host is a name or an address in its one usual spelling.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from polyclinic.base.egress.addresses import (
    Address,
    Network,
    is_loopback,
    is_public,
    is_within,
    parse_address,
    parse_networks,
)
from polyclinic.base.egress.errors import NotPermitted

_URL: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>(?:/[!$%&'()*+,./0-9:;=@A-Z_a-z~-]*)?(?:\?[!$%&'()*+,./0-9:;=?@A-Z_a-z~-]*)?)",
    re.ASCII,
)
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_LONGEST_NAME: Final = 253
_LARGEST_PORT: Final = 65535
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Destination:
    """One server: how it is spoken to, its name, its port."""

    scheme: str
    host: str
    """A name in lower case, or an address without brackets."""
    port: int

    @property
    def authority(self) -> str:
        """Return host and port as a ``Host`` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Target:
    """Where one request goes."""

    destination: Destination
    path: str
    """Path and query as they are sent."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the owner allows."""

    allowed: frozenset[Destination]
    networks: Sequence[Network] = ()
    """Private networks in which an allowed host may lie."""

    @classmethod
    def of(cls, allow: str, networks: str = "") -> "Policy":
        """Read the settings: hosts and networks, comma or space between them.

        Raise ``ValueError`` that names the entry which cannot be understood.
        """
        entries = allow.replace(",", " ").split()
        return cls(frozenset(map(_entry, entries)), parse_networks(networks))

    def target(self, url: str) -> Target:
        """Return where a URL leads. Raise ``NotPermitted`` when it is not on the list."""
        try:
            target = parse_url(url)
        except ValueError as error:
            message = f"the address of the request is not a URL that may be used: {error}"
            raise NotPermitted(message) from None
        if target.destination not in self.allowed:
            message = (
                f"requests to {target.destination.scheme}://{target.destination.authority} are not "
                "allowed; the owner of this installation can add it to POLYCLINIC_EGRESS_ALLOW"
            )
            raise NotPermitted(message)
        return target

    def check(self, destination: Destination, addresses: Iterable[Address]) -> None:
        """Raise ``NotPermitted`` unless every address of a name is one that may be used."""
        for address in addresses:
            if not self._permits(destination, address):
                message = (
                    f"{destination.host} has an address that is not in the public internet; the "
                    "owner of this installation can open a network with POLYCLINIC_EGRESS_NETWORKS"
                )
                raise NotPermitted(message)

    def _permits(self, destination: Destination, address: Address) -> bool:
        if destination.scheme == "http":
            return is_loopback(address)
        return is_public(address) or is_within(address, self.networks)


def parse_url(url: str) -> Target:
    """Read an absolute URL. Raise ``ValueError`` that says what is wrong, without repeating it."""
    found = _URL.fullmatch(url)
    if found is None:
        message = "it is not https://host/path in plain ASCII, without a user or a fragment"
        raise ValueError(message)
    scheme = found["scheme"]
    port = int(found["port"] or _PORTS[scheme])
    if port > _LARGEST_PORT:
        message = "there is no such port"
        raise ValueError(message)
    target = found["target"]
    path = target if target.startswith("/") else f"/{target}"
    return Target(Destination(scheme, _host(found["host"]), port), path)


def _host(text: str) -> str:
    """Return a host in its one spelling. Raise ``ValueError`` for any other.

    What ends in a number is an address (https://url.spec.whatwg.org/#host-parsing), and of those
    only four decimal numbers are taken: ``0x7f.1``, ``017700000001`` and ``2130706433`` are not.
    """
    bare = text[1:-1] if text.startswith("[") else text
    address = parse_address(bare)
    if text.startswith("[") or address is not None:
        if address is None or text.startswith("[") != (address.version == 6):  # noqa: PLR2004 - IPv6
            message = "its host is not an IPv6 address"
            raise ValueError(message)
        return str(address)
    labels = bare.lower().split(".")
    is_name = len(bare) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, labels))
    if not is_name or _NUMBER.fullmatch(labels[-1]):
        message = "its host is neither a name nor an address in its usual spelling"
        raise ValueError(message)
    return ".".join(labels)


def _entry(text: str) -> Destination:
    """Read one entry of the list: a host, a host and a port, or a URL without a path."""
    try:
        target = parse_url(text if "://" in text else f"https://{text}")
    except ValueError as error:
        message = f"{text!r} is not a host: {error}"
        raise ValueError(message) from None
    destination = target.destination
    if target.path != "/" or text.endswith("/"):
        message = f"{text!r} has a path; name the host only"
        raise ValueError(message)
    if destination.scheme == "http" and not _is_this_machine(destination.host):
        message = f"{text!r} would be spoken to without TLS; only this machine may be"
        raise ValueError(message)
    return destination


def _is_this_machine(host: str) -> bool:
    address = parse_address(host)
    return host == "localhost" if address is None else is_loopback(address)
