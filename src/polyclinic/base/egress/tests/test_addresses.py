"""P7: which addresses are outside; held against the standard library's own tables too."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.base.egress.addresses import is_public, is_within, meant, parse_networks

MAPPED = int(IPv6Address("::ffff:0:0"))
NAT64 = int(IPv6Address("64:ff9b::"))
SIX_TO_FOUR = 0x2002 << 112
TEREDO = 0x20010000 << 96
any_v4 = st.integers(0, 2**32 - 1).map(IPv4Address) | st.ip_addresses(v=4)
any_v6 = st.integers(0, 2**128 - 1).map(IPv6Address) | st.ip_addresses(v=6)


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "127.255.255.254",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "168.63.129.16",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - nothing listens there
        "0.1.2.3",
        "192.0.0.192",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "2002:7f00:1::",
        "2002:808:808::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "100::1",
        "3fff::1",
        "5f00::1",
    ],
)
def test_p7_what_leads_inside_is_not_public(text):
    assert not is_public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "8.8.8.8",
        "172.32.0.1",
        "172.15.255.255",
        "100.128.0.1",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_what_leads_outside_is_public(text):
    assert is_public(ip_address(text))


@given(any_v4)
def test_p7_a_public_ipv4_address_is_global_to_the_standard_library_too(address):
    assert not is_public(address) or (address.is_global and not address.is_multicast)


@given(any_v6.filter(lambda address: meant(address) is address))
def test_p7_a_public_ipv6_address_is_global_unicast_to_the_standard_library_too(address):
    inside = address.is_multicast or address.sixtofour or address.teredo or address.is_reserved
    assert not is_public(address) or (address.is_global and not inside)


@given(any_v4)
def test_p7_a_form_of_an_ipv4_address_is_judged_as_that_address(address):
    mapped, translated = IPv6Address(MAPPED + int(address)), IPv6Address(NAT64 + int(address))

    assert is_public(mapped) == is_public(translated) == is_public(address)


@given(any_v4, st.integers(0, 2**80 - 1))
def test_p7_a_tunnel_is_never_public(address, rest):
    assert not is_public(IPv6Address(SIX_TO_FOUR + (int(address) << 80) + rest))
    assert not is_public(IPv6Address(TEREDO + (int(address) << 64) + (rest & (2**64 - 1))))


def test_a_named_network_holds_its_addresses_in_every_form():
    networks = parse_networks("10.20.0.0/16, fd00:1::/64")

    assert is_within(ip_address("10.20.3.4"), networks)
    assert is_within(ip_address("::ffff:10.20.3.4"), networks)
    assert is_within(ip_address("fd00:1::9"), networks)
    assert not is_within(ip_address("10.21.0.1"), networks)


@pytest.mark.parametrize(
    "text", ["169.254.0.0/16", "0.0.0.0/0", "::/0", "8.8.8.0/24", "10.0.0.0/7", "fe80::/10", "ten"]
)
def test_p7_only_a_private_network_can_be_named(text):
    with pytest.raises(ValueError, match=r"private|network"):
        parse_networks(text)
