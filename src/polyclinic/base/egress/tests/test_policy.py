"""P7: what a URL says, and whether that is on the owner's list."""

from contextlib import suppress
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.base.egress import NotPermitted, Policy
from polyclinic.base.egress.policy import Destination, parse_url

HOSTS = "api.clinic.example, lab.clinic.example:8443 http://127.0.0.1:9000 93.184.216.34"
labels = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
names = st.lists(labels, min_size=1, max_size=4).map(".".join)


@pytest.mark.parametrize(
    "url",
    [
        "https://user@api.clinic.example/",
        "https://user:word@api.clinic.example/",
        "https://api.clinic.example@evil.example/",
        "https://api.clinic.example\\@evil.example/",
        "https://api.clinic.example/#part",
        "https://api.clinic.example /",
        "https://api.clinic.example\r\nx: y/",
        "https://api.clinic.example/\r\nx: y",
        "https://api.clinic.example./",
        "https://api.clinic.example:/",
        "https://api.clinic.example:0443/",
        "https://api.clinic.example:99999/",
        "https://api%2eclinic.example/",
        "https://api.clinic.exämple/",
        "https://\uff41pi.clinic.example/",
        "https:api.clinic.example/",
        "https:///api.clinic.example",
        "//api.clinic.example/",
        "HTTPS://api.clinic.example/",
        "ftp://api.clinic.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:9000/",
        "https://-api.clinic.example/",
        "https://api..example/",
        "https://[::1",
        "https://::1/",
        "https://[127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "",
    ],
)
def test_p7_what_is_no_plain_url_is_refused(url):
    with pytest.raises(NotPermitted, match="not a URL that may be used"):
        Policy.of(HOSTS).target(url)


@pytest.mark.parametrize(
    "host",
    ["2130706433", "017700000001", "0x7f000001", "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1",
     "127.0.0.01", "1.2.3.4.5", "127.0.0.256", "example.0x7f"],
)  # fmt: skip
def test_p7_an_address_in_another_spelling_is_refused_in_a_url_and_in_the_list(host):
    with pytest.raises(NotPermitted, match="usual spelling"):
        Policy.of(HOSTS).target(f"https://{host}/")
    with pytest.raises(ValueError, match="usual spelling"):
        Policy.of(host)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://api.clinic.example.evil.example/",
        "https://xapi.clinic.example/",
        "https://clinic.example/",
        "https://api.clinic.example:8443/",
        "https://lab.clinic.example/",
        "http://api.clinic.example/",
        "http://127.0.0.1:9001/",
        "https://127.0.0.1:9000/",
        "http://[::ffff:127.0.0.1]:9000/",
    ],
)
def test_p7_what_is_not_on_the_list_is_refused(url):
    with pytest.raises(NotPermitted, match="POLYCLINIC_EGRESS_ALLOW"):
        Policy.of(HOSTS).target(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://api.clinic.example", "api.clinic.example", 443, "/"),
        ("https://API.clinic.example:443/a/b?c=d&e=%20", "api.clinic.example", 443,
         "/a/b?c=d&e=%20"),
        ("https://api.clinic.example?x=1", "api.clinic.example", 443, "/?x=1"),
        ("https://lab.clinic.example:8443/", "lab.clinic.example", 8443, "/"),
        ("http://127.0.0.1:9000/", "127.0.0.1", 9000, "/"),
        ("https://93.184.216.34/", "93.184.216.34", 443, "/"),
    ],
)  # fmt: skip
def test_what_is_on_the_list_is_taken_apart(url, host, port, path):
    target = Policy.of(HOSTS).target(url)

    assert (target.destination.host, target.destination.port, target.path) == (host, port, path)


def test_nothing_is_on_an_empty_list():
    with pytest.raises(NotPermitted):
        Policy.of("").target("https://api.clinic.example/")


@pytest.mark.parametrize(
    "entry",
    [
        "http://api.clinic.example",
        "http://10.0.0.1",
        "https://api.clinic.example/path",
        "https://api.clinic.example/",
        "*.clinic.example",
        "user@api.clinic.example",
        "api.clinic.example:0",
    ],
)
def test_p7_an_entry_that_would_open_more_than_a_host_is_refused(entry):
    with pytest.raises(ValueError, match=r"is not a host|has a path|without TLS"):
        Policy.of(entry)


def test_p7_one_address_inside_is_enough_to_refuse_a_name():
    policy = Policy.of("api.clinic.example")
    destination = Destination("https", "api.clinic.example", 443)
    outside, inside = ip_address("8.8.8.8"), ip_address("10.0.0.1")

    policy.check(destination, [outside])

    with pytest.raises(NotPermitted, match="POLYCLINIC_EGRESS_NETWORKS"):
        policy.check(destination, [outside, inside])


def test_a_named_network_opens_itself_and_nothing_else():
    policy = Policy.of("api.clinic.example", "10.20.0.0/16")
    destination = Destination("https", "api.clinic.example", 443)

    policy.check(destination, [ip_address("10.20.1.1"), ip_address("8.8.8.8")])

    with pytest.raises(NotPermitted):
        policy.check(destination, [ip_address("10.21.1.1")])


def test_p7_without_tls_only_this_machine_is_spoken_to():
    policy = Policy.of("http://localhost:9000", "10.20.0.0/16")
    destination = Destination("http", "localhost", 9000)

    policy.check(destination, [ip_address("127.0.0.1"), ip_address("::1")])

    with pytest.raises(NotPermitted):
        policy.check(destination, [ip_address("8.8.8.8")])
    with pytest.raises(NotPermitted):
        policy.check(destination, [ip_address("10.20.1.1")])


@given(names.filter(lambda name: not name.split(".")[-1].isdigit()), st.integers(1, 65535))
def test_a_host_that_is_written_is_read_again(name, port):
    destination = parse_url(f"https://{name}:{port}/x").destination

    assert destination == parse_url(f"https://{destination.authority}/").destination
    assert (destination.host, destination.port) == (name, port)


@given(st.text(max_size=60) | st.text(max_size=40).map("https://api.clinic.example".__add__))
def test_p7_any_text_is_refused_or_leads_to_the_list(text):
    policy = Policy.of("api.clinic.example")

    with suppress(NotPermitted):
        target = policy.target(text)
        assert target.destination == Destination("https", "api.clinic.example", 443)
        assert target.path.isascii()
        assert target.path.isprintable()
        assert " " not in target.path
