"""Which internet addresses lead out into the public network, and which back inside.

The tables follow IANA's registries of special-purpose addresses (RFC 6890):
https://www.iana.org/assignments/iana-ipv4-special-registry,
https://www.iana.org/assignments/iana-ipv6-special-registry, and of multicast addresses.
"""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_INSIDE_V4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a provider's customers
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's host, seen from the machines on it (Microsoft Azure)
        "169.254.0.0/16",  # link-local, where clouds answer with credentials
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_V6: Final = IPv6Network("2000::/3")
_INSIDE_V6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_V4_BITS: Final = 0xFFFFFFFF

_PRIVATE: Final[tuple[Network, ...]] = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),
    IPv4Network("127.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv6Network("::1/128"),
    IPv6Network("fc00::/7"),
)
"""What an owner may open: a house's own networks. Link-local is not among them."""


def meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, or the address itself.

    IPv4-mapped (RFC 4291, 2.5.5.2) and NAT64 (RFC 6052) addresses end up at the IPv4 address in
    their last 32 bits. 6to4 and Teredo have their own IPv4 addresses too; both are refused whole.
    """
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return IPv4Address(int(address) & _V4_BITS)
    return address


def is_public(address: Address) -> bool:
    """Say whether an address is one of the public internet."""
    real = meant(address)
    if isinstance(real, IPv4Address):
        return not any(real in network for network in _INSIDE_V4)
    return real in _GLOBAL_V6 and not any(real in network for network in _INSIDE_V6)


def is_loopback(address: Address) -> bool:
    """Say whether an address is this machine."""
    return meant(address).is_loopback


def is_within(address: Address, networks: Sequence[Network]) -> bool:
    """Say whether an address lies in one of some networks, in whatever form it is written."""
    real = meant(address)
    return any(real in network for network in networks)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the private networks that a text names, comma or space between them.

    Raise ``ValueError`` for what is no network, or is not a private one.
    """
    networks = tuple(ip_network(part) for part in text.replace(",", " ").split())
    for network in networks:
        if not any(_holds(private, network) for private in _PRIVATE):
            message = f"{network} is not a part of a private network"
            raise ValueError(message)
    return networks


def parse_address(text: str) -> Address | None:
    """Return a literal address: four decimal numbers, or IPv6 without brackets or zone."""
    if "%" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def _holds(outer: Network, inner: Network) -> bool:
    if isinstance(outer, IPv4Network):
        return isinstance(inner, IPv4Network) and inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and inner.subnet_of(outer)
