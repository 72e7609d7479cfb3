"""How far a tenant's resources are filed by the search parameters that it defined.

Searches say of a parameter that it is not complete until every resource that there was before has
been filed by it. That is so when none waits, once nobody can write any more by what held before.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from polyclinic.kernel.search.custom.parameters import CustomParameters, Progress, Stored
from polyclinic.kernel.search.hashing import fault_key
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.custom_search import look, put
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.row import index_version
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import type_name, type_number

_TOLD_SECONDS: Final = 5.0
"""So often a long run tells how many resources wait."""
_LOOK_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 600.0
"""For whoever writes by what held before; a later run looks again."""

_replace = msgspec.structs.replace


class Filing:
    """Tells of one run how far it is."""

    def __init__(self, pool: Connections, tenant: Tenant) -> None:
        self._connections = pool
        self._pool = pool.within(tenant.number)
        self._tenant = tenant
        self._told = 0.0

    async def begin(self) -> None:
        """Know what is wanted by now."""
        await look(self._connections, self._tenant)
        await self._tell()

    async def go_on(self) -> None:
        """Tell now and then how many wait."""
        if asyncio.get_running_loop().time() - self._told > _TOLD_SECONDS:
            await self._tell()

    async def end(self) -> None:
        """Call complete what nothing waits for; what cannot be read goes on waiting."""
        known = self._tenant.custom.now
        if self._open(known):
            waiting = await self._waiting(known)
            await self._keep(known, lambda one, name: _ended(one, waiting.get(name, 0)))
        await self.count_faults()

    async def count_faults(self) -> None:
        """Keep on how many resources each parameter could not be evaluated."""
        known = self._tenant.custom.now
        places = [(one.id, name, one.code) for one in known.stored.definitions for name in one.base]
        if not places:
            return
        marks = [fault_key(name, code, self._tenant.index_key) for _, name, code in places]
        with translated():
            rows = await self._pool.fetch(
                STATEMENTS["custom_search_faults"], self._tenant.number, marks
            )
        counts: dict[str, int] = {}
        for row in rows:
            if row["resources"]:
                id_ = places[row["ord"] - 1][0]
                counts[id_] = counts.get(id_, 0) + row["resources"]
        if counts != known.stored.faults:
            await self._change(known, lambda stored: _replace(stored, faults=counts))

    def _open(self, known: CustomParameters) -> list[str]:
        """Return the types that are not complete."""
        types = known.stored.types
        return [name for name, one in types.items() if one.complete < one.wanted]

    async def _tell(self) -> None:
        known = self._tenant.custom.now
        self._told = asyncio.get_running_loop().time()
        if self._open(known):
            waiting = await self._waiting(known)
            await self._keep(known, lambda one, name: _replace(one, waiting=waiting.get(name, 0)))

    async def _waiting(self, known: CustomParameters) -> dict[str, int]:
        """Return how many resources of each type that is not complete wait."""
        names = self._open(known)
        numbers = [type_number(name) for name in names]
        wanted = [index_version(known.stored.types[name].wanted) for name in names]
        with translated():
            rows = await self._pool.fetch(
                STATEMENTS["custom_search_waiting"], self._tenant.number, numbers, wanted
            )
        return {type_name(row["type"]): row["waiting"] for row in rows}

    async def settle(self) -> bool:
        """Wait until nobody writes by what held before; say whether anything is to be completed.

        Whoever did leaves resources that wait.
        """
        if not self._open(self._tenant.custom.now):
            return False
        with translated():
            horizon = await self._pool.fetchval(STATEMENTS["custom_search_horizon"])
        async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
            while not await self._is_settled(horizon):  # noqa: ASYNC110 - the database has no event for it
                await asyncio.sleep(_LOOK_SECONDS)
        return True

    async def _is_settled(self, horizon: str) -> bool:
        number = self._tenant.number
        with translated():
            found = await self._pool.fetchval(STATEMENTS["custom_search_settled"], number, horizon)
        return bool(found)

    async def _keep(
        self, known: CustomParameters, told: Callable[[Progress, str], Progress]
    ) -> None:
        open_ = self._open(known)

        def change(stored: Stored) -> Stored:
            types = {
                name: told(one, name) if name in open_ else one
                for name, one in stored.types.items()
            }
            return _replace(stored, types=types)

        await self._change(known, change)

    async def _change(self, known: CustomParameters, change: Callable[[Stored], Stored]) -> None:
        """Keep what was found out of a tenant's parameters, unless they are others by now."""
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                row = await connection.fetchrow(
                    STATEMENTS["custom_search_held"], self._tenant.number
                )
                if row is not None and row["number"] == known.number:
                    stored = msgspec.json.decode(row["document"], type=Stored)
                    await put(connection, self._tenant.number, known.number, change(stored))
        await look(self._connections, self._tenant)


def _ended(one: Progress, waiting: int) -> Progress:
    if waiting:
        return _replace(one, waiting=waiting)
    return Progress(one.wanted, one.wanted, 0)
