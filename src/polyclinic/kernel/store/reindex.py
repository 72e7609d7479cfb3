"""Index rows of stored resources, made anew while others read and write.

A run walks a tenant's resources by rid. What was done is told by ``keys.index_version`` alone, so a
run that was interrupted goes on where it stopped. That number has two parts: the kind of index
rows, and how often the tenant had changed the type's own search parameters. No version, change or
audit row is made.

Rows are written only for the version that they were made from. A writer that waits for a resource
meanwhile begins again (``queries/write.sql``), since the index rows that it saw are gone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from polyclinic.base import log
from polyclinic.base.db.connect import Connection, Record
from polyclinic.kernel.errors import FhirError
from polyclinic.kernel.search.custom.parameters import Stored
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.index_values import IndexValues
from polyclinic.kernel.store.bodies import Bodies, sealed_body
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.custom_filing import Filing
from polyclinic.kernel.store.custom_search import look
from polyclinic.kernel.store.faults import RETRIED, translated
from polyclinic.kernel.store.index import build, targets
from polyclinic.kernel.store.placement import Placement
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.row import index_arguments, index_version
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import parse, type_number

_PAGE: Final = 5000
"""Resources that one statement looks at."""
_BATCH: Final = 100
"""Resources whose rows one statement writes, and which writers may wait for."""
_MARKED: Final = 500
_TRIES: Final = 5

Watch = Callable[[int], None]
"""Told how many were done, after each batch."""


class Waiting(NamedTuple):
    """How many resources of a tenant have index rows of an older kind."""

    number: int
    tenant: str
    resources: int


class Reindexed(NamedTuple):
    """What a run did."""

    done: int
    unreadable: int
    """Resources whose body does not open or cannot be read; they go on waiting."""
    failing: Mapping[str, int] = MappingProxyType({})
    """By its code, the resources that a parameter of the tenant's could not be evaluated on."""


class _Source(NamedTuple):
    """A resource whose rows are to be made, and what it is found by."""

    rid: int
    version: int
    values: IndexValues


class Reindexer:
    """Make the index rows of one tenant's resources anew."""

    def __init__(
        self, pool: Connections, placement: Placement, bodies: Bodies, tenant: Tenant
    ) -> None:
        self._connections = pool
        self._pool = pool.within(tenant.number)
        self._placement = placement
        self._bodies = bodies
        self._tenant = tenant

    async def waiting(self) -> int:
        """Return how many resources have index rows of an older kind."""
        with translated():
            rows = await self._pool.fetch(STATEMENTS["reindex_waiting"], index_version())
        return sum(row["waiting"] for row in rows if row["tenant"] == self._tenant.number)

    async def mark(self, types: Collection[str]) -> None:
        """Let every resource of some types wait; ``run`` does them then, whoever calls it."""
        numbers = sorted({type_number(one) for one in types})
        after: int | None = 0
        while after is not None:
            after = await self._again("reindex_mark", self._tenant.number, after, numbers, _MARKED)

    async def run(self, watch: Watch) -> Reindexed:
        """Make the rows of everything that waits, and say so of the tenant's own parameters.

        A resource that is written meanwhile gets its rows by that write.
        """
        filing = Filing(self._connections, self._tenant)
        await filing.begin()
        found = await self._pass(filing, watch)
        if await filing.settle():
            late = await self._pass(filing, lambda count: watch(found.done + count))
            found = Reindexed(found.done + late.done, late.unreadable)
        await filing.end()
        return found._replace(failing=self._failing())

    def _failing(self) -> dict[str, int]:
        stored = self._tenant.custom.now.stored
        codes = {one.id: one.code for one in stored.definitions}
        return {codes[id_]: count for id_, count in stored.faults.items()}

    async def is_incomplete(self) -> bool:
        """Say whether resources wait for a search parameter that the tenant defined."""
        await look(self._connections, self._tenant)
        types = self._tenant.custom.now.stored.types.values()
        return any(one.complete < one.wanted for one in types)

    async def _pass(self, filing: Filing, watch: Watch) -> Reindexed:
        """Make the rows of what waits, by rid."""
        done = unreadable = last = 0
        while True:
            page = await self._page(last)
            if page["last"] is None:
                return Reindexed(done, unreadable)
            for start in range(0, len(page["waiting"]), _BATCH):
                sources, faults = await self._sources(page["waiting"][start : start + _BATCH])
                done += await self._write(sources)
                unreadable += faults
                watch(done)
                await filing.go_on()
            last = page["last"]

    async def _page(self, last: int) -> Record:
        """Return which of the next resources wait, by what the tenant has defined by now."""
        await look(self._connections, self._tenant)
        types = self._tenant.custom.now.stored.types
        with translated():
            page = await self._pool.fetchrow(
                STATEMENTS["reindex_page"],
                *(self._tenant.number, last, index_version(), _PAGE),
                [type_number(name) for name in types],
                [index_version(one.wanted) for one in types.values()],
            )
        assert page is not None
        return page

    async def _sources(self, rids: Sequence[int]) -> tuple[list[_Source], int]:
        """Return what can be read, and how many cannot."""
        with translated():
            rows = await self._pool.fetch(STATEMENTS["reindex_bodies"], self._tenant.number, rids)
            bodies = await self._bodies.open(
                self._tenant.number, [sealed_body(row) for row in rows]
            )
        found = [self._source(row, body) for row, body in zip(rows, bodies, strict=True)]
        return [one for one in found if one is not None], found.count(None)

    def _source(self, row: Record, body: bytes | FhirError) -> _Source | None:
        try:
            if isinstance(body, FhirError):
                raise body
            values = extract(parse(body), custom=self._tenant.custom.now)
            return _Source(row["rid"], row["version"], values)
        except FhirError:
            log.event(
                "reindex.unreadable", tenant=self._tenant.number, type=row["type"], id=row["id"]
            )
            return None

    async def _write(self, sources: Sequence[_Source]) -> int:
        """Write the rows of resources that are still as they were read; return how many."""
        if not sources:
            return 0
        number, key = self._tenant.number, self._tenant.index_key
        places = {place for one in sources for place in targets(one.values)}
        with translated():
            rid_of = await self._placement.targets(number, places)
        indexes = [build(one.values, key, rid_of) for one in sources]
        rids = [one.rid for one in sources]
        versions = [one.version for one in sources]
        custom = self._tenant.custom.now.number
        rows = index_arguments(indexes)
        return await self._again("reindex", number, rids, versions, *rows, custom) or 0

    async def _again(self, statement: str, *arguments: object) -> int | None:
        """Run a statement, again when it met a writer that had locked what it needs."""
        for attempt in range(1, _TRIES + 1):
            try:
                with translated():
                    found: int | None = await self._pool.fetchval(STATEMENTS[statement], *arguments)
            except RETRIED:
                if attempt == _TRIES:
                    raise
            else:
                return found
        return None


async def waiting(connection: Connection) -> list[Waiting]:
    """Return the tenants that have resources with index rows of an older kind."""
    rows = await connection.fetch(STATEMENTS["reindex_waiting"], index_version())
    return [Waiting(*row) for row in rows]


class Failing(NamedTuple):
    """A search parameter that a tenant defined, and that fails on some resources."""

    tenant: str
    code: str
    resources: int


async def failing(connection: Connection) -> list[Failing]:
    """Return what could not be evaluated when it was last counted, of every tenant."""
    found = []
    for row in await connection.fetch(STATEMENTS["custom_search_all"]):
        stored = msgspec.json.decode(row["document"], type=Stored)
        codes = {one.id: one.code for one in stored.definitions}
        found += [Failing(row["name"], codes[id_], many) for id_, many in stored.faults.items()]
    return found
