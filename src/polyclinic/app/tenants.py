"""The tenants that a process has open: each at its first use, the longest unused put away.

Everything that is made for a tenant hangs on what is opened here, so that no cache of it can be
reached by another's request.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, Generic, TypeVar

from polyclinic.app.addresses import Addresses
from polyclinic.app.build import Platform
from polyclinic.base import log
from polyclinic.base.lanes import lane
from polyclinic.kernel.errors import NotFound, Unavailable
from polyclinic.kernel.module import Services
from polyclinic.kernel.store import DEFAULT, KeyLost
from polyclinic.kernel.store.faults import translated

Surface_co = TypeVar("Surface_co", covariant=True)

_REREAD_SECONDS: Final = 1.0
"""How long a tenant that was made elsewhere, or a host that was given to one, may go unnoticed."""


class Opened(Generic[Surface_co]):
    """One tenant that is open."""

    __slots__ = ("number", "services", "stack", "surface", "users")

    def __init__(self, services: Services, surface: Surface_co, stack: AsyncExitStack) -> None:
        self.number = services.tenant.number
        self.services = services
        self.surface = surface
        self.stack = stack
        self.users = 0

    def give_back(self) -> None:
        """Let it be put away when others need the room."""
        self.users -= 1


class Tenants(Generic[Surface_co]):
    """Open tenants by name; ``make`` builds what answers for one."""

    def __init__(
        self, platform: Platform, make: Callable[[Services], Surface_co], largest: int
    ) -> None:
        self._platform = platform
        self._make = make
        self._largest = largest
        self._open: OrderedDict[str, Opened[Surface_co]] = OrderedDict()
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._reader: asyncio.Task[None] | None = None
        self.addresses = Addresses([], None)
        """The addresses of all tenants; while the database is away, as they were."""

    async def start(self) -> Opened[Surface_co]:
        """Open the default tenant, which is made when it is missing and never put away."""
        await self._add(DEFAULT)
        await self.read()
        self._reader = asyncio.create_task(self._keep_reading(), name="tenants")
        return await self.take(DEFAULT)

    async def stop(self) -> None:
        """Close every tenant."""
        if self._reader is not None:
            self._reader.cancel()
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        while self._open:
            _, opened = self._open.popitem()
            await opened.stack.aclose()
        await asyncio.gather(*self._closing)

    async def read(self) -> None:
        """Look at the directory now. Raise ``Unavailable`` when that cannot be done."""
        listed = await self._platform.store.directory.all()
        self.addresses = Addresses(listed, self._platform.settings.public_url)

    async def take(self, name: str) -> Opened[Surface_co]:
        """Return a tenant, which stays open until it was given back.

        Raise ``Unavailable`` when it cannot be opened.
        """
        opened = self._open.get(name)
        while opened is None:
            opening = self._opening.get(name)
            if opening is None:
                opening = self._opening[name] = asyncio.create_task(self._add(name))
                opening.add_done_callback(lambda _: self._opening.pop(name))
            with translated():
                # One request that is given up must not stop what others wait for.
                await asyncio.shield(opening)
            opened = self._open.get(name)
        opened.users += 1
        if len(self._open) > 1:
            self._open.move_to_end(name)
        return opened

    @asynccontextmanager
    async def lend(self, number: int) -> AsyncIterator[Opened[Surface_co]]:
        """Lend a tenant by its number, its lane set. Raise ``NotFound`` when it is not listed."""
        name = self.addresses.name(number)
        if name is None:
            raise NotFound
        opened = await self.take(name)
        try:
            with lane(number if self.addresses.has_several else None):
                yield opened
        finally:
            opened.give_back()

    async def _add(self, name: str) -> None:
        stack = AsyncExitStack()
        try:
            services = await stack.enter_async_context(self._platform.services(name))
            self._open[name] = Opened(services, self._make(services), stack)
        except BaseException as error:
            await stack.aclose()
            if isinstance(error, KeyLost) and name != DEFAULT:
                log.failure("tenant.key_lost", error)
                raise Unavailable from error
            raise
        self._put_away()

    def _put_away(self) -> None:
        """Close tenants that nobody uses, the longest unused first, while too many are open."""
        unused = [name for name, opened in self._open.items() if not opened.users]
        # The last one was opened just now for somebody who has not taken it yet.
        for name in unused[:-1][: max(0, len(self._open) - self._largest)]:
            closing = asyncio.create_task(self._open.pop(name).stack.aclose())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _keep_reading(self) -> None:
        while True:
            await asyncio.sleep(_REREAD_SECONDS)
            try:
                await self.read()
            except Unavailable as error:
                log.failure("tenants.unreachable", error)
            except Exception as error:  # noqa: BLE001 - the loop outlives a database that restarts
                log.failure("tenants.unread", error)
