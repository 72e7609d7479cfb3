"""Where resources stand in the database, and rids for those that have none yet."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Final

from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.handles import Handle, Handles
from polyclinic.kernel.store.queries import STATEMENTS

_BLOCK: Final = 256
"""Rids that one step of the sequence stands for; the same number as in the migration."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Place = tuple[int, str]
"""Type number and id."""


class Placement:
    """Find and make the rids of resources."""

    def __init__(self, pool: Connections) -> None:
        self._pool = pool
        self.handles = Handles()
        self._free: list[int] = []

    async def new_rids(self, count: int) -> list[int]:
        """Return rids that nobody else will be given."""
        while len(self._free) < count:
            first = await self._pool.fetchval(STATEMENTS["rid_block"])
            self._free.extend(range(first, first + _BLOCK))
        given, self._free = self._free[:count], self._free[count:]
        return given

    def known(self, tenant: int, places: Iterable[Place]) -> dict[Place, Handle] | None:
        """Return the handles of all places when all are remembered."""
        found: dict[Place, Handle] = {}
        for place in places:
            handle = self.handles.get((tenant, *place))
            if handle is None:
                return None
            found[place] = handle
        return found

    async def find(self, tenant: int, places: Collection[Place]) -> dict[Place, Handle]:
        """Return the handles of those that exist, stubs included, fresh from the database."""
        wanted = list(places)
        rows = await self._pool.within(tenant).fetch(
            STATEMENTS["handles"], tenant, [place[0] for place in wanted], [p[1] for p in wanted]
        )
        found: dict[Place, Handle] = {}
        for ordinal, rid, version, deleted, digest in rows:
            place, handle = wanted[ordinal - 1], Handle(rid, version, deleted, digest)
            found[place] = handle
            self.handles.put((tenant, *place), handle)
        return found

    async def targets(self, tenant: int, places: Collection[Place]) -> dict[Place, int]:
        """Return the rids of what is referred to; what does not exist gets a stub."""
        found: dict[Place, int] = {}
        missing: list[Place] = []
        for place in places:
            handle = self.handles.get((tenant, *place))
            if handle is None:
                missing.append(place)
            else:
                found[place] = handle.rid
        if missing:
            found |= await self._from_database(tenant, missing)
        return found

    async def _from_database(self, tenant: int, places: list[Place]) -> dict[Place, int]:
        found = await self.find(tenant, places)
        rids = {place: handle.rid for place, handle in found.items()}
        absent = [place for place in places if place not in found]
        return rids | await self._stubs(tenant, absent) if absent else rids

    async def _stubs(self, tenant: int, places: list[Place]) -> dict[Place, int]:
        """Give rids to what does not exist."""
        rids = await self.new_rids(len(places))
        types = [place[0] for place in places]
        ids = [place[1] for place in places]
        within = self._pool.within(tenant)
        await within.execute(STATEMENTS["stubs"], tenant, rids, types, ids, _EPOCH)
        found = await self.find(tenant, places)
        return {place: handle.rid for place, handle in found.items()}
