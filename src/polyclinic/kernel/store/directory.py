"""Which tenants there are, and by which hosts each is reached."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from polyclinic.base.clock import Clock
from polyclinic.base.db.connect import Connection
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.queries import STATEMENTS

NAME: Final = re.compile(r"[a-z0-9-]{1,40}")
"""A tenant's name: what can stand in a path unchanged."""
_HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))*")
"""A host name of RFC 1123 or an IPv4 address, in lower case, without a port."""


class Listed(NamedTuple):
    """One tenant in the directory."""

    number: int
    name: str
    hosts: tuple[str, ...]


class NotListed(Exception):
    """A tenant cannot be made or changed so; the text is one line."""


class Directory:
    """The tenants of an installation."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock

    async def has_keys(self) -> bool:
        """Say whether any tenant has keys, which only the installation's key file opens."""
        with translated():
            return bool(await self._connections.fetchval(STATEMENTS["has_keys"]))

    async def all(self) -> list[Listed]:
        """Return every tenant, the default one first."""
        with translated():
            rows = await self._connections.fetch(STATEMENTS["tenants"])
        return [Listed(row["tenant"], row["name"], tuple(row["hosts"])) for row in rows]

    async def add(self, name: str, hosts: Sequence[str]) -> None:
        """List a new tenant. Raise ``NotListed``; nothing is made then."""
        if not NAME.fullmatch(name):
            message = f"{name!r} is no name of a tenant: 1 to 40 of a-z, 0-9 and -"
            raise NotListed(message)
        async with self._connections.acquire() as connection, connection.transaction():
            await connection.execute(STATEMENTS["tenants_lock"])
            if await connection.fetchval(STATEMENTS["tenant_number"], name) is not None:
                message = f"there is a tenant {name}"
                raise NotListed(message)
            await connection.execute(STATEMENTS["tenant_new"], name, self._clock.now())
            await _put_hosts(connection, name, hosts)

    async def set_hosts(self, name: str, hosts: Sequence[str]) -> None:
        """Let a tenant be reached by these hosts and no others. Raise ``NotListed``."""
        async with self._connections.acquire() as connection, connection.transaction():
            await _put_hosts(connection, name, hosts)


async def _put_hosts(connection: Connection, name: str, hosts: Sequence[str]) -> None:
    given = sorted({host.lower() for host in hosts})
    for host in given:
        if not _HOST.fullmatch(host):
            message = f"{host!r} is no host name; leave out the scheme and the port"
            raise NotListed(message)
    number = await connection.fetchval(STATEMENTS["tenant_number"], name)
    if number is None:
        message = f"there is no tenant {name}"
        raise NotListed(message)
    await connection.execute(STATEMENTS["tenant_hosts_clear"], number)
    rows = await connection.fetch(STATEMENTS["tenant_host_new"], number, given)
    taken = set(given) - {row["host"] for row in rows}
    if taken:
        message = f"another tenant has the host {min(taken)}"
        raise NotListed(message)
