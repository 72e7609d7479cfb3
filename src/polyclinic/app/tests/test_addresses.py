"""Which tenant an address is of."""

import pytest

from polyclinic.app.addresses import Addresses, Place
from polyclinic.kernel.errors import BadRequest, Misdirected, NotFound
from polyclinic.kernel.store import Listed

DEFAULT = Place("default")
ALONE = Addresses([Listed(1, "default", ())], None)
PATHS = Addresses([Listed(1, "default", ()), Listed(2, "north", ())], None)
HOSTS = Addresses(
    [
        Listed(1, "default", ()),
        Listed(2, "north", ("north.example.org", "192.0.2.7")),
        Listed(3, "south", ()),
    ],
    "https://clinic.example.org:8443",
)


def find(addresses, path, *hosts):
    headers = [(b"accept", b"*/*"), *((b"host", host.encode()) for host in hosts)]
    return addresses.find(path, "http", headers)


@pytest.mark.parametrize("hosts", [[], ["anything.example"], ["a", "b"]])
@pytest.mark.parametrize("addresses", [ALONE, PATHS])
def test_without_a_listed_host_the_default_tenant_answers_everywhere(addresses, hosts):
    assert find(addresses, "/fhir/Patient", *hosts) == DEFAULT


@pytest.mark.parametrize("path", ["/t/north", "/t/north/", "/t/north/fhir/Patient"])
@pytest.mark.parametrize("host", ["anything.example", "clinic.example.org"])
def test_a_path_picks_a_tenant(path, host):
    assert find(PATHS, path, host) == Place("north", "/t/north")


@pytest.mark.parametrize("path", ["/t/", "/t//fhir", "/t/east/fhir", "/t/NORTH/fhir", "/t/nort"])
@pytest.mark.parametrize("addresses", [ALONE, PATHS, HOSTS])
def test_a_path_that_names_nobody_is_not_found(addresses, path):
    with pytest.raises(NotFound):
        find(addresses, path, "clinic.example.org")


@pytest.mark.parametrize(
    "host", ["north.example.org", "NORTH.example.ORG", "north.example.org:8080", "192.0.2.7:80"]
)
def test_a_host_picks_its_tenant_with_its_own_origin(host):
    expected = Place("north", "", f"https://{host.lower()}")

    assert find(HOSTS, "/fhir/Patient", host) == expected


def test_a_host_of_one_tenant_serves_no_other_by_path():
    with pytest.raises(NotFound):
        find(HOSTS, "/t/south/fhir/Patient", "north.example.org")


@pytest.mark.parametrize("host", ["clinic.example.org", "clinic.example.org:8443"])
def test_the_public_address_is_the_default_tenants(host):
    assert find(HOSTS, "/fhir/Patient", host) == DEFAULT


@pytest.mark.parametrize("host", ["evil.example", "xnorth.example.org", "example.org", "", "[::1]"])
def test_an_unknown_host_is_misdirected_once_hosts_are_listed(host):
    with pytest.raises(Misdirected) as caught:
        find(HOSTS, "/fhir/Patient", host)

    assert caught.value.http_status == 421


def test_a_path_picks_a_tenant_at_a_host_that_is_nobodys():
    assert find(HOSTS, "/t/south/fhir", "127.0.0.1:8080") == Place("south", "/t/south")


@pytest.mark.parametrize("hosts", [[], ["north.example.org", "evil.example"]])
def test_hosts_that_a_proxy_may_read_otherwise_are_refused(hosts):
    with pytest.raises(BadRequest):
        find(HOSTS, "/fhir/Patient", *hosts)


def test_at_the_default_tenants_own_host_a_path_still_picks_another():
    own = Addresses([Listed(1, "default", ("a.test",)), Listed(2, "north", ())], None)

    assert find(own, "/fhir", "a.test") == DEFAULT
    assert find(own, "/t/north/fhir", "a.test") == Place("north", "/t/north")
    with pytest.raises(Misdirected):
        find(own, "/fhir", "b.test")
