"""Which tenant an address is of: by its path, by its host, or else the default one."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from polyclinic.kernel.errors import BadRequest, Misdirected, NotFound
from polyclinic.kernel.store import DEFAULT, Listed

_PREFIX: Final = "/t/"


class Place(NamedTuple):
    """Where a request belongs."""

    tenant: str
    root: str = ""
    """The path that stands before everything of the tenant, such as ``/t/north``."""
    origin: str | None = None
    """Scheme and host that the tenant's addresses begin with, when its host picked it."""


_DEFAULT: Final = Place(DEFAULT)


class Addresses:
    """The addresses of every tenant, as the directory had them last."""

    def __init__(self, listed: Sequence[Listed], public_url: str | None) -> None:
        self.listed = listed
        self.has_several = len(listed) > 1
        self._names = {one.name: one for one in listed}
        self._by_number = {one.number: one.name for one in listed}
        self._by_host = {host: one.name for one in listed for host in one.hosts}
        public = urlsplit(public_url or "")
        self._public_host = public.hostname
        self._scheme = public.scheme or None

    def name(self, number: int) -> str | None:
        """Return the name of a tenant, None of one that is not listed."""
        return self._by_number.get(number)

    def number(self, name: str) -> int:
        """Return the number of a tenant that is listed."""
        return self._names[name].number

    def find(self, path: str, scheme: str, headers: Iterable[tuple[bytes, bytes]]) -> Place:
        """Return where a request belongs.

        A host of a tenant's list is that tenant's alone. At any other host, the default tenant's
        too, a path ``/t/NAME`` picks one. Else the default tenant answers: at every host while no
        tenant lists any, afterwards only at its own and at that of the public address. Raise
        ``NotFound`` for a path that names nobody, ``Misdirected`` for a host that does not.
        """
        if not self._by_host:
            return self._by_path(path) if path.startswith(_PREFIX) else _DEFAULT
        host = _host(headers)
        name = self._by_host.get(_without_port(host), "")
        if name and name != DEFAULT:
            if path.startswith(_PREFIX):
                raise NotFound
            return Place(name, origin=f"{self._scheme or scheme}://{host}")
        if path.startswith(_PREFIX):
            return self._by_path(path)
        if name == DEFAULT or _without_port(host) == self._public_host:
            return _DEFAULT
        raise Misdirected

    def _by_path(self, path: str) -> Place:
        name = path.split("/", 3)[2]
        if name not in self._names:
            raise NotFound
        return Place(name, f"{_PREFIX}{name}")


def _host(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the one Host. Raise ``BadRequest``: two would let a proxy and us differ."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1:
        message = "Send exactly one Host header."
        raise BadRequest(message)
    return hosts[0].decode("latin-1").lower()


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if port.isdigit() and name else host.rstrip(".")
